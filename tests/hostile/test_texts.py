"""Delimited text without end: of columns, of lines, of quotes, of blanks."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

import pytest

from assay.errors import Unprocessable
from functions.process.sandbox.messages import Finished
from tests.assay.analyses import HEADER
from tests.hostile.refusals import Opened, Refused, refused_by

ROW = "CT,2024-01-01,D,1.5\n"
WIDE = HEADER.strip() + "".join(f",c{n}" for n in range(9_990)) + "\n" + ROW
# So many that the trouble is below the first MiB, which is looked at in another way.
HEAD = HEADER + ROW * 60_000


def filled(before: str, what: str, times: int, after: str = "", encoding: str = "utf-8") -> Callable[[Path], None]:
    """A file of something many times, written a MiB at a time."""

    def write(path: Path) -> None:
        with path.open("w", encoding=encoding, newline="") as file:
            file.write(before)
            at_once = max(1, (1 << 20) // len(what))
            for _ in range(times // at_once):
                file.write(what * at_once)
            file.write(what * (times % at_once) + after)

    return write


ENDLESS = {
    "a line": (filled(HEADER + ROW, "x", 500_000_000), Refused("line_too_long", "begins at byte 54")),
    "a line of commas": (filled(HEADER + ROW, ",", 100_000_000), Refused("line_too_long", "begins at byte 54")),
    "ten million columns": (filled(HEAD, "1,", 10_000_000, "\n"), Refused("line_too_long", "begins at byte 1,200,034")),
    "a line in UTF-16": (
        filled(HEADER + ROW, "x", 100_000_000, encoding="utf-16"), Refused("line_too_long", "Line 3"),
    ),
    "a header": (filled("", "Station_ID,", 100_000), Refused("too_many_columns", "95,32")),
    "a header of ten thousand and one": (
        filled(HEADER.strip(), ",x", 10_000, "\n" + ROW), Refused("too_many_columns", "10,004"),
    ),
    "columns with nothing below them": (
        filled(WIDE, "a\n", 1_000_000), Refused("too_many_cells", "1,000,002 lines of 9,994 columns"),
    ),
    "columns with quotes below them": (
        filled(WIDE, '"a"b\n', 200_000), Refused("too_many_cells", "200,001 lines of 9,994 columns"),
    ),
    "blank lines": (filled(HEADER + ROW, "\n", 30_000_000), Refused("too_many_cells", "30,000,002 lines of 4")),
    "quotes, one opened in each line": (filled(HEAD, 'x","z\n', 60_000), Refused("broken_quotes", "can't be told")),
    "quotes with rows between them": (
        filled(HEAD, 'x","z\n' + ROW * 2, 30_000, 'x",z\n'), Refused("broken_quotes", "can't be told"),
    ),
    "a quote in front of long lines": (
        filled(HEAD, 'x","z\n' * 1_000 + "y" * 900_000 + "\n", 40), Refused("broken_quotes", "can't be told"),
    ),
    "NULs": (filled(HEAD, "\0", 20_000_000), Refused("binary_content", "NUL")),
}  # fmt: skip


# They take several seconds each.
LONG = {
    "columns with nothing below them", "columns with quotes below them", "quotes, one opened in each line",
    "quotes with rows between them",
}  # fmt: skip


@pytest.mark.parametrize(
    "kind", [pytest.param(kind, marks=[pytest.mark.faults] if kind in LONG else []) for kind in ENDLESS]
)
def test_what_has_no_end_is_refused(kind: str, opened: Opened) -> None:
    make, expected = ENDLESS[kind]
    refused_by(opened, make, expected, "field.csv")


def used(opened: Opened, make: Callable[[Path], object] | bytes) -> tuple[int, int]:
    """How many rows were read, and how many of them used."""
    found = opened(make, "field.csv", dataset_type="station_measurements")
    assert isinstance(found, Finished)
    return found.summary.counts["rows"].read, found.summary.counts["rows"].used


@pytest.mark.parametrize("line", [1, 60_000])
def test_a_quote_that_never_closes_costs_one_row(line: int, opened: Opened) -> None:
    quoted = f'"{ROW}'
    assert used(opened, filled(HEADER + ROW * line + quoted, ROW, 20_000)) == (line + 20_001, line + 20_000)


def test_a_million_blank_lines_are_none(opened: Opened) -> None:
    assert used(opened, filled(HEADER + ROW, "\n", 1_000_000)) == (1, 1)


def test_a_table_of_commas_is_a_table(opened: Opened) -> None:
    # As many blank cells as there are bytes: the worst that an honest file can be.
    assert used(opened, filled(WIDE, ROW.strip() + "," * 9_990 + "\n", 1_000)) == (1_001, 1_001)


def test_twenty_lines_of_ten_thousand_names_are_looked_at_quickly(opened: Opened) -> None:
    names = ",".join(f"a{n:02x}" for n in range(9_990)) + "\n"
    with pytest.raises(Unprocessable, match="needs Station_ID"):
        opened((names * 20).encode(), "field.csv", dataset_type="station_measurements")


def test_a_cell_of_a_hundred_thousand_digits_is_looked_at_quickly(opened: Opened, outputs: Path) -> None:
    digits = "1" * 100_000
    rows = "".join(f"CT,2024-01-01,D,{digits}{end}\n" for end in ("x", "e1x", ".5x", "")) + ROW
    assert used(opened, (HEADER + rows).encode()) == (5, 1)
    csv.field_size_limit(200_000)
    with (outputs / "audit_lineage.csv").open(newline="") as file:
        lineage = list(csv.DictReader(file))
    assert [row["result"] for row in lineage] == [f"{digits}x", f"{digits}e1x", f"{digits}.5x", digits, "1.5"]


def test_a_wide_row_does_not_hide_the_header(opened: Opened) -> None:
    wide = "CT,2024-01-02,D,1" + ",x" * 20_000
    assert used(opened, f"{HEADER}{ROW}{',' * 20_000}\n{wide}\n".encode()) == (2, 1)
