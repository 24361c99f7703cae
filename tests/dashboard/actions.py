"""What the browser tests do again and again on a page that is open."""

from __future__ import annotations

from playwright.sync_api import Locator
from playwright.sync_api import Page as Tab


def panel(tab: Tab, title: str = "Station CT") -> Locator:
    """Find the card of a chart or a table by its heading."""
    return tab.get_by_role("article", name=title)


def chart(tab: Tab, title: str = "Station CT") -> Locator:
    """Find the chart itself, that which takes keys."""
    return panel(tab, title).get_by_role("application")


def drawing(tab: Tab, title: str = "Station CT") -> str:
    """Take what the canvas shows."""
    return str(panel(tab, title).locator("canvas").evaluate("canvas => canvas.toDataURL()"))


def next_frame(tab: Tab) -> None:
    """Wait until the page has drawn what it was told."""
    tab.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")


def toggle(tab: Tab, name: str) -> Locator:
    """Find the switch of a line."""
    return panel(tab).get_by_role("button", name=name, exact=True)


def switched_on(tab: Tab) -> list[str]:
    """Tell the lines that are on."""
    return panel(tab).locator(".toggle[aria-pressed=true]").all_text_contents()


def column(table: Locator, at: int) -> list[str]:
    """Read a column of a table, counted from 1."""
    return table.locator(f"tbody tr > :nth-child({at})").all_text_contents()


def point(tab: Tab, across: float, title: str = "Station CT", down: float = 0.5) -> tuple[float, float]:
    """Find a place in the drawing, `across` from its left to its right edge."""
    over = panel(tab, title).locator(".u-over")
    over.scroll_into_view_if_needed()
    box = over.bounding_box()
    assert box
    return box["x"] + box["width"] * across, box["y"] + box["height"] * down


def reset(tab: Tab, title: str = "Station CT") -> Locator:
    """Find the button that shows all; it is off where all is in sight."""
    return panel(tab, title).get_by_role("button", name="Reset zoom")


def drawn_labels(tab: Tab) -> list[str]:
    """Draw anew and tell the texts below the chart, from left to right."""
    labels = panel(tab).evaluate(
        """async panel => {
            const over = panel.querySelector(".u-over");
            const found = [];
            const proto = CanvasRenderingContext2D.prototype;
            const original = proto.fillText;
            proto.fillText = function (text, x, y, ...rest) {
                if (y > (over.offsetTop + over.clientHeight) * devicePixelRatio) found.push(text);
                return original.call(this, text, x, y, ...rest);
            };
            panel.querySelector(".toggle").click();
            await new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)));
            proto.fillText = original;
            return found;
        }"""
    )
    return [str(label) for label in labels]


def inked(tab: Tab, across: float) -> bool:
    """Tell whether a coloured line crosses the drawing at `across` of its width; axes and grid are grey."""
    next_frame(tab)
    found = panel(tab).evaluate(
        """(panel, across) => {
            const canvas = panel.querySelector("canvas");
            const over = panel.querySelector(".u-over");
            const x = Math.round((over.offsetLeft + across * over.clientWidth) * devicePixelRatio);
            const column = new OffscreenCanvas(1, canvas.height).getContext("2d", {willReadFrequently: true});
            column.drawImage(canvas, x, 0, 1, canvas.height, 0, 0, 1, canvas.height);
            const pixels = column.getImageData(0, 0, 1, canvas.height).data;
            for (let at = 0; at < pixels.length; at += 4) {
                const colours = pixels.slice(at, at + 3);
                if (pixels[at + 3] > 128 && Math.max(...colours) - Math.min(...colours) > 40) return true;
            }
            return false;
        }""",
        across,
    )
    return bool(found)
