"""Decimal and thousands marks of results, one style for the whole column."""

from __future__ import annotations

import pytest
from pydantic import JsonValue

from tests.assay.analyses import Run
from tests.assay.outputs import findings_of, json_of, table_of

COMMA = {"decimal": ",", "thousands": "."}
POINT = {"decimal": ".", "thousands": ","}


def lines(delimiter: str, results: list[str]) -> str:
    rows = [f'A;2024-01-{day:02d};Zn;"{result}"' for day, result in enumerate(results, start=1)]
    return "\n".join(["Station;Date;Parameter;Result", *rows]).replace(";", delimiter) + "\n"


@pytest.mark.parametrize(
    ("delimiter", "results", "reading", "expected"),
    [
        (",", ["900", "1,201", "902"], None, [900, 1201, 902]),
        (",", ["900", "1,201", "902"], POINT, [900, 1201, 902]),
        (",", ["900", "1,201", "902"], {"thousands": ","}, [900, 1201, 902]),
        (",", ["900", "1,201", "902"], {"decimal": ","}, [900, 1.201, 902]),
        (",", ["0.5", "1,201.5", "<1,000"], None, [0.5, 1201.5, "<1000.0"]),
        (",", ["1,234,567", "2,345"], None, [1234567, 2345]),
        (",", ["0,5", "1,25", "3"], None, [0.5, 1.25, 3]),
        (",", ["1,234", "2,345"], POINT, [1234, 2345]),
        (",", ["900", "1 200", "12 345.5"], None, [900, 1200, 12345.5]),
        (",", ["900", "1'200", "2'300"], None, [900, 1200, 2300]),
        (";", ["1.234", "7,0", "<0,5"], None, [1234, 7, "<0.5"]),
        (";", ["1.234", "7,0", "-2.235"], COMMA, [1234, 7, -2235]),
        (";", ["1.234", "900"], {"thousands": "."}, [1234, 900]),
        (";", ["1.234", "900"], {"decimal": ","}, [1234, 900]),
        (";", ["1.234.567", "7"], None, [1234567, 7]),
        (";", ["1.234", "900"], None, [1.234, 900]),
        (";", ["1,2e3", "7 J"], None, [1200, 7]),
        ("\t", ["1,200", "0,5"], None, [1.2, 0.5]),
    ],
)  # fmt: skip
def test_one_style_reads_the_whole_column(
    run: Run, delimiter: str, results: list[str], reading: dict[str, JsonValue] | None, expected: list[float | str]
) -> None:
    found = run(lines(delimiter, results), {"reading": reading} if reading else {})
    cells = [row[2] for row in table_of(found, "A_Analysis.csv")[1:]]
    assert cells == [str(float(one)) if not isinstance(one, str) else one for one in expected]
    assert json_of(found, "quality.json")["rows"]["refused"] == 0


@pytest.mark.parametrize("results", [["1,234", "2,345", "0.5x"], ["7", "1,234.5", "12,3"]])
def test_what_no_style_reads_is_refused(run: Run, results: list[str]) -> None:
    found = run(lines(",", [*results, "7"]))
    assert json_of(found, "quality.json")["rows"]["refused"] > 0


def test_what_was_taken_for_thousands_is_said(run: Run) -> None:
    found = run(lines(";", ["1.234", "7,0"]))
    assert json_of(found, "quality.json")["read_as"]["thousands"] == "."
    assert "with a point between thousands" in findings_of(found)
