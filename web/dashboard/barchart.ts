import uPlot from "uplot";
import { acrossAxis, fitted, FONT, labelAxis, valueAxis } from "./axes";
import type { BarData, HistogramData } from "./chart-data";
import { themed } from "./dom";
import { BLANK_HEIGHT, type Drawing, Stage } from "./stage";
import { grouped, withUnit } from "./words";

// Forty of them, the most that lie, fit on a sheet of paper.
const ROW = 22;
const ALIKE = 1e-6;

// From 0, however far the values are from it: the length of a bar is what is compared.
const fromZero =
  (room: number): uPlot.Range.Function =>
  (_chart, min, max) => {
    const low = Math.min(0, min ?? 0);
    const high = Math.max(0, max ?? 0);
    return low === high ? [0, 1] : [low * room, high * room];
  };

/** A bar for each label: upright where they stand in an order, else lying beside the names. */
export function drawBars(card: HTMLElement, data: BarData): Stage {
  const { labels, values, unit, upright } = data;
  const count = labels.length;
  const any = values.some((value) => value !== null);
  const written = values.map((value) => (value === null ? "" : short(value)));
  const stage = new Stage(card, [], [], data.title, {
    whole: [-0.5, Math.max(count, 1) - 0.5],
    closest: upright && count > 3 ? 3 : null,
    lying: !upright,
    unitX: upright ? "" : unit,
    unitY: upright ? unit : "",
    height: (width) => (!any ? BLANK_HEIGHT : upright ? height(width) : count * ROW + 40),
    data: () => [labels.map((_, at) => at), values],
    options: () => ({
      padding: [12, upright ? 16 : 56, 0, 0],
      y: { range: fromZero(1.06) },
      axes: [labelAxis(labels, upright), upright ? valueAxis() : acrossAxis()],
      cursor: { points: { show: false } },
      series: [{}, bars(uPlot.paths.bars?.({ size: [0.72, 56, 1] }))],
      ...(upright ? {} : { draw: (chart: uPlot) => drawValues(chart, values, written) }),
    }),
    stops: () => count,
    place: (at) => at,
    readable: (at) => values[at] !== null,
    stopAt: (_chart, x) => Math.max(0, Math.min(count - 1, Math.round(x))),
    content: (_chart, at) => {
      const value = values[at];
      const text = value == null ? "no value" : withUnit(grouped(value), unit);
      return labels[at] === undefined ? null : { head: labels[at], rows: [{ name: "", value: text }] };
    },
  });
  if (!any) stage.tell("No values.", true);
  return stage;
}

/** A bar for each class, as wide as the class. */
export function drawHistogram(card: HTMLElement, data: HistogramData): Stage {
  const { edges, counts, unit } = data;
  const count = counts.length;
  const whole: Drawing["whole"] = count ? [edges[0] as number, edges.at(-1) as number] : [0, 1];
  const widths = counts.map((_, at) => (edges[at + 1] as number) - (edges[at] as number));
  const alike = Math.max(...widths) - Math.min(...widths) <= ALIKE * (whole[1] - whole[0]);
  // uPlot's bars are all as wide as the narrowest: classes of different widths are drawn as steps.
  const paths = alike
    ? uPlot.paths.bars?.({ size: [1, Infinity, 1], gap: 1, align: 1 })
    : uPlot.paths.stepped?.({ align: 1 });
  const below = (x: number) => Math.max(0, Math.min(count - 1, edges.findLastIndex((edge) => edge <= x)));
  const total = counts.reduce((sum, one) => sum + one, 0);
  const stage = new Stage(card, [], [], data.title, {
    whole,
    closest: count > 3 ? Math.min(...widths) * 3 : null,
    lying: false,
    unitX: unit,
    unitY: "Count",
    height: (width) => (count ? height(width) : BLANK_HEIGHT),
    data: () => (count ? [edges, [...counts, alike ? null : (counts.at(-1) as number)]] : [[], []]),
    options: () => ({
      padding: [12, 16, 0, 0],
      y: { range: fromZero(1.06) },
      axes: [acrossAxis(), valueAxis()],
      cursor: { points: { show: false } },
      series: [{}, bars(paths)],
    }),
    stops: () => count,
    place: (at) => ((edges[at] as number) + (edges[at + 1] as number)) / 2,
    readable: () => true,
    stopAt: (_chart, x) => (count ? below(x) : null),
    content: (_chart, at) => ({
      head: `${grouped(edges[at] as number)} to ${withUnit(grouped(edges[at + 1] as number), unit)}`,
      rows: [{ name: "Count", value: `${grouped(counts[at] as number)} (${share(counts[at] as number, total)})` }],
    }),
  });
  if (count === 0) stage.tell("No values.", true);
  return stage;
}

function share(count: number, total: number): string {
  return `${(total ? (100 * count) / total : 0).toFixed(1)}%`;
}

function height(width: number): number {
  return Math.round(Math.min(280, Math.max(200, width * 0.42)));
}

function bars(paths: uPlot.Series.PathBuilder | undefined): uPlot.Series {
  return {
    ...(paths ? { paths } : {}),
    stroke: () => themed("--bar"),
    fill: () => themed("--bar"),
    width: 0,
    points: { show: false },
  };
}

/** Write the values behind the bars that lie. */
function drawValues(chart: uPlot, values: (number | null)[], written: string[]): void {
  const { ctx } = chart;
  ctx.save();
  ctx.font = fitted(FONT);
  ctx.fillStyle = themed("--text");
  ctx.textAlign = "left";
  ctx.textBaseline = "middle";
  values.forEach((value, at) => {
    if (value === null) return;
    const end = chart.valToPos(Math.max(value, 0), "y", true);
    ctx.fillText(written[at] ?? "", end + 6 * devicePixelRatio, chart.valToPos(at, "x", true));
  });
  ctx.restore();
}

const compact = new Intl.NumberFormat("en", { notation: "compact", maximumSignificantDigits: 4 });

function short(value: number): string {
  return Math.abs(value) >= 1e5 ? compact.format(value) : grouped(Number(value.toPrecision(4)));
}
