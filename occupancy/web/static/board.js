// Keeps the board live: numbers from the stream, ages from the clock, a plain word when the link is gone.
"use strict";
const STALE_MS = 90000;
const LOST_MS = 3900;
const TRENDS_MS = 20000;
const REDRAW_MS = 5000; // a page this young is not drawn anew: never in circles
const WEEKDAYS = "日一二三四五六";
const DASH = "—";
const words = JSON.parse(document.body.dataset.words);
const lots = new Map();
let heardAt = performance.now();
let serverAhead = null;
let changedAt = null;

const one = (selector, within = document) => within.querySelector(selector);
const put = (element, text) => {
  if (element && element.textContent !== String(text)) element.textContent = text;
};
const fill = (template, value) => template.replace("{}", value);
const serverNow = () => Date.now() + serverAhead;
const ageOf = (lot) => serverNow() - Date.parse(lot.live.observed_at);

// The lot as it may be shown now: a silent source has no numbers, also when nobody tells us so.
function asSeenNow(lot) {
  if (lot.live.observed_at === null || serverAhead === null || ageOf(lot) < STALE_MS) return lot;
  const live = { ...lot.live, free: null, usable: null, occupied: null, quality: "stale", trend: "unknown" };
  const levels = lot.levels.map((level) => ({ ...level, free: null, occupied: null }));
  const signs = lot.signs.map((sign) => ({ ...sign, reported: null, state: "unknown" }));
  return { ...lot, live, levels, signs, status: lot.status === "closed" ? "closed" : "no_data" };
}

function noteOf(lot) {
  if (lot.status === "no_data") return lot.live.quality === "stale" ? words.silent : words.doubtful;
  if (lot.status === "closed") return lot.closed ? lot.closed.words : words.closed;
  if (lot.live.quality === "estimated") return words.estimated;
  if (lot.live.out_of_service) return fill(words.out_of_service, lot.live.out_of_service);
  return lot.status === "full" ? words.full : "";
}

function showLot(told) {
  const lot = asSeenNow(told);
  const tile = one(`[data-lot="${lot.id}"]`);
  if (!tile) return;
  const hasNumber = !(lot.status in words.instead);
  const count = hasNumber ? lot.live.free : words.instead[lot.status];
  const field = (name) => one(`[data-field="${name}"]`, tile);
  tile.className = `tile lot ${lot.status}`;
  field("shape").setAttribute("href", `#shape-${lot.status}`);
  put(field("word"), words.status[lot.status]);
  put(field("count"), count);
  put(field("usable"), lot.live.usable === null ? DASH : lot.live.usable);
  put(field("trend"), hasNumber ? words.trend[lot.live.trend] : "");
  put(field("note"), noteOf(lot));
  showLevels(one(".levels", tile), lot.levels);
  showMark(lot, count);
  lot.signs.forEach(showSign);
}

function showLevels(list, levels) {
  if (list.children.length !== levels.length) list.replaceChildren(...levels.map(newLevel));
  levels.forEach((level, index) => {
    const row = list.children[index];
    one("meter", row).value = level.occupied || 0;
    put(one('[data-level="free"]', row), `余 ${level.free === null ? DASH : level.free}`);
  });
}

function newLevel(level) {
  const row = document.createElement("li");
  const which = document.createElement("span");
  const left = document.createElement("span");
  const bar = document.createElement("meter");
  which.textContent = `${level.level} 层`;
  left.className = "left";
  left.dataset.level = "free";
  bar.max = level.capacity;
  bar.setAttribute("aria-label", `${level.level} 层占用`);
  row.append(which, left, bar);
  return row;
}

function showMark(lot, count) {
  const mark = one(`[data-mark="${lot.id}"]`);
  if (!mark) return;
  mark.setAttribute("class", `mark ${lot.status}`);
  put(one(".label", mark), count);
}

function showSign(sign) {
  const face = one(`[data-sign="${sign.id}"]`);
  if (!face) return;
  face.className = `face ${sign.state}`;
  const lines = sign.reported || [];
  face.querySelectorAll("b").forEach((line, index) => put(line, lines[index] || DASH));
  put(one("[data-sign-word]", face), words.sign[sign.state]);
}

function showTotal() {
  const seen = [...lots.values()].map(asSeenNow);
  const trusted = seen.filter((lot) => lot.live.free !== null);
  const serving = trusted.filter((lot) => lot.status !== "closed");
  const sum = (name) => serving.reduce((total, lot) => total + lot.live[name], 0);
  const usable = sum("usable");
  const occupied = usable - sum("free");
  const field = (name) => one(`[data-total="${name}"]`);
  put(field("free"), serving.length ? sum("free") : DASH);
  put(field("usable"), usable || DASH);
  put(field("percent"), usable ? `${Math.round((100 * occupied) / usable)}%` : DASH);
  field("bar").max = usable || 1;
  field("bar").value = occupied;
  put(field("trusted"), trusted.length);
}

function inWords(milliseconds) {
  const seconds = Math.max(0, Math.round(milliseconds / 1000));
  if (seconds < 60) return `${seconds} 秒`;
  const minutes = Math.floor(seconds / 60);
  return minutes < 60 ? `${minutes} 分钟` : `${Math.floor(minutes / 60)} 小时`;
}

function ago(milliseconds) {
  return milliseconds < 1500 ? "刚刚" : `${inWords(milliseconds)}前`;
}

function ageInWords(lot) {
  if (lot.live.observed_at === null) return "尚无数据";
  return `${ago(ageOf(lot))}更新`;
}

function showLink() {
  const silence = performance.now() - heardAt;
  const lost = silence > LOST_MS;
  document.body.classList.toggle("lost", lost);
  one("[data-link-lost]").hidden = !lost;
  if (lost) put(one("[data-link-age]"), ` ${inWords(silence)}`);
}

function showClock() {
  if (serverAhead === null) return;
  const now = new Date(serverNow() + 8 * 3600000);
  put(one("[data-clock]"), now.toISOString().slice(11, 16));
  put(one("[data-date]"), `${now.getUTCMonth() + 1} 月 ${now.getUTCDate()} 日　周${WEEKDAYS[now.getUTCDay()]}`);
}

function tick() {
  showLink();
  showClock();
  for (const lot of lots.values()) {
    showLot(lot);
    if (serverAhead !== null) put(one(`[data-lot="${lot.id}"] [data-field="age"]`), ageInWords(lot));
  }
  if (lots.size) showTotal();
  if (changedAt !== null) put(one("[data-pushed]"), `${ago(performance.now() - changedAt)}有变化`);
}

function take(message) {
  heardAt = performance.now();
  if (message.ahead !== null) serverAhead = message.ahead;
  if (message.kind === "lot") takeLot(message.lot);
  else if (message.kind === "lots") takeRoster(message.ids);
  else takeBeat(message.beat);
  showLink();
}

// A car park came or left: the page is drawn anew, with its tile or without.
function takeRoster(ids) {
  const shown = [...document.querySelectorAll("[data-lot]")].map((tile) => tile.dataset.lot);
  const isSame = shown.length === ids.length && ids.every((id) => shown.includes(id));
  if (!isSame) setTimeout(() => location.reload(), Math.max(0, REDRAW_MS - performance.now()));
}

function takeLot(lot) {
  if (lots.has(lot.id)) changedAt = performance.now();
  lots.set(lot.id, lot);
  showLot(lot);
  showTotal();
}

function takeBeat(beat) {
  for (const [id, seen] of Object.entries(beat.observed_at)) {
    const lot = lots.get(id);
    if (lot && lot.live.observed_at !== null) lot.live.observed_at = seen;
  }
  // The server itself hears nothing: for who reads this page the link is as good as gone.
  if (beat.source === "lost") heardAt = performance.now() - LOST_MS - 1;
  tick();
}

function follow() {
  if (!window.SharedWorker) {
    const alone = document.createElement("script");
    alone.src = "/board/live-worker.js";
    addEventListener("zhibo", (event) => take(event.detail));
    document.head.append(alone);
    return;
  }
  const worker = new SharedWorker("/board/live-worker.js");
  worker.port.onmessage = (event) => take(event.data);
  addEventListener("pagehide", () => worker.port.postMessage("bye"));
  addEventListener("pageshow", (event) => event.persisted && worker.port.postMessage("hello"));
}

async function refreshTrends() {
  const answer = await fetch("/board/trends").catch(() => null);
  if (!answer || !answer.ok) return;
  let entries = 0;
  let exits = 0;
  let known = false;
  let short = false;
  for (const [id, trend] of Object.entries(await answer.json())) {
    const tile = one(`[data-lot="${id}"]`);
    if (!tile) continue;
    for (const part of ["line", "area", "end"]) one(`[data-path="${part}"]`, tile).setAttribute("d", trend.drawn[part]);
    put(one('[data-field="span"]', tile), trend.span);
    if (trend.entries === null) continue;
    put(one('[data-field="flow"]', tile), `${trend.counted} 进 ${trend.entries} 出 ${trend.exits}`);
    entries += trend.entries;
    exits += trend.exits;
    known = true;
    short = short || trend.is_short;
  }
  for (const day of document.querySelectorAll('[data-total="day"]')) put(day, short ? "不满 24 小时" : "24 小时");
  put(one('[data-total="entries"]'), known ? entries.toLocaleString("en") : DASH);
  put(one('[data-total="exits"]'), known ? exits.toLocaleString("en") : DASH);
}

follow();
refreshTrends();
setInterval(tick, 1000);
setInterval(refreshTrends, TRENDS_MS);
