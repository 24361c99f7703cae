"""What the reader reads as a number or a date, detection and the search for a header take for one, and nothing else."""

from __future__ import annotations

import unicodedata

import polars as pl
import pytest

from assay.detection.evidence import count_of
from assay.formats.cells import Looks, looks
from assay.formats.currencies import CODE_OF, CURRENCY
from assay.formats.table import Table
from assay.reading import Reading
from assay.types import Kind, infer_types, numbers
from assay.types.dates import parse

SIGNS = [chr(at) for at in range(0x20000) if unicodedata.category(chr(at)) == "Sc"]
WORDS = ["US$", "R$", "kr", "kr.", "zł", "Kč", "Ft", "Fr", "Fr.", "lei", "Rs", "Rs.", "RM", "Rp", "EUR", "ZWL"]
WRITTEN = [
    form.replace("@", currency)
    for currency in ["€", "kr.", "US$", "PLN"]
    for form in [
        "@5", "@ 5", "5@", "5 @", "-5 @", "@-5", "-@5", "@ -5", "5 @-", "(5 @)", "(@5)", "( 5 )", "5-", "\u22125 @",
        "+5@", "@1,234.50", "1.234,50 @", "1 234,50 @", "1\u00a0234,50\u00a0@", "1\u202f234 @", "1\u2009234 @",
        "@ 1'234.50", "@1\u2019234", "@12,34,567.89", "@.5", ",5 @", "@5.", "1.5e3 @", "-1E-3@",
        "5,- @", "@ 5.-", "5.\u2013 @", "1.234,-- @", "-@5,-",
    ]
] + ["5%", "-5 %", "(5%)", "12,5 %"]  # fmt: skip
DATES = [
    "2024-03-01 10:20:30", "2024-03-01", "2024/3/1", "2024-03-01T10:20", "2024-03-01T10:20:30.5Z",
    "2024-03-01 10:20+05:30", "3/1/2024", "3-1-2024 1:20 PM", "1.3.2024", "01.03.2024 10:20", "2024.03.01",
    "2024. 03. 01.", "2024. 3. 1", "2024年3月1日", "2024年3月1日 10時20分", "2024년 3월 1일", "1-Mar-2024",
    "1 March 2024", "1. März 2024", "1er mars 2024", "1 de marzo de 2024", "1º de março de 2024", "1st of March 2024",
    "1 d'abril de 2024", "1 марта 2024", "March 1st 2024", "March 1, 2024", "Mar. 1 2024 1:20 p.m.", "3/1/24",
    "1.3.24", "1-Mar-24", "1 Mar '24", "20240301T102030Z", "20240301 102030",
]  # fmt: skip


def is_read_as_number(cells: list[str]) -> list[bool]:
    """Whether each is a number in some style."""
    parts = pl.DataFrame({"cell": cells}).select(parts=numbers.groups(pl.col("cell")))
    styles = [(decimal, thousands) for decimal in ".," for thousands in ["", *",. '"] if decimal != thousands]
    read = [numbers.number(pl.col("parts"), *style, whole=False).is_not_null().alias(f"{style}") for style in styles]
    return parts.select(pl.any_horizontal(read)).to_series().to_list()


def test_every_sign_of_unicode_is_a_currency() -> None:
    found = pl.Series(SIGNS).str.contains(f"^{CURRENCY}$")
    assert [sign for sign, known in zip(SIGNS, found, strict=True) if not known] == []
    assert pl.Series([*CODE_OF, *WORDS]).str.contains(f"^{CURRENCY}$").all()


def test_what_is_read_as_a_number_is_one_everywhere() -> None:
    cells = [*WRITTEN, *(f"{sign}5" for sign in SIGNS + WORDS), *(f"5 {sign}" for sign in SIGNS + WORDS)]
    assert [cell for cell, read in zip(cells, is_read_as_number(cells), strict=True) if not read] == []
    assert [cell for cell in cells if looks(cell) is not Looks.NUMBER or count_of("number", [cell]) != 1] == []


def test_what_is_read_as_a_date_is_one_everywhere() -> None:
    frame = pl.LazyFrame({f"{at}": [cell] for at, cell in enumerate(DATES)})
    table = Table(tuple(DATES), frame.with_columns(row=pl.lit(1), fault=pl.lit(None, pl.String)), {})
    found = dict(zip(DATES, infer_types(table, Reading(date_order="month_first")), strict=True))
    assert [cell for cell, one in found.items() if one.kind not in (Kind.DATE, Kind.DATETIME)] == []
    for at, (cell, one) in enumerate(found.items()):
        assert one.dates is not None
        assert parse(frame, f"{at}", one.dates).collect()[f"{at}"].dt.strftime("%d.%Y").to_list() == ["01.2024"], cell
    assert [cell for cell in DATES if looks(cell) is not Looks.DATE or count_of("date", [cell]) != 1] == []


@pytest.mark.parametrize(
    "cell",
    ["kr", "US$", "€", "Total (€)", "Amount EUR", "kr 5 each", "Rs", "EUR", "5 apples", "SKU 100", "5 PCS a", "1.2.3",
     "(5", "5)", "March", "March 2024", "5 pieces 2024", "12 Main St 24", "10SKU-24", "May 5", "order 1/2/2024"],
)  # fmt: skip
def test_words_are_neither(cell: str) -> None:
    assert (count_of("number", [cell]), count_of("date", [cell])) == (0, 0)
