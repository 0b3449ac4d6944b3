// Keeps the driver's page true: numbers every 15 s, ages every second, a plain word when the net is gone.
"use strict";
(() => {
  const POLL_MS = 15000;
  const STALE_MS = 90000;
  const LOST_MS = 40000;
  const PROVEN_BEATS = 3;
  const MOST_CHOSEN = 100; // of the stream
  const words = JSON.parse(document.body.dataset.words);
  const lots = new Map();
  let ahead = null; // the server's clock before ours
  let heardAt = performance.now();
  let etag = "";
  let beats = 0;

  const one = (selector, within = document) => within.querySelector(selector);
  const put = (element, text) => {
    if (element && element.textContent !== String(text)) element.textContent = text;
  };
  const fill = (template, value) => template.replace("{}", value);
  const ageOf = (observedAt) => Date.now() + ahead - Date.parse(observedAt);

  function seenNow(lot) {
    const old = lot.live.observed_at === null || ahead === null || ageOf(lot.live.observed_at) < STALE_MS;
    if (old) return lot;
    const status = lot.status === "closed" ? "closed" : "no_data";
    return { ...lot, status, live: { ...lot.live, free: null, quality: "stale", trend: "unknown" } };
  }

  function ageWords(observedAt) {
    if (!observedAt) return words.never;
    const seconds = Math.max(0, Math.floor(ageOf(observedAt) / 1000));
    return seconds < 60 ? fill(words.seconds, seconds) : fill(words.minutes, Math.floor(seconds / 60));
  }

  function noteOf(lot) {
    if (lot.status === "no_data") return lot.live.quality === "stale" ? words.silent : words.doubtful;
    if (lot.closed) return lot.closed.words;
    return lot.live.quality === "estimated" ? words.estimated : "";
  }

  function show(told) {
    const lot = seenNow(told);
    const told_number = lot.status === "open" || lot.status === "almost_full";
    for (const card of document.querySelectorAll(`[data-lot="${lot.id}"]`)) {
      const field = (name) => one(`[data-field="${name}"]`, card);
      for (const status of Object.keys(words.status)) card.classList.toggle(status, status === lot.status);
      field("shape").setAttribute("href", `#shape-${lot.status}`);
      put(field("word"), words.status[lot.status]);
      put(field("count"), fill(words.count[lot.status], lot.live.free));
      put(field("trend"), told_number ? words.trend[lot.live.trend] : "");
      put(field("note"), noteOf(lot));
      put(field("age"), ageWords(lot.live.observed_at));
    }
    const mark = one(`[data-mark="${lot.id}"]`);
    if (!mark) return;
    mark.setAttribute("class", `mark ${lot.status}`);
    put(one(".label", mark), told_number ? lot.live.free : fill(words.count[lot.status], ""));
  }

  function take(lot) {
    lots.set(lot.id, lot);
    show(lot);
  }

  // Nobody is led to a car park that is no longer ours.
  function settle(ids) {
    for (const id of [...lots.keys()]) if (!ids.includes(id)) lots.delete(id);
    for (const card of document.querySelectorAll("[data-lot]")) card.hidden = !ids.includes(card.dataset.lot);
  }

  function heard() {
    heardAt = performance.now();
    one("[data-lost]").hidden = true;
  }

  async function poll() {
    if (document.hidden || beats >= PROVEN_BEATS) return;
    const answer = await fetch("/v1/lots", { headers: etag ? { "If-None-Match": etag } : {}, cache: "no-store" }).catch(() => null);
    if (!answer || !(answer.ok || answer.status === 304)) return;
    heard();
    const date = answer.headers.get("Date");
    if (date) ahead = Date.parse(date) - Date.now();
    if (answer.status === 304) return;
    etag = answer.headers.get("ETag") || "";
    const found = (await answer.json()).lots;
    settle(found.map((lot) => lot.id));
    found.forEach(take);
  }

  // A stream saves polls, but many in-app browsers drop it silently: it must first prove itself.
  function tryStream() {
    if (!window.EventSource) return;
    const seen = [...document.querySelectorAll("[data-lot], [data-mark]")];
    const shown = new Set(seen.map((element) => element.dataset.lot || element.dataset.mark));
    const chosen = shown.size > MOST_CHOSEN ? "" : [...shown].join(",");
    const source = new EventSource(`/v1/stream?lots=${encodeURIComponent(chosen)}`);
    source.addEventListener("lot", (event) => {
      if (beats >= PROVEN_BEATS) take(JSON.parse(event.data));
    });
    source.addEventListener("lots", (event) => settle(JSON.parse(event.data).ids));
    source.addEventListener("heartbeat", (event) => {
      const beat = JSON.parse(event.data);
      beats += 1;
      if (beat.source !== "live") return;
      ahead = Date.parse(beat.now) - Date.now();
      heard();
      for (const [id, at] of Object.entries(beat.observed_at)) if (lots.has(id)) lots.get(id).live.observed_at = at;
    });
    source.onerror = () => {
      beats = 0;
      source.close();
    };
  }

  function tick() {
    if (ahead !== null) lots.forEach(show);
    const silent = performance.now() - heardAt > LOST_MS;
    if (silent) beats = 0;
    if (silent && !document.hidden) one("[data-lost]").hidden = false;
  }

  const yuan = (fen) => (fen === 0 ? "免费" : `${Number((fen / 100).toFixed(2))} 元`);

  function stayWords(minutes) {
    const parts = [[Math.floor(minutes / 1440), "天"], [Math.floor((minutes % 1440) / 60), "小时"], [minutes % 60, "分钟"]];
    return parts.filter(([count]) => count).map(([count, unit]) => `${count} ${unit}`).join(" ");
  }

  function row([words_, amount]) {
    const line = document.createElement("tr");
    for (const text of [words_, amount]) {
      const cell = document.createElement("td");
      cell.textContent = text;
      line.append(cell);
    }
    return line;
  }

  async function quote(form, minutes) {
    const from = new Date(Date.now() + (ahead || 0)).toISOString();
    const answer = await fetch(`/v1/quote?lot=${form.dataset.quote}&from=${encodeURIComponent(from)}&stay=PT${minutes}M`).catch(() => null);
    if (!answer || !answer.ok) return;
    const told = await answer.json();
    if (Number(form.elements.stay.value) !== minutes) return;
    put(one("[data-total]"), yuan(told.total_fen));
    put(one("[data-free]"), told.free_until ? `${told.free_until.slice(11, 16)} 前离场免费` : "");
    const rises = told.next_step_at && told.next_total_fen !== null;
    put(one("[data-next]"), rises ? `${told.next_step_at.slice(11, 16)} 之后离场为 ${yuan(told.next_total_fen)}` : "");
    one("[data-lines] tbody").replaceChildren(...told.lines.map((line) => row([line.words.zh, yuan(line.amount_fen)])));
    one("[data-reasons]").replaceChildren(...told.reasons.map((reason) => {
      const item = document.createElement("li");
      item.textContent = reason.words.zh;
      return item;
    }));
  }

  function watchFee(form) {
    let waits = 0;
    form.addEventListener("input", () => {
      const minutes = Number(form.elements.stay.value);
      put(one("[data-stay]", form), stayWords(minutes));
      clearTimeout(waits);
      waits = setTimeout(() => quote(form, minutes), 150);
    });
  }

  // Inside WeChat its own map opens; everywhere else, and when that fails, the link does.
  async function insideWechat() {
    const appId = document.body.dataset.appId;
    if (!appId || !/MicroMessenger/i.test(navigator.userAgent)) return;
    const address = location.href.split("#")[0];
    const answer = await fetch(`/m/signature?url=${encodeURIComponent(address)}`).catch(() => null);
    if (!answer || !answer.ok) return;
    const signature = await answer.json();
    const script = document.createElement("script");
    script.src = "https://res.wx.qq.com/open/js/jweixin-1.6.0.js";
    script.onload = () => {
      const wx = window.wx;
      wx.config({ ...signature, jsApiList: ["openLocation", "updateAppMessageShareData", "updateTimelineShareData"] });
      wx.ready(() => {
        const card = { title: document.title, desc: "三水公共停车场实时余位", link: address, imgUrl: `${location.origin}/favicon.ico` };
        wx.updateAppMessageShareData(card);
        wx.updateTimelineShareData(card);
        document.addEventListener("click", (event) => {
          const button = event.target.closest("[data-open]");
          if (!button) return;
          event.preventDefault();
          if (button.href.startsWith(location.origin)) fetch(button.href, { redirect: "manual", keepalive: true }).catch(() => null);
          wx.openLocation({ ...JSON.parse(button.dataset.open), fail: () => location.assign(button.href) });
        });
      });
    };
    document.head.append(script);
  }

  document.body.classList.add("script");
  document.querySelectorAll("[data-quote]").forEach(watchFee);
  poll();
  tryStream();
  insideWechat();
  setInterval(poll, POLL_MS);
  setInterval(tick, 1000);
  document.addEventListener("visibilitychange", () => document.hidden || poll());
})();
