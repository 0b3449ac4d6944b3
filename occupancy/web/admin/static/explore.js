// Draws what the page holds: gaps stay gaps, the weeks before lie dashed behind.
"use strict";
(async () => {
  const place = document.querySelector("[data-drawing]");
  if (!place) return;
  const answer = await fetch(place.dataset.drawing);
  if (!answer.ok) return;
  const told = await answer.json();
  const words = JSON.parse(place.dataset.chartWords);
  const style = getComputedStyle(document.documentElement);
  const colour = (name) => style.getPropertyValue(name).trim();
  const chart = echarts.init(place);

  // The line before is moved onto the days of this one; its own time is told beside.
  // The chart counts in UTC, wherever the browser stands: local time of Sanshui is 8 h ahead.
  const SANSHUI_MS = 8 * 3600 * 1000;
  const points = (line, values, shift) => line.times.map((at, index) => [at + shift + SANSHUI_MS, values[index]]);
  const shift = told.before && told.before.times.length ? told.now.times[0] - told.before.times[0] : 0;

  function series(name, values, ink, type, before) {
    const line = { name, type, data: points(told.now, values, 0), connectNulls: false, showSymbol: false, color: ink };
    if (type === "bar") return { ...line, yAxisIndex: 1, barMaxWidth: 6, opacity: 0.6 };
    if (!before) return { ...line, lineStyle: { width: 2 } };
    return { ...line, lineStyle: { width: 1.5, type: "dashed" }, data: points(told.before, values, shift) };
  }

  function option() {
    const ink = colour("--ink");
    const lines = [
      series(words.occupied, told.now.occupied, colour("--accent"), "line"),
      series(words.free, told.now.free, colour("--open"), "line"),
      series(words.entries, told.now.entries, colour("--almost"), "bar"),
      series(words.exits, told.now.exits, colour("--closed"), "bar"),
    ];
    if (told.before) {
      lines.push(series(words.occupied_before, told.before.occupied, colour("--accent"), "line", true));
      lines.push(series(words.free_before, told.before.free, colour("--open"), "line", true));
    }
    const axis = { axisLabel: { color: colour("--soft") }, splitLine: { lineStyle: { color: colour("--line") } } };
    return {
      animation: false,
      useUTC: true,
      aria: { enabled: true },
      textStyle: { fontFamily: getComputedStyle(document.body).fontFamily, color: ink },
      tooltip: { trigger: "axis", renderMode: "richText" },
      legend: { textStyle: { color: ink }, top: 0 },
      grid: { left: 48, right: 48, top: 64, bottom: 72 },
      xAxis: { type: "time", ...axis },
      yAxis: [{ type: "value", min: 0, ...axis }, { type: "value", min: 0, ...axis, splitLine: { show: false } }],
      dataZoom: [{ type: "inside" }, { type: "slider", bottom: 12 }],
      series: lines,
    };
  }

  // What is chosen below is asked for again, in finer steps, when somebody wants it.
  const zoom = document.querySelector("[data-zoom]");
  const local = (at) => new Date(at).toISOString().slice(0, 16);
  chart.on("datazoom", () => {
    const [{ startValue, endValue }] = chart.getOption().dataZoom;
    const whole = told.now.times.length * told.step_seconds * 1000;
    zoom.hidden = endValue - startValue > whole * 0.9 || endValue - startValue < 60000;
    zoom.dataset.from = local(startValue);
    zoom.dataset.to = local(endValue + 60000);
  });
  zoom.addEventListener("click", () => {
    const form = document.querySelector("form.filter");
    form.elements.from.value = zoom.dataset.from;
    form.elements.to.value = zoom.dataset.to;
    form.elements.step.value = "0";
    form.requestSubmit();
  });

  const draw = () => chart.setOption(option(), true);
  draw();
  addEventListener("resize", () => chart.resize());
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
})();
