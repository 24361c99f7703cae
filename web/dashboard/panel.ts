import uPlot from "uplot";
import { dayAxis, valueAxis } from "./axes";
import { align, type Aligned, magnitude, type Panel, type Series } from "./data";
import { button, element } from "./dom";
import { Legend } from "./legend";
import { colour, dash } from "./lines";
import { nearest, Readout } from "./readout";

const DIFFERENT = 50;
const ROOM_FOR_POINTS = 10;

export interface PanelView {
  /** Draw anew in the theme of the moment, to a width in CSS pixels or to that of the panel. */
  fit(width?: number): void;
}

/** Draw a panel's chart below its heading, with its legend and its buttons. */
export function drawPanel(root: HTMLElement, panel: Panel): PanelView {
  const place = root.querySelector<HTMLElement>(".chart") as HTMLElement;
  const bar = root.querySelector<HTMLElement>(".bar") as HTMLElement;
  const heading = root.getAttribute("aria-labelledby") ?? "";
  const empty = element("p", "empty");
  const readout = new Readout(panel.series);
  const legend = new Legend(panel.series, heading, showLines);
  const reset = button("Reset zoom");
  const log = button("Log scale", "switch");
  const logNote = element("p", "note");
  const plot = element("div", "plot");
  let isLog = startsLog(panel);
  let chart: uPlot;

  place.replaceChildren(legend.root, logNote, plot);
  bar.append(element("div", "actions", "", [log, reset]));
  plot.tabIndex = 0;
  plot.role = "group";
  plot.setAttribute("aria-label", `Chart of ${panel.title}. Left and right arrow keys read the values.`);
  log.hidden = !different(panel.series);

  log.addEventListener("click", () => {
    isLog = !isLog;
    showScale("");
    const { min, max } = chart.scales.x ?? {};
    build();
    if (min != null && max != null) chart.setScale("x", { min, max });
  });
  reset.addEventListener("click", () => chart.setData(chart.data, true));
  plot.addEventListener("keydown", (event) => moveByKey(event));
  plot.addEventListener("blur", () => readout.hide());

  showScale("A log scale at first, because the lines differ more than fifty times in magnitude.");
  build();
  new ResizeObserver(() => resize(plot.clientWidth)).observe(plot);

  return {
    fit(width) {
      resize(width ?? plot.clientWidth);
      chart.redraw(false, true);
    },
  };

  function build(): void {
    chart?.destroy();
    const data = align(panel.series, isLog);
    chart = new uPlot(options(data), data as uPlot.AlignedData, plot);
    readout.mount(chart, plot);
    chart.over.append(empty);
    showLines();
  }

  function options(data: Aligned): uPlot.Options {
    return {
      ...size(plot.clientWidth),
      legend: { show: false },
      padding: [12, 24, 0, 0],
      scales: { x: { time: false, range: paddedDays }, y: isLog ? { distr: 3 } : {} },
      axes: [dayAxis(), valueAxis()],
      cursor: {
        y: false,
        dataIdx: nearest,
        drag: { x: true, y: false, dist: 6 },
        points: { size: 7 },
      },
      series: [
        {},
        ...panel.series.map((one, at): uPlot.Series => {
          const alone = lonely(data[at + 1] ?? []);
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
              show: (chart, line, from, to) => hasRoom(chart, line, from, to),
              filter: (_chart, _line, all) => (all ? null : alone),
            },
          };
        }),
      ],
      hooks: {
        setCursor: [(chart) => readout.show(chart, false)],
        setScale: [(chart, key) => key === "x" && showZoom(chart)],
      },
    };
  }

  function showLines(): void {
    chart.batch(() => {
      legend.on.forEach((on, at) => {
        if (chart.series[at + 1]?.show !== on) chart.setSeries(at + 1, { show: on });
      });
    });
    const any = panel.series.some((one) => one.days.length > 0);
    empty.hidden = any && legend.on.some((on) => on);
    empty.textContent = any ? "No line is switched on." : "No values.";
  }

  /** `why` stands beside a log scale. */
  function showScale(why: string): void {
    const hides = panel.series.some((one) => one.values.some((value) => value <= 0));
    const lost = hides ? "Without the values that are zero or below: a log scale has no place for them." : "";
    log.setAttribute("aria-pressed", String(isLog));
    logNote.textContent = `${why} ${lost}`.trim();
    logNote.hidden = !isLog || logNote.textContent === "";
  }

  function showZoom(chart: uPlot): void {
    const { min, max } = chart.scales.x ?? {};
    const days = chart.data[0];
    reset.disabled = (min ?? -Infinity) <= (days[0] ?? Infinity) && (max ?? Infinity) >= (days.at(-1) ?? -Infinity);
  }

  function resize(width: number): void {
    if (width > 0) chart.setSize(size(width));
  }

  function moveByKey(event: KeyboardEvent): void {
    const days = chart.data[0];
    const here = chart.cursor.idx;
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (event.key === "Escape") {
      chart.setCursor({ left: -10, top: -10 });
      return;
    }
    if (step === undefined) return;
    event.preventDefault();
    const { min = -Infinity, max = Infinity } = chart.scales.x ?? {};
    const read = (at: number) => legend.on.some((on, line) => on && chart.data[line + 1]?.[at] != null);
    const seen = (at: number) => (days[at] ?? Infinity) >= (min ?? -Infinity) && (days[at] ?? Infinity) <= (max ?? Infinity);
    let at = here == null || (chart.cursor.left ?? -1) < 0 ? (step > 0 ? -1 : days.length) : here;
    do at += step;
    while (at >= 0 && at < days.length && !(seen(at) && read(at)));
    if (at < 0 || at >= days.length) return;
    chart.setCursor({ left: chart.valToPos(days[at] as number, "x"), top: 10 });
    readout.show(chart, true);
  }
}

function size(width: number): { width: number; height: number } {
  const wide = Math.max(width, 200);
  return { width: wide, height: Math.round(Math.min(380, Math.max(260, wide * 0.38))) };
}

/** A day of room on both sides of a single date, which uPlot would show among a hundred years; none else. */
function paddedDays(chart: uPlot, min: number | null, max: number | null): uPlot.Range.MinMax {
  const days = chart.data[0];
  if (days.length === 1) return [(days[0] as number) - 1, (days[0] as number) + 1];
  return min == null || max == null ? [0, 1] : [min, max];
}

/** Whether the lines differ so much in magnitude that the smaller ones lie flat. */
function different(series: Series[]): boolean {
  const sizes = series.filter((one) => one.values.some((value) => value > 0)).map(magnitude);
  return Math.max(...sizes) > DIFFERENT * Math.min(...sizes);
}

/** A log scale from the start, where the lines of the first view need one and all of their values have a place on it. */
function startsLog(panel: Panel): boolean {
  const on = panel.series.filter((one) => one.on);
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
