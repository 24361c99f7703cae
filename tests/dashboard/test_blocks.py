"""Bars, histograms and shaded tables as they are written into the page."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.page.heat import heat_map
from assay.page.html import MAX_BYTES, write_page
from assay.page.model import Bars, Heat, Histogram, Page, Panel

Block = Panel | Bars | Histogram | Heat


def written(folder: Path, *panels: Block) -> str:
    path = folder / "page.html"
    write_page(Page("Blocks", "", [], [], panels, []), path)
    return path.read_text(encoding="utf-8")


def data(text: str) -> list[dict[str, object]]:
    return [json.loads(found) for found in re.findall(r'<script type="application/json">(.*?)</script>', text)]


def test_what_has_no_value_is_not_drawn_and_blank(tmp_path: Path) -> None:
    text = written(tmp_path, Bars("B", "€", ["x", "y", "z"], [1.5, None, float("nan")]))
    (found,) = data(text)
    assert found["values"] == [1.5, None, None]
    assert '<th scope="row">y</th><td></td>' in text
    assert "Bar chart of 1 value. Highest: x, 1.5 €." in text


@pytest.mark.parametrize(
    ("labels", "upright"),
    [(["2024-01", "2024-02"], True), (["10-20", "20+"], True), (["a", "1"], False), (["1 to 10 orders"], False)],
)
def test_short_labels_in_an_order_stand_and_names_lie(tmp_path: Path, labels: list[str], upright: bool) -> None:
    (found,) = data(written(tmp_path, Bars("B", "", labels, [1.0] * len(labels))))
    assert found["upright"] is upright


def test_more_bars_than_can_be_told_apart_are_left_out_and_it_is_said(tmp_path: Path) -> None:
    text = written(tmp_path, Bars("B", "", [f"name {at}" for at in range(90)], [1.0] * 90))
    (found,) = data(text)
    assert len(found["labels"]) == 40  # type: ignore[arg-type]
    assert "The first 40 of 90 bars." in text


def test_a_histogram_is_told_in_words_and_figures(tmp_path: Path) -> None:
    text = written(tmp_path, Histogram("H", "kg", [0, 0.5, 2], [3, 7]))
    assert "Histogram of 10 values from 0 to 2 kg. Most of them, 7, lie from 0.5 to 2." in text
    assert '<th scope="row" class=num>0.5</th><td class=num>2</td><td class=num>7</td>' in text


@pytest.mark.parametrize(
    ("block", "complaint"),
    [
        (Bars("B", "", ["a"], []), "0 values for 1 labels"),
        (Histogram("H", "", [0, 1], []), "2 edges for 0 counts"),
        (Histogram("H", "", [0, 1], [1, 2]), "2 edges for 2 counts"),
        (Histogram("H", "", [0, 0], [1]), "do not ascend"),
        (Histogram("H", "", [0, float("inf")], [1]), "do not ascend"),
        (Heat("M", ["a"], ["b"], [[1, 2]]), "not 1 rows of 1"),
        (Heat("M", ["a"], ["b"], []), "not 1 rows of 1"),
    ],
)
def test_what_does_not_fit_together_is_refused(tmp_path: Path, block: Block, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        written(tmp_path, block)


@given(st.lists(st.lists(st.none() | st.floats(), min_size=3, max_size=3), max_size=5))
def test_shades_grow_with_the_numbers_and_every_number_is_kept(values: list[list[float | None]]) -> None:
    text = heat_map(Heat("M", ["r"] * len(values), ["a", "b", "c"], values), "m")
    cells = re.findall(r"<td(?: class=\"num(?: (above|below)-(\d))?\"(?: data-value=(\S+?))?)?>([^<]*)</td>", text)
    # The first is the corner.
    shown = [(side, int(shade or 0), exact or plain) for side, shade, exact, plain in cells[1:]]
    numbers = [value if value is not None and abs(value) < float("inf") else None for row in values for value in row]
    assert [float(exact) if exact else None for _, _, exact in shown] == numbers
    shades = sorted(
        (abs(value), shade) for value, (_, shade, _) in zip(numbers, shown, strict=True) if value is not None
    )
    assert [shade for _, shade in shades] == sorted(shade for _, shade in shades)
    for value, (side, _, _) in zip(numbers, shown, strict=True):
        assert side in {"", "above" if (value or 0) > 0 else "below"}


def test_a_large_table_of_shades_is_cut_and_says_so(tmp_path: Path) -> None:
    size = 500
    text = written(tmp_path, Heat("M", ["r"] * size, ["c"] * size, [[1 / 3] * size] * size))
    assert "the first 100 of 500 rows and the first 60 of 500 columns are shown" in text
    assert len(text.encode()) < MAX_BYTES


def test_many_blocks_stay_within_the_page(tmp_path: Path) -> None:
    labels = [f"{'x' * 290} {at}" for at in range(400)]
    bars, heat = Bars("B", "", labels, [1 / 3] * 400), Heat("M", labels, ["c"], [[1.0]] * 400)
    text = written(tmp_path, *(bars, heat) * 90)
    assert len(text.encode()) <= MAX_BYTES
    assert "left out to keep this page small" in text
