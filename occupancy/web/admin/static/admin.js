// Keeps a page live: numbers and alarms from the one stream, ages from the clock, buttons off when the link is gone.
"use strict";
(() => {
  const STALE_MS = 90000;
  const LOST_MS = 3900;
  const DASH = "—";
  const words = JSON.parse(document.body.dataset.words);
  const lots = new Map();
  let heardAt = performance.now();
  let ahead = null;
  let changedAt = null;
  let roster = null; // the car parks there are, as they were told last

  const one = (selector, within = document) => within.querySelector(selector);
  const all = (selector, within = document) => [...within.querySelectorAll(selector)];
  const put = (element, text) => {
    if (element && element.textContent !== String(text)) element.textContent = text;
  };
  const fill = (text, ...values) => values.reduce((filled, value) => filled.replace("{}", value), text);
  const serverNow = () => Date.now() + ahead;

  // The lot as it may be shown now: a silent source has no numbers, also when nobody tells us so.
  function asSeenNow(lot) {
    const age = serverNow() - Date.parse(lot.live.observed_at);
    if (lot.live.observed_at === null || ahead === null || age < STALE_MS) return lot;
    const live = { ...lot.live, free: null, usable: null, occupied: null, quality: "stale" };
    return { ...lot, live, status: lot.status === "closed" ? "closed" : "no_data" };
  }

  function noteOf(lot) {
    if (lot.status === "no_data") return lot.live.quality === "stale" ? words.silent : words.doubtful;
    if (lot.status === "closed") return lot.closed ? lot.closed.words : words.closed;
    if (lot.live.quality === "estimated") return words.estimated;
    if (lot.live.out_of_service) return words.out_of_service.replace("{}", lot.live.out_of_service);
    return lot.status === "full" ? words.full : "";
  }

  function showLot(told) {
    const lot = asSeenNow(told);
    const instead = words.instead[lot.status];
    for (const row of all(`[data-lot="${lot.id}"]`)) {
      const field = (name) => one(`[data-field="${name}"]`, row);
      if (row.tagName === "TR") row.className = lot.status;
      const pill = one("[data-pill]", row);
      if (pill) pill.className = `pill ${lot.status}`;
      const shape = field("shape");
      if (shape) shape.setAttribute("href", `#shape-${lot.status}`);
      put(field("word"), words.status[lot.status]);
      put(field("count"), instead === undefined ? lot.live.free : instead);
      put(field("usable"), lot.live.usable === null ? DASH : lot.live.usable);
      put(field("occupied"), lot.live.occupied === null ? DASH : lot.live.occupied);
      put(field("note"), noteOf(lot));
      if (lot.live.observed_at !== null) put(field("age"), fill(words.as_of, lot.live.observed_at.slice(11, 19)));
      const bar = field("bar");
      if (bar) bar.value = lot.live.occupied || 0;
    }
  }

  function showSum() {
    const strip = one("[data-sum='free']");
    if (!strip || !lots.size) return;
    const known = [...lots.values()].map(asSeenNow).filter((lot) => lot.live.free !== null);
    const own = one("[data-own]").dataset.own.split(" ").filter(Boolean); // none named: all
    const mine = known.filter((lot) => !own.length || own.includes(lot.id));
    const serving = mine.filter((lot) => lot.status !== "closed");
    const add = (name) => serving.reduce((sum, lot) => sum + lot.live[name], 0);
    put(strip, serving.length ? add("free") : DASH);
    put(one("[data-sum='usable']"), serving.length ? add("usable") : DASH);
    put(one("[data-sum='trusted']"), mine.length);
  }

  function showAlarms(count) {
    for (const place of all("[data-alarm-count]")) {
      put(place, count);
      place.hidden = count === 0;
    }
    put(one("[data-alarm-count-plain]"), count);
  }

  function showLink() {
    const silentMs = performance.now() - heardAt;
    const lost = silentMs > LOST_MS;
    const state = one("[data-live]");
    state.classList.toggle("lost", lost);
    put(one("[data-live-word]"), lost ? words.lost : ahead === null ? words.connecting : words.live);
    const since = changedAt === null ? "" : fill(words.changed, Math.max(0, Math.round((performance.now() - changedAt) / 1000)));
    put(one("[data-live-age]"), lost ? "" : since);
    const banner = one("[data-lost]");
    banner.hidden = !lost;
    for (const button of all("form[method='post'] button")) button.disabled = lost;
  }

  function take(message) {
    heardAt = performance.now();
    if (message.ahead !== null) ahead = message.ahead;
    if (message.kind === "lot") {
      lots.set(message.lot.id, message.lot);
      changedAt = performance.now();
      showLot(message.lot);
      showSum();
    }
    if (message.kind === "lots") {
      for (const id of [...lots.keys()]) if (!message.ids.includes(id)) lots.delete(id);
      const told = message.ids.join();
      if (roster !== null && roster !== told) document.body.dispatchEvent(new CustomEvent("zhibo-desk"));
      roster = told;
    }
    if (message.kind === "desk") {
      showAlarms(message.desk.waiting);
      document.body.dispatchEvent(new CustomEvent("zhibo-desk"));
      // What somebody has ticked stays as he has seen it.
      if (!one("input[name='alarms']:checked")) document.body.dispatchEvent(new CustomEvent("zhibo-idle"));
    }
    if (message.kind === "ended") location.assign(location.href);
  }

  function connect() {
    const address = "/admin/live-worker.js";
    if (typeof SharedWorker === "undefined") {
      addEventListener("zhibo", (event) => take(event.detail));
      const script = document.createElement("script");
      script.nonce = one("script[nonce]").nonce;
      script.src = address;
      document.head.append(script);
      return;
    }
    const worker = new SharedWorker(address);
    worker.port.onmessage = (event) => take(event.data);
    worker.port.start();
    addEventListener("pagehide", () => worker.port.postMessage("bye"));
    addEventListener("pageshow", (event) => event.persisted && worker.port.postMessage("hello"));
  }

  // Too long is said while it is typed: nothing is cut off behind one's back.
  function checkLength(input) {
    const most = Number(input.dataset.most);
    const over = [...input.value].length - most;
    input.setCustomValidity(over > 0 ? fill(words.too_long, most, over) : "");
    if (over > 0) input.reportValidity();
  }

  function keys() {
    let went = false;
    addEventListener("keydown", (event) => {
      const typing = event.target.closest("input, textarea, select");
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      if (event.key === "Escape" && typing) event.target.blur();
      if (typing) return;
      const paths = { h: "/admin/", a: "/admin/alarms", c: "/admin/calibrate" };
      if (went && paths[event.key]) location.assign(paths[event.key]);
      went = event.key === "g";
      if (event.key === "/") {
        event.preventDefault();
        one("#search").focus();
      }
      if (event.key === "?") one("[data-help]").showModal();
    });
  }

  document.addEventListener("input", (event) => {
    if (event.target.dataset.most) checkLength(event.target);
  });
  document.addEventListener("change", (event) => {
    if (event.target.dataset.go !== undefined) event.target.form.requestSubmit();
    if (event.target.dataset.all !== undefined) {
      for (const box of all(`input[name="${event.target.dataset.all}"]`)) box.checked = event.target.checked;
    }
  });
  // A second press sends nothing twice.
  document.addEventListener("submit", (event) => {
    if (event.target.method !== "post") return;
    if (event.target.dataset.sent) event.preventDefault();
    event.target.dataset.sent = "1";
  });
  addEventListener("pageshow", () => all("form[data-sent]").forEach((form) => delete form.dataset.sent));
  addEventListener("click", (event) => {
    if (!event.target.closest(".search")) put(one("#hits"), "");
  });

  connect();
  keys();
  setInterval(() => {
    showLink();
    lots.forEach(showLot);
  }, 1000);
})();
