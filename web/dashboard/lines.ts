import { themed } from "./dom";
import type { Series } from "./data";

// Past the eight colours the same ones come again, in another dash each time.
const DASHES = [[], [7, 4], [2, 3], [9, 3, 2, 3], [14, 5]];

export function colour(series: Series): string {
  return themed(`--line-${series.colour}`);
}

export function dash(series: Series): number[] {
  return DASHES[series.dash % DASHES.length] ?? [];
}

/** A short piece of the line, to stand beside its name. */
export function swatch(series: Series): SVGSVGElement {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("class", "swatch");
  svg.setAttribute("viewBox", "0 0 20 8");
  svg.setAttribute("aria-hidden", "true");
  if (series.marks) {
    const ring = document.createElementNS("http://www.w3.org/2000/svg", "circle");
    for (const [name, value] of Object.entries({ cx: "10", cy: "4", r: "3", class: `line-${series.colour}` })) {
      ring.setAttribute(name, value);
    }
    svg.append(ring);
    return svg;
  }
  const line = document.createElementNS("http://www.w3.org/2000/svg", "path");
  line.setAttribute("d", "M0 4h20");
  line.setAttribute("class", `line-${series.colour}`);
  line.setAttribute("stroke-dasharray", dash(series).join(" "));
  svg.append(line);
  return svg;
}
