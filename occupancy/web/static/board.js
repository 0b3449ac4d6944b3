// Keeps the board live: numbers from the stream, ages from the clock, a plain word when the link is gone.
"use strict";
const STALE_MS = 90000;
const LOST_MS = 4500;
const WORDS = { open: "空闲", almost_full: "较满", full: "已满", closed: "关闭", no_data: "数据失联" };
const WEEKDAYS = "日一二三四五六";
const lots = new Map();
let heardAt = performance.now();
let serverAhead = 0;
let pushedAt = null;

const one = (selector, within = document) => within.querySelector(selector);
const put = (element, text) => {
  if (element && element.textContent !== String(text)) element.textContent = text;
};
const serverNow = () => Date.now() + serverAhead;

function statusOf(lot) {
  const old = lot.live.observed_at === null || serverNow() - Date.parse(lot.live.observed_at) > STALE_MS;
  return old && lot.status !== "closed" ? "no_data" : lot.status;
}

function noteOf(lot, status) {
  if (status === "no_data") return "数据核对中，请以现场为准";
  if (status === "closed") return "暂停开放";
  return lot.live.out_of_service ? `停用 ${lot.live.out_of_service} 位` : "";
}

function showLot(lot) {
  const tile = one(`[data-lot="${lot.id}"]`);
  if (!tile) return;
  const status = statusOf(lot);
  const told = status !== "no_data" && lot.live.free !== null;
  const field = (name) => one(`[data-field="${name}"]`, tile);
  tile.className = `tile lot ${status}`;
  put(field("word"), WORDS[status]);
  put(field("free"), !told ? "—" : status === "full" ? "满" : lot.live.free);
  put(field("usable"), told ? lot.live.usable : "—");
  put(field("note"), noteOf(lot, status));
  showLevels(field("levels"), lot.levels, told);
  const mark = one(`[data-mark="${lot.id}"]`);
  if (mark) {
    mark.setAttribute("class", `mark ${status}`);
    put(one(".label", mark), !told ? "—" : status === "full" ? "满" : status === "closed" ? "关" : lot.live.free);
  }
  for (const sign of lot.signs) showSign(sign);
}

function showLevels(list, levels, told) {
  if (list.children.length !== levels.length) {
    list.replaceChildren(...levels.map((level) => {
      const row = document.createElement("li");
      row.innerHTML = '<span class="which"></span><meter class="bar" min="0"></meter><span class="left"></span>';
      put(one(".which", row), `${level.level} 层`);
      one(".bar", row).max = level.capacity;
      return row;
    }));
  }
  levels.forEach((level, index) => {
    const row = list.children[index];
    one(".bar", row).value = told && level.occupied !== null ? level.occupied : 0;
    put(one(".left", row), told && level.free !== null ? level.free : "—");
  });
}

function showSign(sign) {
  const face = one(`[data-sign="${sign.id}"]`);
  if (!face) return;
  const lines = sign.reported || sign.desired;
  face.querySelectorAll("b").forEach((line, index) => put(line, lines[index] || "—"));
}

function showTotal() {
  const told = [...lots.values()].filter((lot) => statusOf(lot) !== "no_data" && lot.live.free !== null);
  const sum = (name) => told.reduce((total, lot) => total + lot.live[name], 0);
  put(one('[data-total="free"]'), told.length ? sum("free") : "—");
  put(one('[data-total="usable"]'), sum("usable"));
  put(one('[data-total="occupied"]'), sum("occupied"));
  const bar = one('[data-total="bar"]');
  bar.max = sum("usable") || 1;
  bar.value = sum("occupied");
  put(one('[data-total="trusted"]'), told.length);
}

function age(milliseconds) {
  const seconds = Math.max(0, Math.round(milliseconds / 1000));
  if (seconds < 60) return `${seconds} 秒前`;
  const minutes = Math.floor(seconds / 60);
  return minutes < 60 ? `${minutes} 分钟前` : `${Math.floor(minutes / 60)} 小时前`;
}

function tick() {
  const silence = performance.now() - heardAt;
  const lost = silence > LOST_MS;
  document.body.classList.toggle("lost", lost);
  one("[data-link-lost]").hidden = !lost;
  if (lost) put(one("[data-link-age]"), `（${age(silence)}）`);
  for (const lot of lots.values()) {
    showLot(lot);
    const seen = lot.live.observed_at;
    put(one(`[data-lot="${lot.id}"] [data-field="age"]`), seen ? `更新于 ${age(serverNow() - Date.parse(seen))}` : "尚无数据");
  }
  if (lots.size) showTotal();
  put(one("[data-pushed]"), pushedAt === null ? "等待推送" : `最近变化 ${age(performance.now() - pushedAt)}`);
  const now = new Date(serverNow() + 8 * 3600000);
  put(one("[data-clock]"), now.toISOString().slice(11, 16));
  put(one("[data-date]"), `${now.getUTCMonth() + 1} 月 ${now.getUTCDate()} 日 周${WEEKDAYS[now.getUTCDay()]}`);
}

function take(message) {
  heardAt = performance.now();
  if (message.kind === "lot") {
    lots.set(message.lot.id, message.lot);
    pushedAt = performance.now();
    showLot(message.lot);
    showTotal();
    return;
  }
  serverAhead = Date.parse(message.beat.now) - Date.now();
  for (const [id, seen] of Object.entries(message.beat.observed_at)) {
    const lot = lots.get(id);
    if (lot && lot.live.observed_at !== null) lot.live.observed_at = seen;
  }
  if (message.beat.source === "lost") heardAt = -LOST_MS + performance.now() - 1;
}

function follow() {
  if (window.SharedWorker) {
    const worker = new SharedWorker("/board/live-worker.js");
    worker.port.onmessage = (event) => take(event.data);
    addEventListener("pagehide", () => worker.port.postMessage("bye"));
    return;
  }
  const source = new EventSource("/v1/stream");
  source.addEventListener("lot", (event) => take({ kind: "lot", lot: JSON.parse(event.data) }));
  source.addEventListener("heartbeat", (event) => take({ kind: "heartbeat", beat: JSON.parse(event.data) }));
}

async function refreshTrends() {
  document.querySelectorAll("[data-trend]").forEach((image) => {
    image.src = `${image.dataset.trend}?t=${Date.now()}`;
  });
  try {
    const flows = await (await fetch("/board/flows")).json();
    let entries = 0, exits = 0;
    for (const [id, flow] of Object.entries(flows)) {
      const known = flow.entries !== null;
      put(one(`[data-lot="${id}"] [data-field="flow"]`), known ? `24 时 进 ${flow.entries} 出 ${flow.exits}` : "");
      put(one(`[data-lot="${id}"] [data-field="span"]`), flow.span);
      entries += flow.entries || 0;
      exits += flow.exits || 0;
    }
    put(one('[data-total="entries"]'), entries.toLocaleString("en"));
    put(one('[data-total="exits"]'), exits.toLocaleString("en"));
  } catch {
    // The link-loss notice says it.
  }
}

follow();
tick();
refreshTrends();
setInterval(tick, 1000);
setInterval(refreshTrends, 15000);
