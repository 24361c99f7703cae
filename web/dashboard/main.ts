import { readPanel } from "./data";
import { drawPanel, type PanelView } from "./panel";
import { enhanceTable } from "./table";

const waiting = new Map<Element, () => PanelView>();
const views: PanelView[] = [];

function draw(panel: Element): void {
  const start = waiting.get(panel);
  if (!start) return;
  waiting.delete(panel);
  views.push(start());
}

// A page may hold two hundred charts: each is drawn when it comes near.
const near = new IntersectionObserver(
  (entries) => {
    for (const entry of entries) {
      if (!entry.isIntersecting) continue;
      near.unobserve(entry.target);
      draw(entry.target);
    }
  },
  { rootMargin: "800px" },
);

for (const panel of document.querySelectorAll<HTMLElement>(".panel")) {
  waiting.set(panel, () => drawPanel(panel, readPanel(panel)));
  near.observe(panel);
}

for (const card of document.querySelectorAll<HTMLElement>(".card.table")) enhanceTable(card);

// Paper is white and as wide as paper, whatever the screen is.
addEventListener("beforeprint", () => {
  document.documentElement.dataset.theme = "light";
  for (const panel of [...waiting.keys()]) draw(panel);
  for (const view of views) view.fit(680);
});
addEventListener("afterprint", () => {
  delete document.documentElement.dataset.theme;
  for (const view of views) view.fit();
});
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
  for (const view of views) view.fit();
});
