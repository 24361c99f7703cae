import uPlot from "uplot";
import { themed } from "./dom";

export const FONT = '12px system-ui, -apple-system, "Segoe UI", Roboto, sans-serif';
const few = new Intl.NumberFormat("en", { maximumSignificantDigits: 6 });
const large = new Intl.NumberFormat("en", { notation: "compact", maximumSignificantDigits: 4 });

function tick(value: number | null): string {
  if (value == null) return "";
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-4 || size >= 1e15)) return value.toExponential();
  return size >= 1e6 ? large.format(value) : few.format(value);
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
    values: (_chart, marks) => marks.map(tick),
  };
}

/** Values from left to right. */
export function acrossAxis(): uPlot.Axis {
  return { ...valueAxis(), side: 2, size: 26, space: 72 };
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
