"""What a spreadsheet would take for a formula is text in every XLSX, and has an apostrophe in front in every CSV."""

from __future__ import annotations

import csv
import hashlib
import io
import re
import sys
import unicodedata

import openpyxl
import polars as pl
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from assay.run import Analysis
from tests.assay.analyses import HEADER, Run
from tests.assay.outputs import path_of, table_of
from tests.hostile.formulas import FORMULAS, GUARDED, PLAIN, guard

# How a program begins a cell: at the start of the file's own cells, and within them where it parts by other characters.
CELL = re.compile(r"[;\t\r\n]")
UNSEEN = "".join(chr(at) for at in range(sys.maxunicode) if unicodedata.category(chr(at)) in {"Cc", "Cf"})
BEFORE = f"(?:[^\\S\\t\\r\\n]|[{re.escape(UNSEEN.translate({9: None, 10: None, 13: None}))}]|[\"'])*"
FORMULA = f"{BEFORE}[=+\\-@\uff1d\uff0b\uff0d\uff20]"
NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?", re.ASCII)


def is_safe(text: str) -> bool:
    """Whether no part of a text that could be a cell of its own begins a formula, unless an apostrophe is in front."""
    if NUMBER.fullmatch(text):
        return True
    return not any(re.match(FORMULA, cell) and not cell.startswith("'") for cell in CELL.split(text))


def unguard(text: str) -> str:
    """The rule backwards, as docs/decisions/hostile-input.md gives it."""
    before = re.sub(f"(^|[;\t\r\n])'({FORMULA})", r"\1\2", text)
    return re.sub(r"^'('*[\t\r\n])", r"\1", before)


@pytest.mark.parametrize("text", FORMULAS)
def test_a_formula_gets_an_apostrophe(text: str) -> None:
    assert not is_safe(text), "or the test sees nothing"
    assert is_safe(guard(text))
    assert unguard(guard(text)) == text


@pytest.mark.parametrize("text", GUARDED)
def test_one_apostrophe_more_than_there_was(text: str) -> None:
    assert guard(text) == f"'{text}"
    assert unguard(guard(text)) == text


@pytest.mark.parametrize("text", PLAIN)
def test_what_is_no_formula_stays_as_it_is(text: str) -> None:
    assert guard(text) == text


# Without what is newer than this Python's Unicode, and may be a format character.
LETTERS = st.characters(codec="utf-8", exclude_categories=("Cn", "Co", "Cs"))


@given(st.text(st.sampled_from("=+-@'\"; \t\r\n1ax.\u200b\ufeff\uff1d") | LETTERS, max_size=12))
@example("'\t=")
@example(";;=\n;'=")
def test_any_text_is_safe_and_can_be_had_back(text: str) -> None:
    assert is_safe(guard(text))
    assert unguard(guard(text)) == text


def as_csv(rows: list[list[str]]) -> str:
    out = io.StringIO()
    csv.writer(out).writerows(rows)
    return HEADER + out.getvalue()


@pytest.fixture
def everywhere(run: Run) -> Analysis:
    """Formulas as stations, as codes, as dates and as results."""
    rows = [[text, "2024-01-01", "D", "1"] for text in FORMULAS]
    rows += [["CT", "2024-01-01", text, "-2"] for text in FORMULAS]
    rows += [["CT", text, "D", text] for text in FORMULAS]
    return run(as_csv(rows), dataset_type="station_measurements")


def test_no_csv_holds_a_formula(everywhere: Analysis) -> None:
    names = [output.name for output in everywhere.outputs if output.name.endswith(".csv")]
    assert len(names) == len(FORMULAS) + 2
    for name in names:
        unsafe = [cell for row in table_of(everywhere, name) for cell in row if not is_safe(cell)]
        assert unsafe == []


def test_no_workbook_holds_a_formula(everywhere: Analysis) -> None:
    seen = set()
    for output in everywhere.outputs:
        if not output.name.endswith(".xlsx"):
            continue
        sheet = openpyxl.load_workbook(output.path).active
        assert sheet is not None
        for row in sheet.iter_rows():
            for cell in row:
                assert cell.data_type in {"s", "n", "d"}
                seen.add(cell.value)
        assert b"<f>" not in output.path.read_bytes()
    assert {text for text in FORMULAS if "\r" not in text} < seen, "and as they are, without an apostrophe"


def test_numbers_below_zero_stay_numbers(everywhere: Analysis) -> None:
    table = table_of(everywhere, "CT_Analysis.csv")
    assert set(table[1][3:]) == {"-2.0"}


def test_the_lineage_is_exact_in_parquet_and_can_be_had_back_from_the_csv(everywhere: Analysis) -> None:
    parquet = pl.read_parquet(path_of(everywhere, "audit_lineage.parquet"))
    assert parquet["station_id"].to_list()[: len(FORMULAS)] == FORMULAS
    header, *rows = table_of(everywhere, "audit_lineage.csv")
    assert header == parquet.columns
    assert [[unguard(cell) for cell in row] for row in rows] == [
        [str(cell) for cell in row] for row in parquet.iter_rows()
    ]
    for row in rows:
        exact = "|".join(map(unguard, row[1:5]))
        assert row[5] == hashlib.sha256(exact.encode()).hexdigest()


def test_the_name_of_a_file_is_in_no_output(run: Run) -> None:
    rows = as_csv([["CT", "2024-01-01", "D", "1"]])
    found = run(rows, filename="=cmd|' /C calc'!A0.csv", dataset_type="station_measurements")
    assert all(b"calc" not in output.path.read_bytes() for output in found.outputs)
