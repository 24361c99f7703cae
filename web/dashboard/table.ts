import { button, element } from "./dom";

type Order = "none" | "ascending" | "descending";

const NEXT: Record<Order, Order> = { none: "ascending", ascending: "descending", descending: "none" };
const collator = new Intl.Collator("en", { numeric: true });

/** What a cell holds: a number shown in fewer digits than it has carries all of them beside. */
function held(cell: HTMLTableCellElement | undefined): string {
  return cell?.dataset.value ?? cell?.textContent ?? "";
}

/** The number in a cell, also in `12.5%` and `< 0.1%`. */
function numeric(text: string): number {
  return parseFloat(text.replace(/^[<>]\s*/, ""));
}

/** Blank comes last in both directions. */
function compare(a: string, b: string, numbers: boolean, order: Order): number {
  if (a === "" || b === "") return Number(a === "") - Number(b === "");
  const ascending = numbers ? numeric(a) - numeric(b) : collator.compare(a, b);
  return order === "descending" ? -ascending : ascending;
}

// As assay/write/spreadsheet_text.py has it: what would begin a formula, and a number, which is none.
const FORMULA = /(^|[;\t\r\n])((?:[^\S\t\r\n]|\p{Cf}|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f"'])*[=+\-@\uFF1D\uFF0B\uFF0D\uFF20])/gu;
const CONTROL = /^('*[\t\r\n])/;
const NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;

/** The text as no spreadsheet program takes it for a formula. */
function guarded(text: string): string {
  return NUMBER.test(text) ? text : text.replace(CONTROL, "'$1").replace(FORMULA, "$1'$2");
}

/** RFC 4180. */
function csv(rows: string[][]): string {
  const quoted = (text: string) => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
  return rows.map((row) => row.map((text) => quoted(guarded(text))).join(",")).join("\r\n") + "\r\n";
}

/** Sorting by the headers and a button that copies the table. */
export function enhanceTable(root: HTMLElement): void {
  const table = root.querySelector("table");
  const body = table?.tBodies[0];
  if (!table || !body) return;
  const original = [...body.rows];
  const heads = [...(table.tHead?.rows[0]?.cells ?? [])];
  const names = heads.map((head) => head.textContent ?? "");

  heads.forEach((head, column) => {
    // The corner of a table with headings on both sides.
    if (head.tagName !== "TH") return;
    const press = button(names[column] ?? "", "sort");
    head.replaceChildren(press);
    head.ariaSort = "none";
    press.addEventListener("click", () => {
      const order = NEXT[head.ariaSort as Order];
      for (const other of heads) other.ariaSort = "none";
      head.ariaSort = order;
      const numbers = head.classList.contains("num");
      const sorted =
        order === "none"
          ? original
          : [...original].sort((a, b) => compare(held(a.cells[column]), held(b.cells[column]), numbers, order));
      body.append(...sorted);
    });
  });

  const copy = button("Copy as CSV");
  const status = element("span", "status");
  status.role = "status";
  root.querySelector(".bar")?.append(element("div", "actions", "", [status, copy]));
  copy.addEventListener("click", async () => {
    const rows = [...body.rows].map((row) => [...row.cells].map(held));
    try {
      await navigator.clipboard.writeText(csv([names, ...rows]));
      status.textContent = "Copied";
    } catch {
      status.textContent = "The browser does not allow copying";
    }
  });
}
