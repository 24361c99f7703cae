import { button, element } from "./dom";

type Theme = "system" | "light" | "dark";

const NAMES: Record<Theme, string> = { system: "System", light: "Light", dark: "Dark" };
const root = document.documentElement;
let chosen: Theme = "system";

function apply(theme: Theme): void {
  if (theme === "system") delete root.dataset.theme;
  else root.dataset.theme = theme;
}

/** Paper is white and as wide as paper, whatever the screen is; a table that is wider becomes smaller. */
export function forPaper(on: boolean): void {
  apply(on ? "light" : chosen);
  root.toggleAttribute("data-paper", on);
  for (const table of document.querySelectorAll("table")) {
    const room = table.parentElement?.clientWidth ?? 0;
    const fits = !on || room === 0 || table.offsetWidth <= room;
    table.style.zoom = fits ? "" : String(room / table.offsetWidth);
  }
}

/** Buttons that choose the colours; the system's at first, and again whenever the page is opened. */
export function themeSwitch(changed: () => void): void {
  const group = element("div", "theme");
  group.role = "group";
  group.ariaLabel = "Colours";
  const buttons = Object.entries(NAMES).map(([theme, name]) => {
    const made = button(name);
    made.ariaPressed = String(theme === chosen);
    made.addEventListener("click", () => {
      chosen = theme as Theme;
      for (const one of buttons) one.ariaPressed = String(one === made);
      apply(chosen);
      changed();
    });
    return made;
  });
  group.append(...buttons);
  root.classList.add("js");
  document.querySelector("body > header")?.append(group);
}
