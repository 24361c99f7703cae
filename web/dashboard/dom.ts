/** An element with a class, a text (never markup) and children. */
export function element<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  className = "",
  text = "",
  children: Node[] = [],
): HTMLElementTagNameMap[K] {
  const made = document.createElement(tag);
  if (className) made.className = className;
  if (text) made.textContent = text;
  made.append(...children);
  return made;
}

export function button(text: string, className = ""): HTMLButtonElement {
  const made = element("button", className, text);
  made.type = "button";
  return made;
}

const probe = element("span", "vh");
probe.ariaHidden = "true";
document.body.append(probe);

/** A colour of the style sheet in the theme of the moment; a canvas does not know `light-dark()`. */
export function themed(name: string): string {
  probe.style.color = `var(${name})`;
  return getComputedStyle(probe).color;
}
