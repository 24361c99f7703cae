# ruff: noqa: DTZ001 - the times in a file have no zone
"""What is written in a form comes back exactly, and nothing that is not there is made up."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import date, datetime, time

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.formats import Table
from assay.reading import Reading
from assay.types import ColumnType, Kind, infer_types, refused_cells, typed

INT64 = st.integers(-(2**63), 2**63 - 1)


def table(*columns: Sequence[str | None]) -> Table:
    cells = pl.DataFrame({str(at): pl.Series(column, dtype=pl.String) for at, column in enumerate(columns)})
    frame = cells.lazy().with_row_index("row", offset=1)
    frame = frame.select(pl.col("row").cast(pl.Int64), pl.lit(None, pl.String).alias("fault"), pl.exclude("row"))
    return Table(tuple(f"c{at}" for at in range(len(columns))), frame, {"format": "text"})


def read(cells: Sequence[str | None], **reading: object) -> tuple[ColumnType, list[object]]:
    one = table(cells)
    (found,) = infer_types(one, Reading.model_validate(reading))
    return found, typed(one, (found,)).collect()["0"].to_list()


FORMS: dict[str, tuple[Sequence[str | None], Kind, Sequence[object]]] = {
    "whole numbers": (["1", "-2", "", " 3 ", None], Kind.INTEGER, [1, -2, None, 3, None]),
    "numbers": (["1.5", ".5", "5.", "1e3", "-0.25"], Kind.NUMBER, [1.5, 0.5, 5.0, 1000.0, -0.25]),
    "American": (["1,234.50", "12,345,678", "5"], Kind.NUMBER, [1234.5, 12345678.0, 5.0]),
    "without cents": (["5,-", "1.234,-", "-3,\u2013", "2,50"], Kind.NUMBER, [5.0, 1234.0, -3.0, 2.5]),
    "German": (["1.234,50", "12.345.678", "5"], Kind.NUMBER, [1234.5, 12345678.0, 5.0]),
    "French": (["1 234,50", "12\u202f345", "5"], Kind.NUMBER, [1234.5, 12345.0, 5.0]),
    "Swiss": (["1'234.50", "12\u2019345.25", "5"], Kind.NUMBER, [1234.5, 12345.25, 5.0]),
    "Indian": (["12,34,567.5", "1,00,000"], Kind.NUMBER, [1234567.5, 100000.0]),
    "marks of no value": (["1.5", "..", ":", "n/d", "#N/A", "\\N", "-", "2"], Kind.NUMBER, [1.5, *[None] * 6, 2.0]),
    "no value as a number": (["5.5", "-999", "7", "-999.0"], Kind.NUMBER, [5.5, None, 7.0, None]),
    "a day of no value": (["2024-01-31", "-999", ".."], Kind.DATE, [date(2024, 1, 31), None, None]),
    "a refund of 999": (["999", "-999", "5"], Kind.INTEGER, [999, -999, 5]),
    "no value among texts": (["a", "\\N", "-"], Kind.TEXT, ["a", None, "-"]),
    "house numbers": ([*map(str, range(11)), "11a"], Kind.TEXT, [*map(str, range(11)), "11a"]),
    "below a limit": ([*map(str, range(11)), "<5"], Kind.TEXT, [*map(str, range(11)), "<5"]),
    "German months": (["1. März 2024", "12. Mai 2023"], Kind.DATE, [date(2024, 3, 1), date(2023, 5, 12)]),
    "French months": (["1er août 2024", "2 févr. 2023"], Kind.DATE, [date(2024, 8, 1), date(2023, 2, 2)]),
    "Spanish months": (["1 de enero de 2024", "3-dic-2023"], Kind.DATE, [date(2024, 1, 1), date(2023, 12, 3)]),
    "days in signs": (["2024年3月1日", "2024년 12월 31일"], Kind.DATE, [date(2024, 3, 1), date(2024, 12, 31)]),
    "whole with thousands": (["1,234", "12,345"], Kind.INTEGER, [1234, 12345]),
    "decimal comma of three places": (["1,234", "0,5"], Kind.NUMBER, [1.234, 0.5]),
    "dollars": (["$1,234.50", "-$2.00", "($3.25)", "$ 4"], Kind.NUMBER, [1234.5, -2.0, -3.25, 4.0]),
    "euros behind": (["1,50 €", "2,25-", "3 €"], Kind.NUMBER, [1.5, -2.25, 3.0]),
    "codes": (["USD 5.50", "USD 1,000.00"], Kind.NUMBER, [5.5, 1000.0]),
    "percent": (["12.5%", "3 %"], Kind.NUMBER, [12.5, 3.0]),
    "a typesetter's minus": (["\u22121.5", "2.5"], Kind.NUMBER, [-1.5, 2.5]),
    "leading zeros": (["007", "12"], Kind.TEXT, ["007", "12"]),
    "leading zeros below": (["12", "13", "0"] * 300 + ["007"], Kind.TEXT, ["12", "13", "0"] * 300 + ["007"]),
    "20 digits": (["12345678901234567890", "1"], Kind.TEXT, ["12345678901234567890", "1"]),
    "telephone numbers": (["+4930123456", "+4930123457"], Kind.TEXT, ["+4930123456", "+4930123457"]),
    "zero and one": (["0", "1"], Kind.INTEGER, [0, 1]),
    "true and false": (["true", "FALSE", ""], Kind.BOOLEAN, [True, False, None]),
    "yes and no": (["Yes", "no", "n/a"], Kind.BOOLEAN, [True, False, None]),
    "only no": (["NO", "NO"], Kind.TEXT, ["NO", "NO"]),
    "y, n and a third": (["y", "n"] * 20 + ["u"], Kind.TEXT, ["y", "n"] * 20 + ["u"]),
    "days": (["2024-01-31", "2024-2-1"], Kind.DATE, [date(2024, 1, 31), date(2024, 2, 1)]),
    "midnights": (["2024-01-31 00:00:00"], Kind.DATE, [date(2024, 1, 31)]),
    "moments": (["2024-01-31T10:00:00Z"], Kind.DATETIME, [datetime(2024, 1, 31, 10)]),
    "day first": (["31/01/2024", "01/02/2024"], Kind.DATE, [date(2024, 1, 31), date(2024, 2, 1)]),
    "two digits": (["31.12.99", "1.2.24"], Kind.DATE, [date(1999, 12, 31), date(2024, 2, 1)]),
    "years of two digits first": (
        ["24-01-31", "24-01-15", "23-02-01"], Kind.DATE, [date(2024, 1, 31), date(2024, 1, 15), date(2023, 2, 1)],
    ),
    "named months": (["3-Mar-24", "4 April 2024"], Kind.DATE, [date(2024, 3, 3), date(2024, 4, 4)]),
    "compact": (["20240131", "20240201"], Kind.DATE, [date(2024, 1, 31), date(2024, 2, 1)]),
    "compact but for one": (["20240131"] * 30 + ["20241399"], Kind.INTEGER, [20240131] * 30 + [20241399]),
    "times": (["10:00", "9:30 pm", "23:59:59"], Kind.TIME, [time(10), time(21, 30), time(23, 59, 59)]),
    "months are no dates": (["2024-01", "2024-02"], Kind.TEXT, ["2024-01", "2024-02"]),
    "markers": (["NA", "n/a", "-"], Kind.EMPTY, [None, None, None]),
    "markers in text": (["NA", "Berlin", "-"], Kind.TEXT, ["NA", "Berlin", "-"]),
    "markers in numbers": (["NA", "1", "#DIV/0!"], Kind.INTEGER, [None, 1, None]),
    "nothing": (["", None, "  "], Kind.EMPTY, [None, None, None]),
    "no numbers of their own": (["nan", "1.5", "NaN"], Kind.NUMBER, [None, 1.5, None]),
    "addresses": (["192.168.1.1", "10.0.0.1"], Kind.TEXT, ["192.168.1.1", "10.0.0.1"]),
    "codes of digits and letters": (["P123", "P124"], Kind.TEXT, ["P123", "P124"]),
    "currencies alone": (["EUR", "USD"], Kind.TEXT, ["EUR", "USD"]),
}  # fmt: skip


@pytest.mark.parametrize("form", FORMS)
def test_reads(form: str) -> None:
    cells, kind, values = FORMS[form]
    found, got = read(cells)
    assert (found.kind, got) == (kind, values)
    assert found.refused == 0
    assert found.blank + found.filled == len(cells)
    assert found.filled == sum(value is not None for value in got)


@pytest.mark.parametrize(
    ("cells", "unit"),
    [
        (["$5", "$6"], "$"),
        (["5 €", "6"], "€"),
        (["€5", "6 EUR"], "EUR"),
        (["€5", "$6"], "mixed"),
        (["5%", "6"], "mixed"),
    ],
)
def test_says_the_unit(cells: list[str], unit: str) -> None:
    found, _ = read(cells)
    assert found.unit == unit
    assert found.kind is (Kind.NUMBER if unit == "mixed" else Kind.INTEGER)


@given(st.lists(INT64, min_size=1))
def test_whole_numbers_come_back(numbers: list[int]) -> None:
    found, got = read([str(number) for number in numbers])
    if found.kind is Kind.INTEGER:
        assert got == numbers
    else:  # all of them may be dates such as 20240131
        assert found.kind is Kind.DATE
        assert [f"{value:%Y%m%d}" for value in got] == [str(number) for number in numbers]


STYLES = {"american": (",", "."), "german": (".", ","), "french": ("\u00a0", ","), "swiss": ("'", ".")}


@given(
    st.lists(st.integers(-(10**11), 10**11), min_size=1, max_size=20),
    st.sampled_from(sorted(STYLES)),
    st.sampled_from(["{}", "{} €", "EUR {}", "{} EUR"]),
)
def test_amounts_come_back(cents: list[int], style: str, form: str) -> None:
    thousands, decimal = STYLES[style]
    cells = [f"{cent / 100:,.2f}".translate({44: thousands, 46: decimal}) for cent in cents]
    found, got = read([form.format(cell) for cell in cells])
    assert found.kind is Kind.NUMBER
    assert got == [cent / 100 for cent in cents]
    assert found.unit == ("" if form == "{}" else "€" if "€" in form else "EUR")


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=20))
def test_floats_come_back(numbers: list[float]) -> None:
    found, got = read([repr(number) for number in numbers])
    assert found.kind is Kind.NUMBER
    assert got == numbers


@given(
    st.lists(st.dates(date(1970, 1, 1), date(2068, 12, 31)), min_size=1),
    st.sampled_from(["%d/%m/%Y", "%m/%d/%y", "%d.%m.%y"]),
)
def test_dates_come_back(days: list[date], form: str) -> None:
    decides = [date(2024, 12, 31), date(2024, 11, 5)]
    found, got = read([day.strftime(form) for day in [*days, *decides]])
    assert found.kind is Kind.DATE
    assert got == [*days, *decides]


cell = st.one_of(
    st.text("0123456789.,-$%€ /:", max_size=9), st.text(max_size=6),
    st.sampled_from(["NA", "true", "no", "1.5", "2024-01-02", "1,234", "31/12/2024", "10:30", "007", "20240131"]),
)  # fmt: skip


@given(st.lists(cell, max_size=12), st.lists(cell, max_size=12), st.randoms(use_true_random=False))
@settings(deadline=None, max_examples=60)
def test_the_order_of_rows_makes_no_difference_and_nothing_is_made_up(
    first: list[str], second: list[str], dice: random.Random
) -> None:
    rows = [*zip(first, second, strict=False)]
    one = table([row[0] for row in rows], [row[1] for row in rows])
    types = infer_types(one, Reading())
    got = typed(one, types).collect()
    for at, kind in enumerate(types):
        values = got[str(at)]
        blank = (one.frame.collect()[str(at)].str.strip_chars() == "").to_list()
        assert all(values[row] is None for row in range(len(rows)) if blank[row])
        assert values.count() + kind.refused == kind.filled
        if kind.kind is Kind.TEXT:
            assert values.to_list() == [None if blank[row] else rows[row][at] for row in range(len(rows))]
    listed = refused_cells(one, types)
    assert listed.height == sum(kind.refused for kind in types)
    assert all(rows[row - 1][int(column[1:])] == text for row, column, text, _ in listed.iter_rows())
    dice.shuffle(rows)
    assert infer_types(table([row[0] for row in rows], [row[1] for row in rows]), Reading()) == types


def test_what_is_not_of_the_kind_is_listed() -> None:
    cells = [str(number) for number in range(38)]
    one = table([*cells, "about 5", "7"], ["x"] * 40)
    types = infer_types(one, Reading())
    assert (types[0].kind, types[0].filled, types[0].refused) == (Kind.INTEGER, 40, 1)
    assert refused_cells(one, types).rows() == [(39, "c0", "about 5", "not a whole number")]
    assert infer_types(table([*cells, "about 5", "about 6", "about 7"]), Reading())[0].kind is Kind.TEXT


def test_all_rows_decide_and_not_the_first() -> None:
    assert read([*["1"] * 2000, *["x"] * 600])[0].kind is Kind.TEXT
    assert read([*["x"] * 50, *["1"] * 2000])[0].kind is Kind.INTEGER
    assert read([*["1"] * 2000, "1.5"])[0].kind is Kind.NUMBER
    assert read([*["1"] * 2000, "31/12/2024"])[0].refused == 1


def test_a_few_words_among_numbers_are_refused() -> None:
    found, values = read([*map(str, range(11)), "Ice"])
    assert (found.kind, found.refused, values) == (Kind.INTEGER, 1, [*range(11), None])


def test_one_odd_cell_makes_no_decimals_of_thousands() -> None:
    counts = ["2.155", "1.692", "688", ".414", "99"]
    found, _ = infer_types(table(counts, ["19,47", "12,94", "18,35", "6,61", "9,99"]), Reading())
    assert (found.kind, found.decimal, found.thousands, found.refused) == (Kind.INTEGER, ",", ".", 1)


def test_missing_values_are_named_or_none_are_guessed() -> None:
    assert read(["5", "-999", "7"], missing_values=[])[1] == [5, -999, 7]


def test_other_columns_decide_what_one_leaves_open() -> None:
    open_to_both = ["1.234", "5.678"]
    assert [one.kind for one in infer_types(table(open_to_both, ["1,5", "2,25"]), Reading())] == [
        Kind.INTEGER,
        Kind.NUMBER,
    ]
    assert [one.kind for one in infer_types(table(open_to_both, ["1.5", "2.25"]), Reading())] == [Kind.NUMBER] * 2
    days = table(["01/02/2024", "03/04/2024"], ["31/12/2024", "01/01/2024"])
    assert typed(days, infer_types(days, Reading())).collect()["0"].to_list() == [date(2024, 2, 1), date(2024, 4, 3)]


def test_what_a_user_says_decides() -> None:
    assert read(["1,234"], decimal=",")[1] == [1.234]
    assert read(["1.234"], decimal=",")[1] == [1234]
    assert read(["01/02/2024"], date_order="day_first")[1] == [date(2024, 2, 1)]
    assert read(["01/02/03"], date_order="year_first")[1] == [date(2001, 2, 3)]
