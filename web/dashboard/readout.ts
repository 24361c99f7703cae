import type uPlot from "uplot";
import { element } from "./dom";

const MAX_ROWS = 14;

export interface Row {
  mark?: SVGSVGElement;
  name: string;
  /** Small print behind the name. */
  detail?: string;
  value: string;
}

export interface Content {
  head: string;
  rows: Row[];
}

/** The box beside the cursor, and the same in words for a screen reader. */
export class Readout {
  private readonly box = element("div", "readout");
  private readonly live = element("p", "vh");

  constructor() {
    this.box.hidden = true;
    this.box.setAttribute("aria-hidden", "true");
    this.live.setAttribute("aria-live", "polite");
  }

  /** Show it beside the cursor; `follows` it down as well where bars lie. */
  show(chart: uPlot, content: Content | null, follows: boolean): void {
    const { left = -1, top = -1 } = chart.cursor;
    if (left < 0 || content === null) {
      this.hide();
      return;
    }
    const rows = content.rows.slice(0, MAX_ROWS).map((one) => {
      const value = element("b", "", one.value);
      if (one.name === "") return element("div", "", "", [value]);
      const name = element("span", "name", one.name);
      if (one.detail) name.append(element("small", "", ` ${one.detail}`));
      return element("div", "", "", [...(one.mark ? [one.mark] : []), name, value]);
    });
    if (content.rows.length > MAX_ROWS) rows.push(element("div", "", `and ${content.rows.length - MAX_ROWS} more`));
    this.box.replaceChildren(element("strong", "", content.head), ...rows);
    this.box.hidden = false;
    const { clientWidth, clientHeight } = chart.over;
    const { offsetWidth, offsetHeight } = this.box;
    const beside = left + 16 + offsetWidth <= clientWidth ? left + 16 : left - 16 - offsetWidth;
    this.box.style.left = `${Math.max(0, Math.min(beside, clientWidth - offsetWidth))}px`;
    this.box.style.top = follows ? `${Math.max(0, Math.min(top + 12, clientHeight - offsetHeight))}px` : "0";
  }

  speak(content: Content | null): void {
    if (content === null) return;
    const said = content.rows.map((one) => `${one.name} ${one.value}`.trim()).join(", ");
    this.live.textContent = `${content.head}: ${said}`;
  }

  hide(): void {
    this.box.hidden = true;
  }

  mount(chart: uPlot, root: HTMLElement): void {
    chart.over.append(this.box);
    root.append(this.live);
  }
}
