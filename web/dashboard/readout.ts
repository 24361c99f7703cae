import type uPlot from "uplot";
import { isoDay, shortest, type Series } from "./data";
import { element } from "./dom";
import { swatch } from "./lines";

const NEAR_PIXELS = 14;
const MAX_ROWS = 14;

/** Index of the value of a line nearest to the cursor, or null where none is near. */
export function nearest(chart: uPlot, line: number, at: number, day: number): number | null {
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

/** The box beside the cursor: the date and the value of each line that is on. */
export class Readout {
  readonly box = element("div", "readout");
  private readonly live = element("p", "vh");

  constructor(private readonly series: Series[]) {
    this.box.hidden = true;
    this.box.setAttribute("aria-hidden", "true");
    this.live.setAttribute("aria-live", "polite");
  }

  /** `speak` sends the same to a screen reader, when the cursor was moved by key. */
  show(chart: uPlot, speak: boolean): void {
    const { left = -1, idx, idxs = [] } = chart.cursor;
    const days = chart.data[0];
    const found: { series: Series; day: number; value: number }[] = [];
    this.series.forEach((series, line) => {
      const at = idxs[line + 1];
      const value = at == null ? null : chart.data[line + 1]?.[at];
      if (chart.series[line + 1]?.show && at != null && value != null) {
        found.push({ series, day: days[at] as number, value });
      }
    });
    if (left < 0 || idx == null || found.length === 0) {
      this.box.hidden = true;
      return;
    }
    const day = found.reduce((best, one) => {
      const target = chart.posToVal(left, "x");
      return Math.abs(one.day - target) < Math.abs(best - target) ? one.day : best;
    }, Infinity);
    const rows = found.slice(0, MAX_ROWS).map((one) => {
      const name = element("span", "name", one.series.name);
      if (one.day !== day) name.append(element("small", "", ` ${isoDay(one.day)}`));
      return element("div", "", "", [swatch(one.series), name, element("b", "", shortest(one.value))]);
    });
    if (found.length > MAX_ROWS) rows.push(element("div", "", `and ${found.length - MAX_ROWS} more`));
    this.box.replaceChildren(element("strong", "", isoDay(day)), ...rows);
    this.box.hidden = false;
    const width = chart.over.clientWidth;
    const own = this.box.offsetWidth;
    const right = left + 16 + own <= width ? left + 16 : left - 16 - own;
    this.box.style.left = `${Math.max(0, Math.min(right, width - own))}px`;
    if (speak) {
      const said = found.map((one) => `${one.series.name} ${shortest(one.value)}`).join(", ");
      this.live.textContent = `${isoDay(day)}: ${said}`;
    }
  }

  hide(): void {
    this.box.hidden = true;
  }

  mount(chart: uPlot, root: HTMLElement): void {
    chart.over.append(this.box);
    root.append(this.live);
  }
}
