import uPlot from "uplot";
import { themed } from "./dom";

export const FONT = '12px system-ui, -apple-system, "Segoe UI", Roboto, sans-serif';

function tick(value: number, digits: number): string {
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-4 || size >= 1e15)) return Number(value.toPrecision(digits)).toExponential();
  const notation = size >= 1e6 ? "compact" : "standard";
  return new Intl.NumberFormat("en", { notation, maximumSignificantDigits: digits }).format(value);
}

/** Labels in as few digits as tell them apart: of 9007199254740993 and its neighbours all are needed. */
export function ticks(marks: number[]): string[] {
  for (let digits = 4; ; digits++) {
    const labels = marks.map((mark) => tick(mark, digits));
    if (digits === 17 || new Set(labels).size === marks.length) return labels;
  }
}

/** Steps of 1, 2 and 5 times a power of ten, about as large as a range asks: uPlot's own end at 1e32. */
function steps(min: number, max: number): number[] {
  const power = Math.floor(Math.log10(max / 2 - min / 2));
  return [-3, -2, -1, 0, 1].flatMap((more) => [1, 2, 5].map((times) => Number(`${times}e${power + more}`)));
}

export function multiplesOf(step: number, min: number, max: number): number[] {
  const marks: number[] = [];
  for (let at = Math.ceil(min / step); at * step <= max && marks.length < 100; at++) {
    const mark = Number((at * step).toPrecision(15));
    // Far from 0 a step may be less than what a double can tell apart.
    const next = mark >= min && mark <= max && Math.abs(mark) < 1e15 ? mark : at * step;
    if (marks.length === 0 || next > (marks.at(-1) as number)) marks.push(next);
    if (at + 1 === at) break;
  }
  return marks;
}

/** Wide enough for its labels. */
function width(chart: uPlot, labels: string[] | null, axis: number, cycle: number): number {
  const last = (chart.axes[axis] as { _size?: number })._size;
  if (cycle > 1 && last) return last;
  chart.ctx.font = FONT;
  const most = Math.max(0, ...(labels ?? []).map((label) => chart.ctx.measureText(label).width));
  // The canvas is in device pixels only while uPlot draws; outside it measures in CSS pixels.
  return Math.ceil(most) + 16;
}

/** A font in device pixels, as the canvas has them. */
export function fitted(font: string): string {
  return font.replace(/\d+(?=px)/, (size) => String(Number(size) * devicePixelRatio));
}

const common = (): Pick<uPlot.Axis, "font" | "stroke" | "grid" | "ticks"> => ({
  font: FONT,
  stroke: () => themed("--muted"),
  grid: { stroke: () => themed("--grid"), width: 1 },
  ticks: { show: false },
});

const DAY_STEPS = [1, 2, 3, 5, 7, 10, 15, 30, 60, 90, 180, 365, 730, 1825, 3650, 9125, 18250, 36500];
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/** Days at which to put a label: days, firsts of months, or firsts of years, as wide as `step` days asks. */
export function dayMarks(min: number, max: number, step: number): number[] {
  const marks: number[] = [];
  if (step < 30) {
    for (let day = Math.ceil(min / step) * step; day <= max; day += step) marks.push(day);
    return marks;
  }
  const months = step < 365 ? Math.round(step / 30) : Math.round(step / 365) * 12;
  const start = new Date(min * 86_400_000);
  for (let month = Math.floor((start.getUTCFullYear() * 12 + start.getUTCMonth()) / months) * months; ; month += months) {
    const day = firstOf(month);
    if (day > max) return marks;
    if (day >= min) marks.push(day);
  }
}

/** Days since 1970 of the first of a month counted from the year 0; Date.UTC would take the years 0 to 99 for 19xx. */
function firstOf(month: number): number {
  const date = new Date(0);
  date.setUTCFullYear(Math.floor(month / 12), month % 12, 1);
  return date.getTime() / 86_400_000;
}

/** Labels of the marks; the year stands below the first of them and wherever it changes. */
function dayLabels(marks: number[], step: number): string[] {
  let year = NaN;
  return marks.map((day) => {
    const date = new Date(day * 86_400_000);
    const now = date.getUTCFullYear();
    if (step >= 365) return String(now);
    const month = MONTHS[date.getUTCMonth()] ?? "";
    const text = step >= 30 ? month : `${date.getUTCDate()} ${month}`;
    const label = now === year ? text : `${text}\n${now}`;
    year = now;
    return label;
  });
}

export function dayAxis(): uPlot.Axis {
  return {
    ...common(),
    incrs: DAY_STEPS,
    space: 64,
    size: 44,
    splits: (_chart, _axis, min, max, step) => dayMarks(min, max, step),
    values: (_chart, marks, _axis, _space, step) => dayLabels(marks, step),
  };
}

export function valueAxis(): uPlot.Axis {
  return {
    ...common(),
    size: (chart, labels, axis, cycle) => width(chart, labels, axis, cycle),
    incrs: (_chart, _axis, min, max) => steps(min, max),
    splits: (_chart, _axis, min, max, step) => multiplesOf(step, min, max),
    values: (_chart, marks) => ticks(marks),
  };
}

/** Values from left to right. */
export function acrossAxis(): uPlot.Axis {
  return {
    ...valueAxis(),
    side: 2,
    size: 26,
    // A label that would be cut at an edge of the chart is left out.
    values: (chart, marks, axis) => ticks(marks).map((label, at) => (fits(chart, axis, marks[at] as number, label) ? label : "")),
    // As wide as the labels are that a dozen marks would have.
    space: (chart, _axis, min, max) => Math.max(72, ...measured(chart, ticks(dozen(min, max))).map((size) => size + 16)),
  };
}

/** Labels of bars: below those that stand, as many as fit; beside each of those that lie, cut to a third of the width. */
export function labelAxis(labels: string[], upright: boolean): uPlot.Axis {
  const whole = (marks: number[]) => marks.map((mark) => labels[mark] ?? "");
  if (upright) {
    return {
      ...common(),
      grid: { show: false },
      size: 32,
      space: (chart) => Math.max(...measured(chart, labels)) + 16,
      incrs: [1, 2, 3, 4, 6, 12, 24, 36, 48, 60, 120, 240, 480],
      splits: (_chart, _axis, min, max, step) => multiples(min, max, step),
      values: (_chart, marks) => whole(marks),
    };
  }
  return {
    ...common(),
    grid: { show: false },
    stroke: () => themed("--text"),
    side: 3,
    space: 1,
    incrs: [1],
    splits: (_chart, _axis, min, max) => multiples(min, max, 1),
    values: (chart, marks) => whole(marks).map((label) => cut(chart, label, chart.width / 3)),
    size: (chart, texts, axis, cycle) => width(chart, texts, axis, cycle),
  };
}

function fits(chart: uPlot, axis: number, mark: number, label: string): boolean {
  const left = chart.bbox.left / devicePixelRatio;
  const at = left + chart.valToPos(mark, chart.axes[axis]?.scale ?? "x");
  const half = (measured(chart, [label])[1] ?? 0) / 2;
  return !left || (at - half >= 0 && at + half <= chart.width);
}

function dozen(min: number, max: number): number[] {
  return Array.from({ length: 13 }, (_, at) => min + (max / 12 - min / 12) * at);
}

function multiples(min: number, max: number, step: number): number[] {
  const marks: number[] = [];
  for (let at = Math.ceil(min / step) * step; at <= max; at += step) marks.push(at);
  return marks;
}

function measured(chart: uPlot, labels: string[]): number[] {
  chart.ctx.font = FONT;
  return [0, ...labels.map((label) => chart.ctx.measureText(label).width)];
}

/** Cut in the middle: names of one family differ at their ends. */
function cut(chart: uPlot, label: string, most: number): string {
  chart.ctx.font = FONT;
  const letters = [...label];
  let text = label;
  for (let kept = letters.length - 1; kept > 1 && chart.ctx.measureText(text).width > most; kept--) {
    text = `${letters.slice(0, Math.ceil(kept / 2)).join("")}\u2026${letters.slice(-Math.floor(kept / 2)).join("")}`;
  }
  return text;
}
