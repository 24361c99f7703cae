"""The page as a person meets it: opened from disk in a real browser, with nothing else to load."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from itertools import pairwise
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, expect

from assay.page.html import write_page
from assay.page.model import Figure, Finding, Page, Panel, Series, Table
from tests.dashboard.actions import column, drawing, next_frame, panel
from tests.dashboard.tabs import OpenPage

HOSTILE = "</script><img src=x onerror=alert(1)>"


def test_the_page_draws_a_chart_for_each_station(open_page: OpenPage, sample: Page) -> None:
    tab = open_page(sample)
    expect(tab.locator("canvas")).to_have_count(2)
    expect(tab.get_by_role("heading", level=1)).to_have_text("Station measurements")
    levels = tab.locator("h1, h2, h3").evaluate_all("all => all.map(one => Number(one.tagName[1]))")
    assert all(later - earlier <= 1 for earlier, later in pairwise(levels))


def test_tables_sort_by_their_headers(open_page: OpenPage) -> None:
    rows: list[list[str | float | None]] = [
        ["P10", 2.5, "10.25%"],
        ["P2", None, "10.3%"],
        ["P1", 1000 / 3, "< 0.1%"],
        ["P3", 10, ""],
    ]
    tab = open_page(Page("Sort", "", [], [], [], [Table("Codes", ["Code", "Mean", "Share"], rows)]))
    table = tab.get_by_role("table")
    for at, name, ascending, blanks in (
        (1, "Code", ["P1", "P2", "P3", "P10"], []),
        (2, "Mean", ["2.5", "10", "333.333"], [""]),
        (3, "Share", ["< 0.1%", "10.25%", "10.3%"], [""]),
    ):
        as_written = column(table, at)
        header = table.get_by_role("columnheader", name=name)
        for order, expected in (
            ("ascending", ascending + blanks),
            ("descending", ascending[::-1] + blanks),
            ("none", as_written),
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
    expect(tab.get_by_text("14 results lie far from the others")).to_be_visible()
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
