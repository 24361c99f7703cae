import uPlot from "uplot";
import { button, element } from "./dom";
import { type Content, Readout } from "./readout";

/** Of a chart without values, which has only to say so. */
export const BLANK_HEIGHT = 96;
const STEP = 0.6;

type Move = "previous" | "next" | "first" | "last";
const MOVES: Record<string, Move> = { ArrowLeft: "previous", ArrowRight: "next", Home: "first", End: "last" };

/** What differs from one kind of chart to another. */
export interface Drawing {
  /** First and last place on the x scale. */
  whole: [number, number];
  /** The least that zooming shows of the x scale; null where nothing is to be zoomed. */
  closest: number | null;
  /** Bars that lie have their x scale from top to bottom. */
  lying: boolean;
  unitX: string;
  unitY: string;
  height(width: number): number;
  data(): uPlot.AlignedData;
  options(): Pick<uPlot.Options, "axes" | "series" | "padding"> & {
    y: uPlot.Scale;
    cursor: uPlot.Cursor;
    draw?: (chart: uPlot) => void;
  };
  /** How many places the arrow keys go through, where each is, and whether there is anything to read. */
  stops(): number;
  place(at: number): number;
  readable(at: number): boolean;
  /** The stop below the cursor. */
  stopAt(chart: uPlot, x: number): number | null;
  content(chart: uPlot, at: number): Content | null;
}

/** A chart with what every chart has: reading by mouse and by key, zoom, a new size or theme. */
export class Stage {
  chart!: uPlot;
  private readonly empty = element("p", "empty");
  private readonly plot = element("div", "plot");
  private readonly readout = new Readout();
  private readonly zoomed: HTMLButtonElement[] = [];

  constructor(
    card: HTMLElement,
    before: HTMLElement[],
    actions: HTMLElement[],
    title: string,
    private readonly drawing: Drawing,
  ) {
    const zooms = drawing.closest !== null;
    const keys = zooms ? "Arrow keys read the values, plus and minus zoom, Escape shows all." : "Arrow keys read the values.";
    this.plot.tabIndex = 0;
    this.plot.role = "application";
    this.plot.setAttribute("aria-roledescription", "chart");
    this.plot.setAttribute("aria-label", `${title}. ${keys}`);
    const heading = card.getAttribute("aria-labelledby") ?? "";
    this.plot.setAttribute("aria-describedby", `${heading}-text`);
    const units = [drawing.unitY ? element("p", "unit", drawing.unitY) : null, this.plot];
    const below = drawing.unitX ? [element("p", "unit below", drawing.unitX)] : [];
    card
      .querySelector(".chart")
      ?.replaceChildren(...before, ...units.filter((one) => one !== null), ...below);
    card.querySelector(".bar")?.append(element("div", "actions", "", [...actions, ...(zooms ? [this.zoomButtons()] : [])]));
    this.plot.addEventListener("keydown", (event) => this.key(event));
    this.plot.addEventListener("blur", () => this.readout.hide());
    if (zooms) this.plot.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
    this.build();
    new ResizeObserver(() => this.resize(this.plot.clientWidth)).observe(this.plot);
  }

  /** Draw from the beginning, with what is in sight kept. */
  build(): void {
    const { min, max } = this.chart?.scales.x ?? {};
    this.chart?.destroy();
    this.chart = new uPlot(this.options(), this.drawing.data(), this.plot);
    this.readout.mount(this.chart, this.plot);
    this.chart.over.append(this.empty);
    if (min != null && max != null) this.setScale(min, max);
  }

  /** Say why nothing is drawn, or with no text that something is; `blank` where there are no values for axes either. */
  tell(text: string, blank = false): void {
    this.empty.hidden = text === "";
    this.empty.textContent = text;
    this.plot.classList.toggle("blank", blank);
  }

  /** Draw anew in the theme and to the width of the moment. */
  fit(): void {
    this.resize(this.plot.clientWidth);
    this.chart.redraw(false, true);
  }

  private options(): uPlot.Options {
    const { y, cursor, draw, ...own } = this.drawing.options();
    const zooms = this.drawing.closest !== null;
    const { lying } = this.drawing;
    return {
      ...this.size(this.plot.clientWidth),
      legend: { show: false },
      ...own,
      scales: {
        x: { time: false, range: (chart, min, max) => this.within(chart, min, max), ...(lying ? { ori: 1, dir: -1 } : {}) },
        y: { ...y, ...(lying ? { ori: 0 } : {}) },
      },
      cursor: {
        x: !lying,
        y: false,
        drag: { x: zooms, y: false, dist: 6 },
        bind: { dblclick: () => () => (this.reset(), null) },
        ...cursor,
      },
      hooks: {
        setCursor: [() => this.show()],
        setScale: [(_chart, key) => key === "x" && this.showZoom()],
        draw: draw ? [draw] : [],
      },
    };
  }

  private size(width: number): { width: number; height: number } {
    const wide = Math.max(width, 200);
    return { width: wide, height: this.drawing.height(wide) };
  }

  private resize(width: number): void {
    if (width > 0) this.chart.setSize(this.size(width));
  }

  /** Never beyond the whole, and all of it where every value is in sight. */
  private within(chart: uPlot, min: number | null, max: number | null): uPlot.Range.MinMax {
    const [first, last] = this.drawing.whole;
    const x = chart.data[0];
    if (min == null || max == null || (min <= (x[0] ?? 0) && max >= (x.at(-1) ?? 0))) return [first, last];
    return [Math.max(min, first), Math.min(max, last)];
  }

  private cursorStop(): number | null {
    const { left = -1, top = -1 } = this.chart.cursor;
    if (left < 0) return null;
    return this.drawing.stopAt(this.chart, this.chart.posToVal(this.drawing.lying ? top : left, "x"));
  }

  private content(): Content | null {
    const at = this.cursorStop();
    return at === null ? null : this.drawing.content(this.chart, at);
  }

  private show(): void {
    this.readout.show(this.chart, this.content(), this.drawing.lying);
  }

  private zoomButtons(): HTMLElement {
    const named = (text: string, name: string, title: string, press: () => void): HTMLButtonElement => {
      const made = button(text);
      made.ariaLabel = name;
      made.title = title;
      made.addEventListener("click", press);
      return made;
    };
    this.zoomed.push(
      named("\u2212", "Zoom out", "Zoom out", () => this.zoom(1 / STEP)),
      named("\u21ba", "Reset zoom", "Show all: also by a double-click", () => this.reset()),
    );
    return element("span", "zoom", "", [
      this.zoomed[0] as Node,
      named("+", "Zoom in", "Zoom in: also by dragging, or by the wheel with Ctrl", () => this.zoom(STEP)),
      this.zoomed[1] as Node,
    ]);
  }

  private showZoom(): void {
    const { min, max } = this.chart.scales.x ?? {};
    const [first, last] = this.drawing.whole;
    const all = min == null || max == null || (min <= first && max >= last);
    for (const one of this.zoomed) one.disabled = all;
  }

  private reset(): void {
    this.setScale(...this.drawing.whole);
  }

  /** Show `factor` times as much as now, around `centre` or the middle. */
  private zoom(factor: number, centre?: number): void {
    const { closest, whole } = this.drawing;
    const { min, max } = this.chart.scales.x ?? {};
    if (closest === null || min == null || max == null) return;
    const still = centre ?? (min + max) / 2;
    const span = Math.min(Math.max((max - min) * factor, closest), whole[1] - whole[0]);
    this.look(still - ((still - min) / (max - min)) * span, span);
  }

  /** Look at `span` of the x scale from `start` on, as far as there is any. */
  private look(start: number, span: number): void {
    const [first, last] = this.drawing.whole;
    const min = Math.max(first, Math.min(start, last - span));
    this.setScale(min, min + span);
  }

  /** At once, so that what comes next can ask where things are. */
  private setScale(min: number, max: number): void {
    this.chart.batch(() => this.chart.setScale("x", { min, max }));
  }

  /** With Ctrl alone, as maps do: a wheel that is turned to read on must not stick in a chart. A pinch sends Ctrl too. */
  private wheel(event: WheelEvent): void {
    if (!event.ctrlKey && !event.metaKey) return;
    event.preventDefault();
    const left = event.clientX - this.chart.over.getBoundingClientRect().left;
    this.zoom(Math.exp(Math.max(-1, Math.min(1, event.deltaY / 100)) * 0.4), this.chart.posToVal(left, "x"));
  }

  private key(event: KeyboardEvent): void {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const vertical: Record<string, Move> = this.drawing.lying ? { ArrowUp: "previous", ArrowDown: "next" } : {};
    const move = { ...MOVES, ...vertical }[event.key];
    if (move !== undefined) this.move(move);
    else if (event.key === "+" || event.key === "=") this.zoomAtCursor(STEP);
    else if (event.key === "-") this.zoomAtCursor(1 / STEP);
    else if (event.key === "Escape") {
      this.reset();
      this.chart.setCursor({ left: -10, top: -10 });
    } else return;
    event.preventDefault();
  }

  private zoomAtCursor(factor: number): void {
    const at = this.cursorStop();
    this.zoom(factor, at === null ? undefined : this.drawing.place(at));
    if (at !== null) this.put(at);
  }

  /** Go on to the next place with a value, and look there where it is out of sight. */
  private move(move: Move): void {
    const { drawing } = this;
    const count = drawing.stops();
    const forward = move === "next" || move === "first";
    const here = move === "next" || move === "previous" ? this.cursorStop() : null;
    let at = here ?? (forward ? -1 : count);
    do at += forward ? 1 : -1;
    while (at >= 0 && at < count && !drawing.readable(at));
    if (at < 0 || at >= count) return;
    const { min, max } = this.chart.scales.x ?? {};
    const place = drawing.place(at);
    if (min != null && max != null && (place < min || place > max)) this.look(place - (max - min) / 2, max - min);
    this.put(at);
    this.readout.speak(this.content());
  }

  /** Put the cursor there, in the middle of the other direction. */
  private put(at: number): void {
    const along = this.chart.valToPos(this.drawing.place(at), "x");
    this.chart.setCursor(this.drawing.lying ? { left: 10, top: along } : { left: along, top: 10 });
  }
}
