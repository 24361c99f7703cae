from __future__ import annotations

import base64
import hashlib
import json
import re
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from assay.page import html
from assay.page.html import write_page
from assay.page.markup import number
from assay.page.model import Bars, Figure, Finding, Heat, Histogram, Page, Panel, Series, Table
from tests.dashboard.parsed import Parsed

EMPTY = Page("Empty", "", [], [], [], [])
HOSTILE = "</script><img src=x onerror=alert(1)>"
DAY = date(2024, 2, 29)


def written(page: Page, folder: Path) -> str:
    path = folder / "page.html"
    write_page(page, path)
    return path.read_bytes().decode("utf-8")


def everywhere(text: str) -> Page:
    return Page(
        text,
        text,
        [Figure(text, text, "bad")],
        [Finding(text)],
        [
            Panel(text, [DAY], [Series(text, [1.0])], text, text),
            Panel(text, [DAY], [Series(text, [None])]),
            Bars(text, text, [text], [1.0], text),
            Histogram(text, text, [0, 1], [1], text),
            Heat(text, [text], [text], [[1.0]], text, text),
        ],
        [Table(text, [text], [[text]], text)],
    )


def test_the_same_page_gives_the_same_bytes(sample: Page, tmp_path: Path) -> None:
    assert written(sample, tmp_path) == written(sample, tmp_path)


def test_the_policy_allows_the_pages_own_script_and_style_alone(sample: Page, tmp_path: Path) -> None:
    text = written(sample, tmp_path)
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', text)
    assert policy
    directives = dict(part.strip().split(" ", 1) for part in policy[1].split(";"))
    running = {tag: body for tag, attributes, body in Parsed(text).raw if "type" not in attributes}
    hashed = {
        tag: f"'sha256-{base64.b64encode(hashlib.sha256(body.encode()).digest()).decode()}'"
        for tag, body in running.items()
    }
    assert directives == {
        "default-src": "'none'",
        "script-src": hashed["script"],
        "style-src": hashed["style"],
        "img-src": "data:",
        "base-uri": "'none'",
        "form-action": "'none'",
        "require-trusted-types-for": "'script'",
        "trusted-types": "'none'",
    }
    assert not re.search(r'<[^>]+ (?:style|on\w+)=|(?:src|href)="(?!#|data:)', text)
    assert text.count("The MIT License") == 2, "uPlot's licence goes with its script and its style"


# The same folder will do for every example: each writes its page anew.
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(max_size=60))
@example(HOSTILE)
@example("<!--<script>")
@example("\"'><svg/onload=alert(1)>")
@example("\u2028\ud800\x00\r\n&amp;")
def test_a_text_never_becomes_markup(tmp_path: Path, text: str) -> None:
    plain, hostile = Parsed(written(everywhere("x"), tmp_path)), Parsed(written(everywhere(text), tmp_path))
    # A blank subtitle or note makes no element at all.
    expected = plain.tags if text else [tag for tag in plain.tags if tag != "p"]
    assert [tag for tag in hostile.tags if text or tag != "p"] == expected
    for _, attributes, body in hostile.raw:
        if attributes.get("type") == "application/json":
            assert not re.search("[<>&\u2028\u2029]", body)


def test_names_reach_the_script_as_they_are(tmp_path: Path) -> None:
    panels = [
        body for _, attributes, body in Parsed(written(everywhere(HOSTILE), tmp_path)).raw if "type" in attributes
    ]
    assert json.loads(panels[0])["series"][0]["name"] == HOSTILE


def test_everything_but_the_lines_can_be_read_with_no_script(sample: Page, tmp_path: Path) -> None:
    text = Parsed(written(sample, tmp_path)).text
    for item in sample.figures:
        assert item.label in text
        assert item.value in text
    for finding in sample.findings:
        assert finding.text in text
    for table in sample.tables:
        assert str(table.rows[-1][0]) in text
    assert "Cond3562" not in text
    assert re.search(r"Cond35\d[\d.]+2024-01-012024-12-31", text), "the series in figures"


def test_the_worst_finding_comes_first(sample: Page, tmp_path: Path) -> None:
    worst = Finding("No row has a date.", "bad")
    text = written(replace(sample, findings=[*sample.findings, worst]), tmp_path)
    marks = ("Problem: </span><span>No row has", "Warning: </span><span>Column", "Good: </span><span>No row appears")
    places = [text.index(mark) for mark in (*marks, "Note: </span><span>23 rows")]
    assert places == sorted(places)
    assert text.index("Column LEW_Pct") < text.index("Column Depth_M")


def test_many_series_start_with_the_most_complete(tmp_path: Path) -> None:
    dates = [DAY + timedelta(days=day) for day in range(10)]
    lines = [Series(f"P{n}", [1.0] * n + [None] * (10 - n)) for n in range(10)]
    text = written(replace(EMPTY, panels=[Panel("S", dates, lines)]), tmp_path)
    data = json.loads(next(body for _, attributes, body in Parsed(text).raw if "type" in attributes))
    assert [one["name"] for one in data["series"] if one["on"]] == ["P4", "P5", "P6", "P7", "P8", "P9"]
    assert "6 of 10 series are switched on at first" in text


def test_a_parameter_has_the_same_colour_in_every_panel(tmp_path: Path) -> None:
    panels = [
        Panel("A", [DAY], [Series("x", [1.0]), Series("y", [1.0])]),
        Panel("B", [DAY], [Series("y", [1.0]), Series("z", [1.0]), Series("x", [1.0])]),
    ]
    text = written(replace(EMPTY, panels=panels), tmp_path)
    data = [json.loads(body) for _, attributes, body in Parsed(text).raw if "type" in attributes]
    first, second = ({one["name"]: one["colour"] for one in panel["series"]} for panel in data)
    assert second["x"] == first["x"]
    assert second["y"] == first["y"]
    assert len(set(second.values())) == 3


def test_a_long_panel_is_reduced_and_says_so(tmp_path: Path) -> None:
    dates = [DAY + timedelta(days=day) for day in range(9_000)]
    panel = Panel("S", dates, [Series("P", [float(day % 7) for day in range(9_000)])])
    text = written(replace(EMPTY, panels=[panel]), tmp_path)
    assert "at most 2,000 of up to 9,000 values a line" in text
    assert len(text) < 120_000


def test_a_page_of_many_stations_stays_small_and_names_what_it_leaves_out(tmp_path: Path) -> None:
    dates = [DAY + timedelta(days=day) for day in range(400)]
    values = [float(day) for day in range(400)]
    series = [Series(f"parameter {n}", values) for n in range(25)]
    panels = [Panel(f"Station {n}", dates, series) for n in range(90)]
    rows: list[list[str | float | None]] = [[n, "x" * 200, n / 3] for n in range(5_000)]
    table = Table("Long", ["Row", "Text", "Third"], rows)
    text = written(replace(EMPTY, panels=panels, tables=[table] * 3), tmp_path)

    assert len(text.encode()) <= html.MAX_BYTES
    drawn = text.count('class="card panel"')
    assert 5 < drawn < 90
    assert f"{90 - drawn} of 90 charts left out to keep this page small: Station {drawn}, " in text
    assert "of up to 400 values a line" in text
    assert "the first 1,000 of 5,000 rows are shown" in text
    assert "table left out" in text or text.count("Cut to keep this page small") == 3


def test_of_many_charts_the_first_two_hundred_are_drawn_and_the_others_named(tmp_path: Path) -> None:
    panels = [Panel(f"Station {n}", [DAY], [Series("P", [1.0])]) for n in range(210)]
    text = written(replace(EMPTY, panels=panels, without_panel=["Station x", "Station y"]), tmp_path)
    assert text.count('class="card panel"') == 200
    assert "12 of 212 charts left out to keep this page small: Station 200, Station 201, " in text


def test_a_panel_that_cannot_fit_is_not_made(tmp_path: Path) -> None:
    wide = Panel("Wide", [DAY], [Series("P", [1.0])] * 20_000)
    text = written(replace(EMPTY, panels=[wide, Panel("Small", [DAY], [Series("P", [1.0])])]), tmp_path)
    assert "1 of 2 charts left out to keep this page small: Wide" in text
    assert text.count('class="card panel"') == 1


def test_texts_without_end_do_not_break_the_budget(tmp_path: Path) -> None:
    endless = "é" * 100_000
    page = Page(
        endless,
        endless,
        [Figure(endless, endless)] * 5,
        [Finding(endless)] * 500,
        [Panel(endless, [DAY], [Series(endless, [1.0])] * 20, endless)] * 60,
        [Table(endless, [endless] * 300, [[endless] * 300] * 50, endless)] * 20,
    )
    text = written(page, tmp_path)
    assert len(text.encode()) <= html.MAX_BYTES
    assert "400 more findings left out here" in text
    assert "the first 60 of 300 columns" in text


def test_values_too_large_to_draw_are_told_and_stand_in_the_figures(tmp_path: Path) -> None:
    panel = Panel("S", [DAY, DAY + timedelta(days=1)], [Series("P", [1e300, 2.0])])
    text = written(replace(EMPTY, panels=[panel]), tmp_path)
    assert "1 value too large or too near to zero to be drawn" in text
    assert "1e+300" in text


def test_a_blank_cell_is_blank_and_a_shortened_number_keeps_its_digits(tmp_path: Path) -> None:
    table = Table("T", ["a", "b", "c"], [[None, 1.411, 100 / 3], [0, 176.0, float("nan")]])
    text = written(replace(EMPTY, tables=[table]), tmp_path)
    assert "<tr><td></td><td class=num>1.411</td><td class=num data-value=33.333333333333336>33.3333</td></tr>" in text
    assert "<tr><td class=num>0</td><td class=num>176</td><td></td></tr>" in text


@pytest.mark.parametrize("row", [[1, 2], []])
def test_a_row_of_another_length_is_refused(tmp_path: Path, row: list[str | float | None]) -> None:
    with pytest.raises(ValueError, match=f"{len(row)} cells for 1 columns"):
        written(replace(EMPTY, tables=[Table("T", ["a"], [row])]), tmp_path)


def test_a_column_of_shares_stands_like_numbers(tmp_path: Path) -> None:
    table = Table("T", ["share", "code"], [["12.5%", "1"], [None, "12%x"], ["-3 %", ""], ["< 0.1%", ""]])
    text = written(replace(EMPTY, tables=[table]), tmp_path)
    assert '<th scope="col" class=num>share</th><th scope="col">code</th>' in text
    assert "<tr><td class=num>12.5%</td><td>1</td></tr><tr><td></td><td>12%x</td></tr>" in text


def test_a_missing_build_says_what_to_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(html, "_BUILT", tmp_path)
    with pytest.raises(FileNotFoundError, match="run make web"):
        written(EMPTY, tmp_path)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (1.411, "1.411"),
        (176.0, "176"),
        (0.0, "0"),
        (-2, "-2"),
        (1 / 3, "0.333333"),
        (1e300, "1e+300"),
        (1e14, "1" + "0" * 14),
        (12345678.9, "12345678.9"),
        (123456.789, "123456.79"),
    ],
)
def test_numbers_are_shown_plainly(value: float, shown: str) -> None:
    assert number(value) == shown
