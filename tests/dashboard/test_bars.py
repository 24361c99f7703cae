"""Bars, histograms and shaded tables as a person meets them."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from assay.page.model import Bars, Heat, Histogram, Page
from tests.dashboard.actions import chart, column, drawing, next_frame, panel, point, reset
from tests.dashboard.samples import transactions
from tests.dashboard.tabs import OpenPage


def page_of(*panels: Bars | Histogram | Heat) -> Page:
    return Page("Bars", "", [], [], panels, [])


@pytest.mark.parametrize("labels", [["Clothing", "Toys", "Returns", "Unknown"], ["2024-01", "2024-02", "2024-03", "4"]])
def test_a_bar_is_read_by_mouse_and_by_key(open_page: OpenPage, labels: list[str]) -> None:
    tab = open_page(page_of(Bars("Revenue", "€", labels, [1234567.89, 99.5, -54321, None])))
    upright = labels[0].startswith("2")
    tab.mouse.move(*(point(tab, 0.12, "Revenue") if upright else point(tab, 0.5, "Revenue", down=0.12)))
    readout = panel(tab, "Revenue").locator(".readout")
    expect(readout).to_have_text(f"{labels[0]}1,234,567.89\u00a0€")
    tab.mouse.move(0, 0)
    expect(readout).to_be_hidden()
    chart(tab, "Revenue").focus()
    spoken = panel(tab, "Revenue").locator("[aria-live]")
    for key, said in (
        ("ArrowRight" if upright else "ArrowDown", f"{labels[0]}: 1,234,567.89\u00a0€"),
        # The last has no value.
        ("End", f"{labels[2]}: -54,321\u00a0€"),
        ("ArrowLeft" if upright else "ArrowUp", f"{labels[1]}: 99.5\u00a0€"),
    ):
        tab.keyboard.press(key)
        expect(spoken).to_have_text(said)


def test_a_histogram_tells_each_class_with_its_share(open_page: OpenPage) -> None:
    # Classes of different widths: the wide one is where its edges are.
    tab = open_page(page_of(Histogram("Order value", "€", [0, 10, 20, 30, 100], [1, 0, 2, 5])))
    readout = panel(tab, "Order value").locator(".readout")
    for across, said in (
        (0.05, "0 to 10\u00a0€Count1 (12.5%)"),
        (0.25, "20 to 30\u00a0€Count2 (25.0%)"),
        (0.8, "30 to 100\u00a0€Count5 (62.5%)"),
    ):
        tab.mouse.move(*point(tab, across, "Order value"))
        expect(readout).to_have_text(said)
    chart(tab, "Order value").focus()
    tab.keyboard.press("+")
    expect(reset(tab, "Order value")).to_be_enabled()
    tab.keyboard.press("Escape")
    expect(reset(tab, "Order value")).to_be_disabled()


def test_what_is_drawn_stands_in_a_table(open_page: OpenPage) -> None:
    tab = open_page(page_of(Bars("Revenue", "€", ["b", "a"], [2.5, None]), Histogram("Size", "kg", [0, 1, 3], [7, 9])))
    for title, name, expected in (
        ("Revenue", "Label", [["b", "a"], ["2.5", ""]]),
        ("Size", "From (kg)", [["0", "1"], ["1", "3"], ["7", "9"]]),
    ):
        panel(tab, title).get_by_text("The bars as a table").click()
        table = panel(tab, title).get_by_role("table")
        assert [column(table, at + 1) for at in range(len(expected))] == expected
        table.get_by_role("columnheader", name=name).get_by_role("button").click()
        expect(table.get_by_role("columnheader", name=name)).to_have_attribute("aria-sort", "ascending")
        panel(tab, title).get_by_role("button", name="Copy as CSV").click()
        expect(panel(tab, title).get_by_role("status")).to_have_text("Copied")
    assert "From (kg),To (kg),Count" in tab.evaluate("navigator.clipboard.readText()")


def test_a_shaded_table_can_be_sorted_and_copied(open_page: OpenPage) -> None:
    heat = Heat("Correlations", ["x", "y", "z"], ["a", "b"], [[1, 1 / 3], [-0.5, None], [0, 1]])
    tab = open_page(page_of(heat))
    table = panel(tab, "Correlations").get_by_role("table")
    assert table.locator("tbody td").evaluate_all("all => all.map(one => one.className)") == [
        "num above-8", "num above-3", "num below-4", "", "num", "num above-8",
    ]  # fmt: skip
    expect(table.locator("thead tr > :first-child").get_by_role("button")).to_have_count(0)
    table.get_by_role("columnheader", name="a").get_by_role("button").click()
    assert column(table, 1) == ["y", "z", "x"]
    panel(tab, "Correlations").get_by_role("button", name="Copy as CSV").click()
    expect(tab.get_by_role("status")).to_have_text("Copied")
    copied = str(tab.evaluate("navigator.clipboard.readText()")).replace("\r\n", "\n")
    assert copied == ",a,b\ny,-0.5,\nz,0,1\nx,1,0.3333333333333333\n"


def test_odd_bars_draw(open_page: OpenPage) -> None:
    panels: list[Bars | Histogram | Heat] = [
        Bars("no bars", "", [], []),
        Bars("no values", "", ["a", "b"], [None, float("nan")]),
        Bars("zeros", "", ["a", "b"], [0, 0]),
        Bars("one", "", ["x" * 300], [1e300]),
        Bars("four hundred", "", [str(at) for at in range(500)], [float(at) for at in range(500)]),
        Histogram("no classes", "", [], []),
        Histogram("one class", "", [-1e-9, 1e-9], [3]),
        Histogram("huge", "", [0, 1e18], [10**15]),
        Heat("no cells", [], [], []),
        Heat("blank", ["a"], ["b"], [[None]]),
    ]
    tab = open_page(page_of(*panels))
    tab.locator("footer").scroll_into_view_if_needed()
    for title in ("no bars", "no values", "no classes"):
        panel(tab, title).scroll_into_view_if_needed()
        expect(panel(tab, title).get_by_text("No values.")).to_be_visible()
    expect(tab.locator("canvas")).to_have_count(8)
    expect(panel(tab, "four hundred").get_by_text("The first 400 of 500 bars.")).to_be_visible()


def test_every_kind_follows_the_theme(open_page: OpenPage) -> None:
    page = transactions()
    tab = open_page(page)
    titles = [one.title for one in page.panels if not isinstance(one, Heat)]
    for title in titles:
        panel(tab, title).scroll_into_view_if_needed()
        expect(panel(tab, title).locator("canvas")).to_have_count(1)
    light = {title: drawing(tab, title) for title in titles}
    tab.get_by_role("button", name="Dark", exact=True).click()
    next_frame(tab)
    assert all(drawing(tab, title) != light[title] for title in titles)
    tab.emulate_media(color_scheme="dark")
    tab.get_by_role("button", name="Light", exact=True).click()
    next_frame(tab)
    assert {title: drawing(tab, title) for title in titles} == light
