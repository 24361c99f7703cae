import type { Aligned } from "./data";
import { element } from "./dom";
import { enhanceTable } from "./table";
import { isoDay, shortest } from "./words";

const MOST = 1000;

export interface InSight {
  from: number;
  to: number;
  /** Name and place among the aligned rows of each line that is on. */
  lines: { name: string; row: number }[];
}

/** A table of the drawn values, folded away; made anew of what is in sight whenever it is opened. */
export function valuesTable(title: string, unit: string, inSight: () => InSight, aligned: () => Aligned): HTMLElement {
  const place = element("div");
  const folded = element("details", "", "", [element("summary", "", "The values in sight"), place]);
  folded.addEventListener("toggle", () => {
    place.replaceChildren();
    if (folded.open) fill(place, `Values: ${title}`, unit, inSight(), aligned());
  });
  return folded;
}

function fill(place: HTMLElement, caption: string, unit: string, { from, to, lines }: InSight, data: Aligned): void {
  const days = data[0];
  const shown = days.flatMap((day, at) =>
    day >= from && day <= to && lines.some(({ row }) => data[row]?.[at] != null) ? [at] : [],
  );
  const heads = ["Date", ...lines.map(({ name }) => (unit ? `${name} (${unit})` : name))];
  const head = element("tr", "", "", heads.map((text, at) => heading(text, "col", at > 0)));
  const rows = shown.slice(0, MOST).map((at) => {
    const cells = lines.map(({ row }) => cell(data[row]?.[at]));
    return element("tr", "", "", [heading(isoDay(days[at] as number), "row", false), ...cells]);
  });
  const table = element("table", "", "", [element("thead", "", "", [head]), element("tbody", "", "", rows)]);
  const scroll = element("div", "scroll", "", [table]);
  scroll.tabIndex = 0;
  scroll.role = "region";
  scroll.ariaLabel = caption;
  const cut = shown.length > MOST ? `The first ${MOST} of ${shown.length} days: zoom in to see the others. ` : "";
  place.append(element("div", "bar", "", [element("p", "note", `${cut}Of the lines that are on, as they are drawn.`)]), scroll);
  enhanceTable(place);
}

function heading(text: string, scope: string, isNumber: boolean): HTMLTableCellElement {
  const made = element("th", isNumber ? "num" : "", text);
  made.scope = scope;
  return made;
}

function cell(value: number | null | undefined): HTMLTableCellElement {
  const made = element("td", "num", value == null ? "" : shortest(value));
  if (value != null) made.dataset.value = made.textContent?.replaceAll(",", "");
  return made;
}
