import { drawBars, drawHistogram } from "./barchart";
import { readChart } from "./data";
import { drawLines } from "./linechart";
import type { Stage } from "./stage";
import { enhanceTable } from "./table";
import { forPaper, themeSwitch } from "./theme";

const waiting = new Set<HTMLElement>();
const stages: Stage[] = [];

function draw(card: HTMLElement): void {
  if (!waiting.delete(card)) return;
  const data = readChart(card);
  if (data.kind === "lines") stages.push(drawLines(card, data));
  else if (data.kind === "bars") stages.push(drawBars(card, data));
  else stages.push(drawHistogram(card, data));
}

function redraw(): void {
  for (const stage of stages) stage.fit();
}

// A page may hold two hundred charts: each is drawn when it comes near.
const near = new IntersectionObserver(
  (entries) => {
    for (const entry of entries) {
      if (!entry.isIntersecting) continue;
      near.unobserve(entry.target);
      draw(entry.target as HTMLElement);
    }
  },
  { rootMargin: "800px" },
);

for (const card of document.querySelectorAll<HTMLElement>(".panel")) {
  waiting.add(card);
  card.classList.add("scripted");
  near.observe(card);
}

for (const card of document.querySelectorAll<HTMLElement>(".card.table")) enhanceTable(card);
for (const folded of document.querySelectorAll<HTMLDetailsElement>("details.table")) {
  folded.addEventListener("toggle", () => enhanceTable(folded), { once: true });
}

themeSwitch(redraw);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);


addEventListener("beforeprint", () => {
  forPaper(true);
  for (const card of [...waiting]) draw(card);
  redraw();
});
addEventListener("afterprint", () => {
  forPaper(false);
  redraw();
});
