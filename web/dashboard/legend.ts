import type { Series } from "./data";
import { button, element } from "./dom";
import { swatch } from "./lines";

/** Toggle buttons for the lines. `changed` hears of every change; `on` is what is switched on. */
export class Legend {
  readonly root = element("div", "legend");
  readonly on: boolean[];
  private readonly buttons: HTMLButtonElement[];

  constructor(
    series: Series[],
    labelledBy: string,
    private readonly changed: () => void,
  ) {
    this.on = series.map((one) => one.on);
    this.root.role = "group";
    this.root.setAttribute("aria-labelledby", labelledBy);
    this.buttons = series.map((one, at) => this.toggle(one, at));
    const all = button("All", "link");
    const none = button("None", "link");
    all.addEventListener("click", () => this.set(() => true));
    none.addEventListener("click", () => this.set(() => false));
    const hint = element("span", "hint", "Double-click or Alt-click: only this line");
    this.root.append(...this.buttons);
    if (series.length > 1) this.root.append(element("span", "links", "", [all, none, hint]));
    this.show();
  }

  private toggle(series: Series, at: number): HTMLButtonElement {
    const made = button("", "toggle");
    made.append(swatch(series), element("span", "", series.name));
    made.title = series.name;
    if (series.days.length === 0) {
      made.disabled = true;
      made.title += ": no values";
    }
    made.addEventListener("click", (event) => {
      if (event.altKey) this.only(at);
      else this.set((was, index) => (index === at ? !was : was));
    });
    // The two clicks before it have switched the line forth and back.
    made.addEventListener("dblclick", () => this.only(at));
    return made;
  }

  private only(at: number): void {
    const alone = this.on.every((is, index) => is === (index === at));
    this.set((_, index) => alone || index === at);
  }

  private set(wanted: (was: boolean, index: number) => boolean): void {
    this.on.forEach((was, index) => {
      this.on[index] = wanted(was, index);
    });
    this.show();
    this.changed();
  }

  private show(): void {
    this.buttons.forEach((one, at) => one.setAttribute("aria-pressed", String(this.on[at])));
  }
}
