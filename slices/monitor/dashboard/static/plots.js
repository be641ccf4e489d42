"use strict";
// Draws the plots of a page and changes them in place when their points have changed.

const drawn = new Map();
const MONEY = new Intl.NumberFormat("en-US", { maximumFractionDigits: 0 });
const PLAIN = new Intl.NumberFormat("en-US", { maximumSignificantDigits: 6 });
const COMPACT = new Intl.NumberFormat("en-US", { notation: "compact", maximumSignificantDigits: 3 });
const SIZES = [[2 ** 40, "TiB"], [2 ** 30, "GiB"], [2 ** 20, "MiB"], [2 ** 10, "KiB"], [1, "B"]];
const SPANS = [[86400, "d"], [3600, "h"], [60, "min"], [1, "s"]];

function scaled(value, scales) {
  const found = scales.find(([size]) => Math.abs(value) >= size) ?? scales.at(-1);
  return `${PLAIN.format(Number((value / found[0]).toPrecision(3)))} ${found[1]}`;
}
function written(value, unit, onAxis) {
  if (value === null || value === undefined) return "–";
  const text = {
    ratio: () => `${PLAIN.format(Number((value * 100).toFixed(2)))}%`,
    bytes: () => scaled(value, SIZES),
    seconds: () => (Math.abs(value) < 1 ? `${PLAIN.format(Number((value * 1000).toPrecision(3)))} ms` : scaled(value, SPANS)),
    currency: () => (onAxis ? COMPACT.format(value) : MONEY.format(value)),
    basis_points: () => `${PLAIN.format(Number(value.toPrecision(4)))} bps`,
  }[unit];
  return (text ? text() : PLAIN.format(value)).replace("-", "−");
}
function colour(name) {
  return () => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}
function times(ticks, step, zone) {
  const isClock = step < 86400;
  const above = new Intl.DateTimeFormat("en-US", { timeZone: zone, ...(isClock ? { hour: "2-digit", minute: "2-digit", hourCycle: "h23" } : { month: "short", day: step < 28 * 86400 ? "numeric" : undefined }) });
  const below = new Intl.DateTimeFormat("en-US", { timeZone: zone, ...(isClock ? { day: "numeric", month: "short" } : { year: "numeric" }) });
  let before = "";
  return ticks.map((at) => {
    const larger = below.format(at * 1000);
    const text = larger === before ? above.format(at * 1000) : `${above.format(at * 1000)}\n${larger}`;
    before = larger;
    return text;
  });
}
const FONT = '11px system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif';

function axis(given) {
  return {
    stroke: colour("muted"),
    grid: { stroke: colour("grid"), width: 1 },
    ticks: { stroke: colour("grid"), width: 1, size: 4 },
    font: FONT,
    ...given,
  };
}
function options(element, plot) {
  const zone = plot.daily ? "Etc/UTC" : "America/New_York";
  const day = { timeZone: zone, year: "numeric", month: "short", day: "2-digit" };
  const clock = plot.daily ? day : { ...day, hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" };
  return {
    width: element.clientWidth,
    height: 220,
    tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), zone),
    cursor: { drag: { x: true, y: false, setScale: true }, points: { size: 6 } },
    legend: { show: true, live: true },
    scales: { x: { time: true } },
    axes: [
      axis({ space: 64, values: (_u, ticks, _a, _s, step) => times(ticks, step, zone) }),
      axis({ size: 62, values: (_, ticks) => ticks.map((each) => written(each, plot.unit, true)) }),
    ],
    series: [
      { label: "Time", value: (_, at) => (at === null ? "–" : new Intl.DateTimeFormat("en-CA", clock).format(at * 1000)) },
      ...plot.labels.map((label, number) => ({
        label,
        stroke: colour(`series-${number % 8}`),
        width: 1.6,
        dash: [[], [7, 3], [2, 3], [10, 3, 2, 3]][number % 4],
        fill: plot.filled ? () => `${colour(`series-${number % 8}`)()}26` : undefined,
        points: { show: plot.tables[number][0].length < 3, size: 5 },
        value: (_, value) => written(value, plot.unit, false),
      })),
    ],
  };
}
function joined(plot) {
  return plot.tables.length ? uPlot.join(plot.tables) : [[]];
}
function draw(element, plot) {
  const names = JSON.stringify([plot.labels, plot.unit]);
  const before = drawn.get(element);
  if (before?.names === names) {
    before.chart.setData(joined(plot));
    return;
  }
  before?.chart.destroy();
  const chart = new uPlot(options(element, plot), joined(plot), element);
  drawn.set(element, { chart, names, stamp: before?.stamp });
}
async function refresh(element) {
  const wanted = `${element.dataset.address} ${element.dataset.stamp}`;
  if (element.dataset.asked === wanted) return;
  element.dataset.asked = wanted;
  try {
    const answer = await fetch(element.dataset.address, { headers: { Accept: "application/json" } });
    if (!answer.ok) throw new Error(String(answer.status));
    const plot = await answer.json();
    if (element.isConnected && element.dataset.asked === wanted) draw(element, plot);
  } catch {
    delete element.dataset.asked; // asked again at the next turn
  }
}
const sizes = new ResizeObserver((entries) => {
  for (const { target, contentRect } of entries) {
    const chart = drawn.get(target)?.chart;
    if (chart && contentRect.width > 0) chart.setSize({ width: contentRect.width, height: chart.height });
  }
});
function refreshAll() {
  for (const [element, { chart }] of drawn) {
    if (element.isConnected) continue;
    chart.destroy();
    drawn.delete(element);
    sizes.unobserve(element);
  }
  for (const element of document.querySelectorAll(".plot")) {
    sizes.observe(element);
    refresh(element);
  }
}
function redrawAll() {
  for (const { chart } of drawn.values()) chart.redraw(false, true);
}
document.addEventListener("DOMContentLoaded", () => {
  refreshAll();
  document.body.addEventListener("htmx:afterSettle", refreshAll);
});
document.addEventListener("schemechange", redrawAll);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redrawAll);
