"""Line charts as a person meets them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta

from playwright.sync_api import expect

from assay.page.model import Page, Panel, Series
from tests.dashboard.actions import (
    chart,
    column,
    drawing,
    drawn_labels,
    inked,
    next_frame,
    panel,
    point,
    reset,
    switched_on,
    toggle,
)
from tests.dashboard.tabs import OpenPage


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
    station = sample.panels[0]
    assert isinstance(station, Panel)
    at = station.dates.index(date(2024, 3, 14))
    cond = next(series for series in station.series if series.name == "Cond")
    expect(readout.locator("div", has_text="Cond").locator("b")).to_have_text(str(cond.values[at]))


def test_values_have_their_unit_and_all_their_digits(open_page: OpenPage) -> None:
    money = Series("EUR", [123456789.12, 16777217.0])
    days = [date(2024, 1, 1), date(2024, 1, 2)]
    tab = open_page(Page("Money", "", [], [], [Panel("Station CT", days, [money], unit="€")], []))
    expect(panel(tab).locator(".unit")).to_have_text("€")
    chart(tab).focus()
    spoken = panel(tab).locator("[aria-live]")
    tab.keyboard.press("Home")
    expect(spoken).to_have_text("2024-01-01: EUR 123,456,789.12\u00a0€")
    tab.keyboard.press("End")
    expect(spoken).to_have_text("2024-01-02: EUR 16,777,217\u00a0€")


def test_keys_read_the_values_and_zoom(open_page: OpenPage, sample: Page) -> None:
    tab = open_page(sample)
    chart(tab).focus()
    for key, said in (
        ("ArrowRight", "2024-01-01: Temp "),
        ("ArrowRight", "2024-01-02: Temp "),
        ("ArrowLeft", "2024-01-01: Temp "),
        ("End", "2024-12-31: Temp "),
        ("Home", "2024-01-01: Temp "),
    ):
        tab.keyboard.press(key)
        expect(panel(tab).locator("[aria-live]")).to_contain_text(said)
    whole = drawing(tab)
    for key in ("+", "+", "+"):
        tab.keyboard.press(key)
    expect(reset(tab)).to_be_enabled()
    # What is read next lies out of sight: the chart goes there.
    near = drawing(tab)
    tab.keyboard.press("End")
    expect(panel(tab).locator("[aria-live]")).to_contain_text("2024-12-31: Temp ")
    next_frame(tab)
    assert len({whole, near, drawing(tab)}) == 3
    tab.keyboard.press("Escape")
    expect(reset(tab)).to_be_disabled()
    expect(panel(tab).locator(".readout")).to_be_hidden()
    next_frame(tab)
    assert drawing(tab) == whole


def test_every_way_to_zoom_can_be_undone(open_page: OpenPage, sample: Page) -> None:
    tab = open_page(sample)
    whole = drawing(tab)
    expect(reset(tab)).to_be_disabled()

    def drag() -> None:
        tab.mouse.move(*point(tab, 0.3))
        tab.mouse.down()
        tab.mouse.move(*point(tab, 0.6), steps=4)
        tab.mouse.up()

    def turn(*, ctrl: bool) -> None:
        tab.mouse.move(*point(tab, 0.4))
        panel(tab).locator(".u-over").dispatch_event(
            "wheel", {"deltaY": -100, "ctrlKey": ctrl, "bubbles": True, "cancelable": True}
        )

    zoom_in = panel(tab).get_by_role("button", name="Zoom in")
    zoom_out = panel(tab).get_by_role("button", name="Zoom out")
    ways: list[tuple[Callable[[], None], Callable[[], None]]] = [
        (drag, reset(tab).click),
        (drag, lambda: tab.mouse.dblclick(*point(tab, 0.5))),
        (lambda: turn(ctrl=True), reset(tab).click),
        (zoom_in.click, zoom_out.click),
    ]
    for zoom, undo in ways:
        zoom()
        expect(reset(tab)).to_be_enabled()
        assert drawing(tab) != whole
        undo()
        expect(reset(tab)).to_be_disabled()
    turn(ctrl=False)
    expect(reset(tab)).to_be_disabled()
    tab.mouse.move(0, 0)
    next_frame(tab)
    assert drawing(tab) == whole


def test_the_values_in_sight_are_a_table(open_page: OpenPage, sample: Page) -> None:
    tab = open_page(sample)
    toggle(tab, "Cond").dblclick()
    panel(tab).get_by_text("The values in sight").click()
    table = panel(tab).get_by_role("region", name="Values: Station CT").get_by_role("table")
    expect(table.get_by_role("columnheader")).to_have_text(["Date", "Cond"])
    station = sample.panels[0]
    assert isinstance(station, Panel)
    cond = next(series for series in station.series if series.name == "Cond")
    there = {str(day): value for day, value in zip(station.dates, cond.values, strict=True) if value is not None}
    shown = dict(zip(column(table, 1), map(float, column(table, 2)), strict=True))
    assert shown == there


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
    expect(reset(tab)).to_have_count(0)
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
