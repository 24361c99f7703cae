"""The page as a person meets it: opened from disk in a real browser, with nothing else to load."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, expect
from playwright.sync_api import Page as Tab

from functions.process.dashboard.html import write_page
from functions.process.dashboard.page import Figure, Finding, Page, Panel, Series, Table

OpenPage = Callable[[Page], Tab]
HOSTILE = "</script><img src=x onerror=alert(1)>"


def panel(tab: Tab, title: str = "Station CT") -> Locator:
    return tab.get_by_role("article", name=title)


def drawing(tab: Tab) -> str:
    return str(panel(tab).locator("canvas").evaluate("canvas => canvas.toDataURL()"))


def next_frame(tab: Tab) -> None:
    """Wait until the page has drawn what it was told."""
    tab.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")


def toggle(tab: Tab, name: str) -> Locator:
    return panel(tab).get_by_role("button", name=name, exact=True)


def switched_on(tab: Tab) -> list[str]:
    return panel(tab).locator(".toggle[aria-pressed=true]").all_text_contents()


def column(table: Locator, at: int) -> list[str]:
    return table.locator(f"tbody tr > :nth-child({at})").all_text_contents()


def point(tab: Tab, across: float) -> tuple[float, float]:
    """Find a place in the drawing, `across` from its left to its right edge."""
    over = panel(tab).locator(".u-over")
    over.scroll_into_view_if_needed()
    box = over.bounding_box()
    assert box
    return box["x"] + box["width"] * across, box["y"] + box["height"] / 2


def test_the_page_draws_a_chart_for_each_station(open_page: OpenPage, sample: Page) -> None:
    tab = open_page(sample)
    expect(tab.locator("canvas")).to_have_count(2)
    expect(tab.get_by_role("heading", level=1)).to_have_text("Station measurements")
    levels = tab.locator("h1, h2, h3").evaluate_all("all => all.map(one => Number(one.tagName[1]))")
    assert all(later - earlier <= 1 for earlier, later in pairwise(levels))


def test_a_line_is_switched_by_keyboard(open_page: OpenPage, sample: Page) -> None:
    tab = open_page(sample)
    with_line = drawing(tab)
    toggle(tab, "Cond").focus()
    tab.keyboard.press("Space")
    expect(toggle(tab, "Cond")).to_have_attribute("aria-pressed", "false")
    next_frame(tab)
    assert drawing(tab) != with_line
    tab.keyboard.press("Enter")
    expect(toggle(tab, "Cond")).to_have_attribute("aria-pressed", "true")
    next_frame(tab)
    assert drawing(tab) == with_line


def test_one_line_alone_all_and_none(open_page: OpenPage, sample: Page) -> None:
    tab = open_page(sample)
    assert len(switched_on(tab)) == 6
    toggle(tab, "pH").dblclick()
    assert switched_on(tab) == ["pH"]
    toggle(tab, "NO3").click(modifiers=["Alt"])
    assert switched_on(tab) == ["NO3"]
    panel(tab).get_by_role("button", name="None").click()
    assert switched_on(tab) == []
    expect(panel(tab).get_by_text("No line is switched on.")).to_be_visible()
    panel(tab).get_by_role("button", name="All").click()
    assert len(switched_on(tab)) == 12


def test_hovering_tells_the_date_and_the_values(open_page: OpenPage, sample: Page) -> None:
    tab = open_page(sample)
    tab.mouse.move(*point(tab, 0.2))
    readout = panel(tab).locator(".readout")
    expect(readout.locator("strong")).to_have_text("2024-03-14")
    at = sample.panels[0].dates.index(date(2024, 3, 14))
    cond = next(series for series in sample.panels[0].series if series.name == "Cond")
    expect(readout.locator("div", has_text="Cond").locator("b")).to_have_text(str(cond.values[at]))


def test_arrow_keys_read_the_values(open_page: OpenPage, sample: Page) -> None:
    tab = open_page(sample)
    panel(tab).get_by_role("group", name="arrow keys").focus()
    tab.keyboard.press("ArrowRight")
    tab.keyboard.press("ArrowRight")
    spoken = panel(tab).locator("[aria-live]")
    expect(spoken).to_contain_text("2024-01-02: Temp ")
    tab.keyboard.press("ArrowLeft")
    expect(spoken).to_contain_text("2024-01-01: Temp ")


def test_dragging_zooms_and_it_can_be_undone(open_page: OpenPage, sample: Page) -> None:
    tab = open_page(sample)
    whole = drawing(tab)
    reset = panel(tab).get_by_role("button", name="Reset zoom")
    expect(reset).to_be_disabled()
    for by_button in (True, False):
        tab.mouse.move(*point(tab, 0.3))
        tab.mouse.down()
        tab.mouse.move(*point(tab, 0.6), steps=4)
        tab.mouse.up()
        expect(reset).to_be_enabled()
        assert drawing(tab) != whole
        if by_button:
            reset.click()
        else:
            tab.mouse.dblclick(*point(tab, 0.5))
        expect(reset).to_be_disabled()
        next_frame(tab)
        assert drawing(tab) == whole


def test_a_log_scale_is_offered_where_lines_differ_in_magnitude(open_page: OpenPage) -> None:
    dates = [date(2024, 1, 1) + timedelta(days=day) for day in range(5)]
    small = Series("small", [1.0, 2.0, 1.0, 2.0, 1.0])
    zero = Series("zero", [0.0, 900.0, 800.0, 900.0, 800.0])
    large = Series("large", [900.0, 800.0, 900.0, 800.0, 900.0])
    page = Page(
        "Scales",
        "",
        [],
        [],
        [
            Panel("alike", dates, [large, Series("other", large.values)]),
            Panel("apart", dates, [small, large]),
            Panel("with zero", dates, [small, zero]),
        ],
        [],
    )
    tab = open_page(page)
    scale = [panel(tab, name).get_by_role("button", name="Log scale") for name in ("alike", "apart", "with zero")]
    expect(scale[0]).to_be_hidden()
    expect(scale[1]).to_have_attribute("aria-pressed", "true")
    expect(scale[2]).to_have_attribute("aria-pressed", "false")
    scale[2].click()
    expect(panel(tab, "with zero").get_by_text("Without the values that are zero or below")).to_be_visible()


def test_tables_sort_by_their_headers(open_page: OpenPage) -> None:
    rows: list[list[str | float | None]] = [["P10", 2.5], ["P2", None], ["P1", 1000 / 3], ["P3", 10]]
    tab = open_page(Page("Sort", "", [], [], [], [Table("Codes", ["Code", "Mean"], rows)]))
    table = tab.get_by_role("table")
    for name, at, ascending, descending in (
        ("Mean", 2, ["2.5", "10", "333.333", ""], ["333.333", "10", "2.5", ""]),
        ("Code", 1, ["P1", "P2", "P3", "P10"], ["P10", "P3", "P2", "P1"]),
    ):
        header = table.get_by_role("columnheader", name=name)
        for order, expected in (
            ("ascending", ascending),
            ("descending", descending),
            ("none", [str(row[0]) for row in rows] if at == 1 else ["2.5", "", "333.333", "10"]),
        ):
            header.get_by_role("button").press("Enter")
            expect(header).to_have_attribute("aria-sort", order)
            assert column(table, at) == expected


def test_a_table_is_copied_as_csv_with_all_its_digits(open_page: OpenPage) -> None:
    table = Table("T", ["a,b", "c"], [['say "hi"', 100 / 3], [None, 2]])
    tab = open_page(Page("Copy", "", [], [], [], [table]))
    tab.get_by_role("button", name="Copy as CSV").click()
    expect(tab.get_by_role("status")).to_have_text("Copied")
    copied = tab.evaluate("navigator.clipboard.readText()")
    assert copied.replace("\r\n", "\n") == '"a,b",c\n"say ""hi""",33.333333333333336\n,2\n'


def test_hostile_names_are_only_text(open_page: OpenPage) -> None:
    days = [date(2024, 1, day) for day in range(1, 9)]
    lines = [Series(f"{HOSTILE}{n}", [float(day) for day in range(8)]) for n in range(3)]
    tab = open_page(
        Page(
            HOSTILE,
            HOSTILE,
            [Figure(HOSTILE, HOSTILE)],
            [Finding(HOSTILE)],
            [Panel(HOSTILE, days, lines, HOSTILE), Panel("<!--<script>", days, lines)],
            [Table(HOSTILE, [HOSTILE], [[HOSTILE]])],
        )
    )
    expect(tab.locator("canvas")).to_have_count(2)
    tab.locator(".u-over").first.hover()
    expect(tab.locator(".readout").first).to_contain_text(HOSTILE)
    tab.get_by_role("columnheader").get_by_role("button", name=HOSTILE).first.click()
    assert tab.locator("img").count() == 0
    assert tab.title() == HOSTILE


def test_the_policy_stops_any_other_script(context: BrowserContext, sample: Page, tmp_path: Path) -> None:
    path = tmp_path / "dashboard.html"
    write_page(sample, path)
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("<footer>", "<script>document.title = 'taken'</script><footer>"), encoding="utf-8")
    tab = context.new_page()
    complaints: list[str] = []
    tab.on("console", lambda message: complaints.append(message.text))
    tab.goto(path.as_uri())
    assert tab.title() == sample.title
    assert any("Content Security Policy" in one for one in complaints)


def test_a_page_with_no_script_can_be_read(browser: Browser, sample: Page, tmp_path: Path) -> None:
    path = tmp_path / "dashboard.html"
    write_page(sample, path)
    context = browser.new_context(java_script_enabled=False)
    tab = context.new_page()
    tab.goto(path.as_uri())
    expect(panel(tab).get_by_text("Not drawn, because no script runs here.")).to_be_visible()
    expect(tab.get_by_text("5,184", exact=True)).to_be_visible()
    expect(tab.get_by_text("Turb at CT has 14 values")).to_be_visible()
    expect(tab.get_by_role("columnheader", name="SHA-256")).to_be_visible()
    tab.get_by_text("The series in figures", exact=True).first.click()
    expect(tab.get_by_role("rowheader", name="Cond").first).to_be_visible()
    context.close()


@pytest.mark.parametrize("width", [380, 768, 1920])
def test_nothing_is_wider_than_the_window(open_page: OpenPage, sample: Page, width: int) -> None:
    long_name = replace(sample.panels[0], title="x" * 200)
    tab = open_page(replace(sample, title="y" * 200, panels=[long_name, *sample.panels]))
    tab.set_viewport_size({"width": width, "height": 800})
    expect(tab.locator("canvas").first).to_be_visible()
    assert tab.evaluate("document.documentElement.scrollWidth") <= width
    tab.wait_for_function(
        "() => [...document.querySelectorAll('.plot')].every(one => one.scrollWidth <= one.clientWidth)"
    )


def test_the_theme_follows_the_system_and_paper_is_light(open_page: OpenPage, sample: Page) -> None:
    tab = open_page(sample)
    light = drawing(tab)
    tab.emulate_media(color_scheme="dark")
    next_frame(tab)
    dark = drawing(tab)
    assert dark != light
    tab.pdf()
    next_frame(tab)
    assert tab.evaluate("document.documentElement.dataset.theme") is None
    assert drawing(tab) == dark


def test_empty_and_odd_panels_draw(open_page: OpenPage) -> None:
    days = [date(1969, 12, 30), date(1970, 1, 2), date(2024, 1, 1)]
    panels = [
        Panel("one value", days[:1], [Series("a", [1.0])]),
        Panel("no values", days, [Series("a", [None] * 3)]),
        Panel("no series", days, []),
        Panel("no dates", [], [Series("a", [])]),
        Panel("negative", days, [Series("a", [-5.0, 0.0, 5.0]), Series("b", [3e38, -3e38, 1e-30])]),
    ]
    tab = open_page(Page("Edges", "", [], [], panels, []))
    tab.locator("footer").scroll_into_view_if_needed()
    expect(tab.locator("canvas")).to_have_count(len(panels))
    expect(panel(tab, "no values").get_by_text("No values.")).to_be_visible()


def test_a_single_date_stands_between_its_neighbours(open_page: OpenPage) -> None:
    one = Panel("Station CT", [date(2024, 5, 17)], [Series("a", [1.0]), Series("b", [2.0])])
    tab = open_page(Page("One day", "", [], [], [one], []))
    assert inked(tab, 0.5), "the one day stands in the middle"
    expect(panel(tab).get_by_role("button", name="Reset zoom")).to_be_disabled()
    assert drawn_labels(tab) == ["16 May", "2024", "17 May", "18 May"]


def test_names_are_told_in_full_and_a_single_series_too(open_page: OpenPage) -> None:
    days = [date(2024, 1, 1) + timedelta(days=day) for day in range(5)]
    names = [f"{'Nitrogen, nitrate plus nitrite, water, filtered, ' * 2}{unit}" for unit in ("field", "laboratory")]
    alone = Panel("alone", days, [Series("Turbidity", [1.0] * 5)])
    tab = open_page(
        Page("Names", "", [], [], [Panel("Station CT", days, [Series(name, [1.0] * 5) for name in names]), alone], [])
    )
    expect(panel(tab, "alone").get_by_role("button", name="Turbidity")).to_be_visible()
    expect(panel(tab, "alone").get_by_role("button", name="None")).to_have_count(0)
    for name in names:
        expect(toggle(tab, name)).to_have_attribute("title", name)
        assert toggle(tab, name).locator("span").evaluate("one => one.scrollWidth <= one.clientWidth + 1")


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


def test_a_line_breaks_where_it_is_silent_and_only_there(open_page: OpenPage) -> None:
    days = [date(2024, 1, 1) + timedelta(days=day) for day in range(101)]
    daily: list[float | None] = [5.0 if not 40 <= day <= 60 else None for day in range(101)]
    monthly: list[float | None] = [5.0 if day % 25 == 0 else None for day in range(101)]
    steady: list[float | None] = [5.0] * 101
    # The third line gives the chart a value on every day, also on those on which the others have none.
    lines = [Series("daily", daily), Series("monthly", monthly), Series("steady", steady)]
    tab = open_page(Page("Gaps", "", [], [], [Panel("Station CT", days, lines)], []))

    toggle(tab, "daily").dblclick()
    assert (inked(tab, 0.3), inked(tab, 0.5), inked(tab, 0.7)) == (True, False, True)
    toggle(tab, "monthly").dblclick()
    assert (inked(tab, 0.3), inked(tab, 0.6), inked(tab, 0.9)) == (True, True, True)


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
