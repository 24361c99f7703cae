"""What a file holds beyond the table that was read is told on the page, and cells without a name are never lost."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Callable
from datetime import date, timedelta
from fractions import Fraction
from pathlib import Path
from typing import cast

import openpyxl
import polars as pl
import pytest

from assay.errors import Unprocessable
from assay.files import read_file
from tests.assay.analyses import Run
from tests.assay.office import archive
from tests.assay.outputs import findings_of, json_of

SALES = "Date,Order ID,Customer,Amount"


def _lines(amounts: list[str], header: str = SALES) -> str:
    days = (date(2024, 1, 1) + timedelta(days=n) for n in range(len(amounts)))
    rows = (f"{day},O{n},C{n % 7},{amount}" for n, (day, amount) in enumerate(zip(days, amounts, strict=True)))
    return "\n".join([header, *rows]) + "\n"


@pytest.mark.parametrize(
    ("amount", "header"),
    [
        (lambda n: f"{100 + n},{n:02}", SALES),
        (lambda n: f"-{n},5", SALES),
        (lambda n: f"$ {n},{n % 10} kg", SALES + ","),
        (lambda n: f"{100 + n},{n:02},{n},50", SALES + ",Tax"),
        (lambda n: f"{100 + n},{5 * n % 100:02}", "Bought,Name,Town,Price"),
    ],
)
def test_decimal_commas_without_quotes_are_refused_and_never_cut_off(
    amount: Callable[[int], str], header: str, run: Run
) -> None:
    content = _lines([amount(n) for n in range(30)], header)
    dataset_type = "transactions" if header.startswith(SALES) else "table"
    with pytest.raises(Unprocessable) as refused:
        run(content, dataset_type=dataset_type)
    assert refused.value.code == "decimal_commas"
    told = run(content, {"reading": {"decimal": "."}}, dataset_type="table")
    assert "without a name" in findings_of(told)


@pytest.mark.parametrize("amount", [lambda n: f"{n},ok", lambda n: f"{n}.50,7", lambda n: f"{n},{n}.5"])
def test_a_filled_column_without_a_name_is_told(amount: Callable[[int], str], run: Run) -> None:
    content = _lines([amount(n) for n in range(30)])
    told = "A column without a name holds something: column 5 in 30 of 30 rows."
    for dataset_type in ("transactions", "table"):
        assert told in findings_of(run(content, dataset_type=dataset_type))


def test_a_blank_column_without_a_name_is_not_told(run: Run) -> None:
    assert "without a name" not in findings_of(run(_lines([f"{n}.50," for n in range(30)], SALES + ",")))


@pytest.mark.parametrize("dataset_type", ["transactions", "table"])
def test_files_of_an_archive_that_were_not_read_are_told(dataset_type: str, run: Run) -> None:
    months = {f"{name}.csv": _lines([str(n) for n in range(1, days)]) for name, days in (("jan", 32), ("feb", 30))}
    packed = archive({**months, "README.txt": "words", "LICENSE": "words"})
    said = findings_of(run(packed, filename="two.zip", dataset_type=dataset_type))
    assert "Files in the archive that were not read: feb.csv. jan.csv was read." in said
    alone = archive({"jan.csv": months["jan.csv"], "README.txt": "words"})
    assert "not read" not in findings_of(run(alone, filename="one.zip", dataset_type=dataset_type))


@pytest.mark.parametrize("dataset_type", ["transactions", "table"])
def test_tables_of_a_json_that_were_not_read_are_told(dataset_type: str, run: Run) -> None:
    orders = [{"order_id": f"o{n}", "order_date": f"2024-01-{n:02}", "amount": n} for n in range(1, 31)]
    content = json.dumps({"orders": orders, "refunds": orders[:12], "meta": {"links": [{"self": "x"}]}})
    said = findings_of(run(content, filename="two.json", dataset_type=dataset_type))
    assert "Tables in the JSON that were not read: refunds (12 rows). The one that was read: orders." in said


def test_sheets_that_were_read_together_are_told_and_sums_by_day_are_not_added(tmp_path: Path, run: Run) -> None:
    header = ["Order ID", "Order Date", "Customer", "Amount"]
    rows = [[f"O{n}", date(2024, 1 + n % 2, 1 + n % 28), f"C{n % 5}", 100 + n] for n in range(40)]
    book = openpyxl.Workbook()
    book.remove(book.worksheets[0])
    sums: dict[object, Fraction] = {}
    for row in rows:
        sums[row[1]] = sums.get(row[1], Fraction(0)) + Fraction(str(row[3]))
    sheets = {"Jan": rows[::2], "Feb": rows[1::2], "By day": [[None, day, None, int(sums[day])] for day in sums]}
    for name, own in sheets.items():
        sheet = book.create_sheet(name)
        for cells in (header, *own):
            sheet.append(cells)
    book.save(tmp_path / "days.xlsx")
    found = run((tmp_path / "days.xlsx").read_bytes(), filename="days.xlsx", dataset_type="transactions")
    assert "2 sheets with the same columns were read as one table: Jan, Feb." in findings_of(found)
    assert "Sheets that were not read: By day." in findings_of(found)
    (total,) = json_of(found, "kpis.json")["currencies"]
    assert Fraction(str(total["gross"])) == sum(sums.values())


@pytest.mark.parametrize(
    ("formats", "said"),
    [
        (["[$$-409]#,##0.00", "#,##0.00 [$€-407]"], "name 2 currencies: $ in 15 cells, € in 15 cells"),
        (["$#,##0.00", "[$CA$-1009]#,##0.00"], "name 2 currencies: $ in 15 cells, CA$ in 15 cells"),
        (['#,##0.00" EUR"', '_-* #,##0.00\\ "USD"_-', "General"], "name 2 currencies: € in 10 cells, $ in 10 cells"),
        (["[$$-409]#,##0.00", "$#,##0.00;[Red]-$#,##0.00", '#,##0.00 "USD"', "0.00"], None),
        (["[$-409]d.m.yyyy", "[Red]0.00", "[$€-407]0.00"], None),
    ],
)
def test_currencies_of_number_formats_are_told(formats: list[str], said: str | None, tmp_path: Path, run: Run) -> None:
    book = openpyxl.Workbook()
    sheet = book.worksheets[0]
    sheet.append(["Order ID", "Order Date", "Amount"])
    for at in range(30):
        sheet.append([f"O{at}", date(2024, 1, 1 + at), 100 + at])
        sheet.cell(at + 2, 3).number_format = formats[at % len(formats)]
    book.save(tmp_path / "money.xlsx")
    found = run((tmp_path / "money.xlsx").read_bytes(), filename="money.xlsx", dataset_type="transactions")
    if said is None:
        assert "number formats" not in findings_of(found)
    else:
        assert f"The number formats in column C of the sheet Sheet {said}." in findings_of(found)


@pytest.mark.parametrize("kind", ["csv", "parquet", "xlsx", "json"])
def test_a_path_that_is_no_utf8_is_read(kind: str, tmp_path: Path) -> None:
    frame = pl.DataFrame({"a": ["x", "y", "z"], "b": [1, 2, 3]})
    path = tmp_path / os.fsdecode(b"bad\xff") / os.fsdecode(b"bad\xff." + kind.encode())
    path.parent.mkdir()
    content = io.BytesIO()
    write = {
        "csv": frame.write_csv,
        "parquet": frame.write_parquet,
        "xlsx": frame.write_excel,
        "json": frame.write_json,
    }
    cast("Callable[[io.BytesIO], object]", write[kind])(content)
    path.write_bytes(content.getvalue())
    assert read_file(path, {}).frame.rows() == [("x", 1), ("y", 2), ("z", 3)]
