import type uPlot from "uplot";
import { dayAxis, valueAxis } from "./axes";
import { align, type Lines, magnitude, type Series } from "./data";
import { button, element } from "./dom";
import { Legend } from "./legend";
import { colour, dash, swatch } from "./lines";
import type { Content } from "./readout";
import { BLANK_HEIGHT, type Drawing, Stage } from "./stage";
import { type InSight, valuesTable } from "./values";
import { isoDay, shortest, withUnit } from "./words";

const DIFFERENT = 50;
const ROOM_FOR_POINTS = 10;
const NEAR_PIXELS = 14;

/** Lines over days, with a legend that switches them, and a log scale where they need one. */
export function drawLines(card: HTMLElement, data: Lines): Stage {
  const { series, title, unit } = data;
  const legend = new Legend(series, card.getAttribute("aria-labelledby") ?? "", showLines);
  const log = button("Log scale", "switch");
  const logNote = element("p", "note");
  const any = series.some((one) => one.days.length > 0);
  const days = align(series, false)[0];
  const [first = 0, last = 1] = [days[0], days.at(-1)];
  let isLog = startsLog(series);
  let aligned = align(series, isLog);
  log.hidden = !different(series);
  showScale("A log scale at first, because the lines differ more than fifty times in magnitude.");

  const drawing: Drawing = {
    // A day of room on both sides of a single date, which uPlot would show among a hundred years.
    whole: first === last ? [first - 1, last + 1] : [first, last],
    closest: days.length > 1 ? 1 : null,
    lying: false,
    unitX: "",
    unitY: unit,
    height: (width) => (any ? Math.round(Math.min(380, Math.max(260, width * 0.38))) : BLANK_HEIGHT),
    data: () => aligned as uPlot.AlignedData,
    options: () => ({
      padding: [12, 24, 0, 0],
      y: isLog ? { distr: 3 } : {},
      axes: [dayAxis(), valueAxis()],
      cursor: { dataIdx: nearest, points: { size: 7 } },
      series: [{}, ...series.map(line)],
    }),
    stops: () => aligned[0].length,
    place: (at) => aligned[0][at] as number,
    readable: (at) => legend.on.some((on, line) => on && aligned[line + 1]?.[at] != null),
    stopAt: (chart) => chart.cursor.idx ?? null,
    content,
  };
  const stage = new Stage(card, [legend.root, logNote], [log], title, drawing);
  showLines();
  card.append(valuesTable(title, unit, inSight, () => aligned));
  log.addEventListener("click", () => {
    isLog = !isLog;
    aligned = align(series, isLog);
    showScale("");
    stage.build();
    showLines();
  });
  return stage;

  function line(one: Series, at: number): uPlot.Series {
    if (one.marks) {
      return {
        label: one.name,
        show: legend.on[at] ?? true,
        stroke: () => colour(one),
        paths: () => null,
        points: { size: 11, width: 2, stroke: () => colour(one), fill: "transparent", show: true },
      };
    }
    const alone = lonely(aligned[at + 1] ?? []);
    return {
      label: one.name,
      show: legend.on[at] ?? true,
      stroke: () => colour(one),
      width: 1.75,
      dash: dash(one),
      points: {
        size: 5,
        width: 0,
        fill: () => colour(one),
        show: hasRoom,
        filter: (_chart, _line, all) => (all ? null : alone),
      },
    };
  }

  function inSight(): InSight {
    const { min, max } = stage.chart.scales.x ?? {};
    const lines = series.flatMap((one, at) => (legend.on[at] ? [{ name: one.name, row: at + 1 }] : []));
    return { from: min ?? first, to: max ?? last, lines };
  }

  function showLines(): void {
    const { chart } = stage;
    chart.batch(() => {
      legend.on.forEach((on, at) => {
        if (chart.series[at + 1]?.show !== on) chart.setSeries(at + 1, { show: on });
      });
    });
    if (!any) stage.tell("No values.", true);
    else stage.tell(legend.on.some((on) => on) ? "" : "No line is switched on.");
  }

  /** `why` stands beside a log scale. */
  function showScale(why: string): void {
    const hides = series.some((one) => one.values.some((value) => value <= 0));
    const lost = hides ? "Without the values that are zero or below: a log scale has no place for them." : "";
    log.setAttribute("aria-pressed", String(isLog));
    logNote.textContent = `${why} ${lost}`.trim();
    logNote.hidden = !isLog || logNote.textContent === "";
  }

  /** The values of the lines that are on, each the nearest to the cursor; a day that is another one stands with it. */
  function content(chart: uPlot): Content | null {
    const { left = -1, idxs = [] } = chart.cursor;
    const found = series.flatMap((one, at) => {
      const index = idxs[at + 1];
      const value = index == null ? null : chart.data[at + 1]?.[index];
      if (!chart.series[at + 1]?.show || index == null || value == null) return [];
      return [{ one, day: chart.data[0][index] as number, value }];
    });
    if (found.length === 0) return null;
    const target = chart.posToVal(left, "x");
    const day = found.reduce((best, { day }) => (Math.abs(day - target) < Math.abs(best - target) ? day : best), Infinity);
    return {
      head: isoDay(day),
      rows: found.map(({ one, day: own, value }) => ({
        mark: swatch(one),
        name: one.name,
        ...(own === day ? {} : { detail: isoDay(own) }),
        value: withUnit(shortest(value), unit),
      })),
    };
  }
}

/** Index of the value of a line nearest to the cursor, or null where none is near. */
function nearest(chart: uPlot, line: number, at: number, day: number): number | null {
  if (line === 0) return at;
  const days = chart.data[0];
  const values = chart.data[line] ?? [];
  const reach = (NEAR_PIXELS * ((chart.scales.x?.max ?? 0) - (chart.scales.x?.min ?? 0))) / Math.max(chart.width, 1);
  const within = (index: number) => Math.abs((days[index] ?? Infinity) - day) <= reach;
  if (values[at] != null) return at;
  for (let step = 1; ; step++) {
    const left = at - step;
    const right = at + step;
    const leftIn = within(left);
    const rightIn = within(right);
    if (!leftIn && !rightIn) return null;
    const leftThere = leftIn && values[left] != null;
    const rightThere = rightIn && values[right] != null;
    if (leftThere && rightThere) {
      return day - (days[left] as number) <= (days[right] as number) - day ? left : right;
    }
    if (leftThere) return left;
    if (rightThere) return right;
  }
}

/** Whether the lines differ so much in magnitude that the smaller ones lie flat. */
function different(series: Series[]): boolean {
  const sizes = series.filter((one) => one.values.some((value) => value > 0)).map(magnitude);
  return Math.max(...sizes) > DIFFERENT * Math.min(...sizes);
}

/** A log scale from the start, where the lines of the first view need one and all of their values have a place on it. */
function startsLog(series: Series[]): boolean {
  const on = series.filter((one) => one.on);
  return different(on) && on.every((one) => !one.values.some((value) => value <= 0));
}

/** Places of the values that have no neighbour to draw a line to. */
function lonely(row: (number | null | undefined)[]): number[] {
  const there = row.flatMap((value, at) => (value === undefined ? [] : [at]));
  return there.filter((at, n) => {
    const before = there[n - 1];
    const after = there[n + 1];
    return (
      row[at] !== null &&
      (before === undefined || row[before] === null) &&
      (after === undefined || row[after] === null)
    );
  });
}

/** Whether the values in sight lie far enough apart for each to have its dot. */
function hasRoom(chart: uPlot, line: number, from: number, to: number): boolean {
  const row = chart.data[line] ?? [];
  let there = 0;
  for (let at = from; at <= to; at++) if (row[at] != null) there++;
  return there * ROOM_FOR_POINTS < chart.over.clientWidth;
}
