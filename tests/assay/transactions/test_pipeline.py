"""The pipeline as a whole: its outputs, what it says of a dirty file, and the same bytes whatever the threads do."""

# ruff: noqa: S311 - seeded, so that every run has the same rows
from __future__ import annotations

import csv
import io
import json
import os
import random
import subprocess
import sys
from collections.abc import Callable, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
import polars as pl
import pytest
from pydantic import JsonValue

from assay.datasets import registry
from assay.datasets.registry import for_type
from assay.errors import Unprocessable
from assay.run import Analysis
from tests.assay.analyses import MakeSource, Run, run_in
from tests.assay.outputs import hashes, json_of, path_of, table_of, unpacked

ROOT = Path(__file__).parents[3]
EXAMPLE = ROOT / "examples" / "transactions.csv"

_PRINT_HASHES = """
import sys
from pathlib import Path
from tests.assay.analyses import run_in, write_source
from tests.assay.outputs import hashes
folder = Path(sys.argv[2])
source = write_source(folder / "upload", Path(sys.argv[1]).read_bytes(), "threads.csv")
print(sorted(hashes(run_in(folder / "out", source, {}, "transactions")).items()))
"""

Analyse = Callable[..., Analysis]


@pytest.fixture
def analyse(tmp_path: Path, make_source: MakeSource) -> Analyse:
    made = iter(range(99))

    def call(content: bytes | str, parameters: Mapping[str, JsonValue] | None = None) -> Analysis:
        source = make_source(content, "orders.csv")
        found = run_in(tmp_path / f"out-{next(made)}", source, parameters, "transactions")
        assert isinstance(found, Analysis)
        return found

    return call


def csv_of(rows: list[dict[str, str]]) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def currency(kpis: Any, code: str | None) -> Any:
    (found,) = (one for one in kpis["currencies"] if one["currency"] == code)
    return found


def test_the_example_adds_up(analyse: Analyse) -> None:
    found = analyse(EXAMPLE.read_bytes())
    kpis = json_of(found, "kpis.json")
    totals = {"EUR": Decimal(0), "USD": Decimal(0), "": Decimal(0)}
    with EXAMPLE.open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            text = row["revenue"] or str(Decimal(row["quantity"]) * Decimal(row["unit_price"]))
            if text.replace(".", "").lstrip("-").isdigit() and row["order_date"] not in ("", "2023-02-30"):
                totals[row["currency"]] += Decimal(text)
    assert {one["currency"] or "": Decimal(one["amount"]) for one in kpis["currencies"]} == totals
    months = table_of(found, "monthly.csv")
    at = {name: months[0].index(name) for name in ("currency", "revenue")}
    by_month = {
        code: sum(Decimal(row[at["revenue"]]) for row in months[1:] if row[at["currency"]] == code) for code in totals
    }
    assert by_month == totals
    for one in kpis["currencies"]:
        for part in ("region", "country", "product_category", "channel"):
            listed = one["breakdowns"][part]["top"]
            assert sum(Decimal(row["revenue"]) for row in listed) == Decimal(one["amount"])


def test_the_example_has_something_to_say(analyse: Analyse) -> None:
    found = analyse(EXAMPLE.read_bytes())
    kpis = json_of(found, "kpis.json")
    assert set(kpis["quality"]["refused"]) == {"missing_date", "unparsable_date", "amount_not_a_number"}
    assert kpis["quality"]["identical_rows"]["count"] == 1
    assert kpis["reconciliation"]["breaks"] == len(table_of(found, "reconciliation.csv")) - 1 > 0
    assert kpis["customers"]["rows_without_customer"] > 0
    assert kpis["left_out"] == {}
    assert "2024-05-14" in {one["day"] for one in currency(kpis, "EUR")["anomalies"]["found"]}
    lineage = table_of(found, "audit_lineage.csv")
    assert len(lineage) == found.summary.counts["rows"].read + 1
    statuses = [row[lineage[0].index("status")] for row in lineage[1:]]
    assert statuses.count("used") == found.summary.counts["rows"].used == kpis["rows"]["used"]
    assert pl.read_parquet(path_of(found, "audit_lineage.parquet")).height == found.summary.counts["rows"].read


def test_the_example_is_what_its_script_makes(tmp_path: Path) -> None:
    script = EXAMPLE.with_name("make_transactions.py")
    copy = tmp_path / script.name
    copy.write_bytes(script.read_bytes())
    subprocess.run([sys.executable, str(copy)], check=True)
    assert (tmp_path / EXAMPLE.name).read_bytes() == EXAMPLE.read_bytes()


def test_the_sample_beside_the_rules_runs(analyse: Analyse) -> None:
    found = analyse((for_type("transactions").folder / "example.csv").read_bytes())
    assert found.summary.counts["rows"].refused == 0
    assert registry.rules_of(for_type("transactions")).missing(["order_date", "revenue"]) == []


def test_the_smallest_file_and_what_it_has_not(analyse: Analyse) -> None:
    found = analyse("Date,Amount\n2024-01-05,10\n2024-02-05,15\n")
    kpis = json_of(found, "kpis.json")
    (only,) = kpis["currencies"]
    assert (only["amount"], only["orders"], only["customers"], only["fee_rate"]) == ("25", 2, None, None)
    assert [one["growth_month"] for one in only["months"]] == [None, 0.5]
    assert kpis["orders_counted_by"] == "row"
    assert kpis["customers"] is kpis["fraud"] is kpis["success"] is kpis["reconciliation"] is None
    assert {"orders", "customers", "reconciliation", "fraud", "loans", "product"} <= set(kpis["left_out"])
    assert "reconciliation.csv" not in hashes(found)
    assert table_of(found, "monthly.csv")[0] == [
        "month", "currency", "days", "rows", "revenue", "refunds", "orders", "average_order", "growth_month",
        "growth_year", "note",
    ]  # fmt: skip


def test_one_currency_alone(analyse: Analyse) -> None:
    text = "order_date,revenue,currency\n2024-01-05,10,EUR\n2024-01-06,1,USD\n"
    found = analyse(text, {"currency": "€"})
    kpis = json_of(found, "kpis.json")
    assert [one["currency"] for one in kpis["currencies"]] == ["EUR"]
    assert kpis["quality"]["refused"]["other_currency"]["count"] == 1
    with pytest.raises(Unprocessable) as raised:
        analyse(text, {"currency": "GBP"})
    assert raised.value.code == "no_such_currency"


def test_nothing_to_use(analyse: Analyse) -> None:
    with pytest.raises(Unprocessable) as raised:
        analyse("order_date,revenue\n2024-01-05,\n,5\n")
    assert raised.value.code == "no_usable_rows"
    assert "missing_date 1" in raised.value.detail


HOSTILE = [
    "=1+1", "+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", "\t=1", '<script>alert("x")</script>', "a\x00b", "x" * 2000, "'",
    "\u202ereversed", "\uff1d1", "NULL", "\U0001f642",
]  # fmt: skip


def test_no_cell_becomes_a_formula_or_markup(analyse: Analyse) -> None:
    named = ("order_id", "region", "product_name", "customer_id", "channel")
    plain = {"order_date": "2024-01-05", "revenue": "12.50", "currency": "EUR"}
    rows = [dict.fromkeys(named, text) | plain for text in HOSTILE]
    found = analyse(csv_of(rows))
    assert found.summary.counts["rows"].used == len(HOSTILE)
    for name in ("monthly.csv", "audit_lineage.csv"):
        for row in table_of(found, name):
            assert not [cell for cell in row if cell[:1] in ("=", "+", "@", "\t") or cell.startswith("-2+")]
    book = openpyxl.load_workbook(path_of(found, "breakdown.xlsx"))
    cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row]
    assert not [cell for cell in cells if cell.data_type == "f"]
    assert "=1+1" in {cell.value for cell in cells}
    assert "<script>alert" not in path_of(found, "dashboard.html").read_text()
    assert currency(json_of(found, "kpis.json"), "EUR")["amount"] == "162.50"


@pytest.mark.parametrize(
    "number", ["9" * 26, "-" + "9" * 26, "1e25", "9" * 15, "0.000000000000001", "9" * 99, "1e-400"]
)
def test_no_number_is_too_large_or_too_small(analyse: Analyse, number: str) -> None:
    named = ("quantity", "unit_price", "loan_amount", "interest_rate", "transaction_fee", "success_rate")
    rows = [dict.fromkeys(named, number) | {"order_date": "2024-01-05", "revenue": text} for text in (number, "1", "2")]
    found = analyse(csv_of(rows))
    assert found.summary.counts["rows"].used in (2, 3)
    assert pl.read_parquet(path_of(found, "audit_lineage.parquet")).height == 3


def test_files_as_shops_write_them(analyse: Analyse) -> None:
    german = "Bestellnummer;Bestelldatum;Kunde;Artikel;Menge;Einzelpreis;Umsatz\n"
    german += "1;31.01.2024;Meier;Stuhl;2;1.049,50 €;2.099,00 €\n2;01.02.2024;Meier;Tisch;1;10,00 €;-10,00 €\n"
    (euro,) = json_of(analyse(german.encode("cp1252")), "kpis.json")["currencies"]
    assert (euro["currency"], euro["amount"], euro["refunds"], euro["orders"]) == ("EUR", "2089.00", "-10.00", 1)
    invoices = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n"
    invoices += "536365,85123A,HEART HOLDER,6,12/1/2010 8:26,2.55,17850,United Kingdom\n"
    invoices += "536365,71053,LANTERN,6,12/1/2010 8:26,3.39,17850,United Kingdom\n"
    invoices += "C536379,D,Discount,-1,12/13/2010 9:41,27.50,14527,United Kingdom\n"
    (pound,) = json_of(analyse(invoices), "kpis.json")["currencies"]
    assert (pound["currency"], pound["amount"], pound["orders"]) == (None, "8.14", 1)
    assert pound["first_day"] == "2010-12-01"


def test_no_output_names_the_file_or_the_machine(analyse: Analyse, tmp_path: Path) -> None:
    found = analyse("order_date,revenue\n2024-01-05,1\n")
    for output in found.outputs:
        content = unpacked(output.path)
        assert b"orders.csv" not in content
        assert str(tmp_path).encode() not in content


@pytest.mark.faults
def test_whatever_the_threads_do(tmp_path: Path) -> None:
    # More than one row group of the Parquet file, so that threads have something to mix up.
    dice = random.Random(5)
    path = tmp_path / "many.csv"
    with path.open("w") as file:
        file.write(
            "order_id,order_date,quantity,unit_price,revenue,currency,customer_id,region,transaction_fee,fraud_flag\n"
        )
        for at in range(120_000):
            price, quantity = dice.randrange(1, 10**6), dice.randrange(1, 4)
            file.write(
                f"O{at // 2},2024-{1 + at // 10_000:02d}-{1 + at % 28:02d},{quantity},{price / 100:.2f},"
                f"{price * quantity / 100:.2f},{dice.choice(('EUR', 'USD'))},C{dice.randrange(9000)},"
                f"R{dice.randrange(7)},{dice.randrange(100) / 100},{dice.choice('yn')}\n"
            )

    def with_threads(threads: int) -> str:
        folder = tmp_path / str(threads)
        folder.mkdir()
        environment = os.environ | {"POLARS_MAX_THREADS": str(threads), "PYTHONHASHSEED": str(threads)}
        return subprocess.run(
            [sys.executable, "-c", _PRINT_HASHES, str(path), str(folder)],
            env=environment, cwd=ROOT, capture_output=True, text=True, check=True,
        ).stdout  # fmt: skip

    one = with_threads(1)
    assert len(json.loads(one.replace("(", "[").replace(")", "]").replace("'", '"'))) >= 8
    assert with_threads(4) == one


@pytest.mark.parametrize(
    "broken", [lambda line: line.replace(",", "", 1), lambda line: line.replace(",", ";"), lambda line: line + ",more"]
)
def test_every_row_that_is_not_used_is_told_of(analyse: Analyse, broken: Callable[[str], str]) -> None:
    lines = EXAMPLE.read_text(encoding="utf-8").splitlines()[:200]
    lines[20] = broken(lines[20])
    found = analyse("\n".join(lines) + "\n")
    refused = json_of(found, "kpis.json")["quality"]["refused"]
    assert sum(one["count"] for one in refused.values()) == found.summary.counts["rows"].refused == 1


@pytest.mark.parametrize(
    ("dataset_type", "head", "row"),
    [
        ("transactions", "order_id,order_date,revenue", "{at},2024-01-0{at},5.00"),
        ("station_measurements", "Station_ID,Date_Time,PCode,Result", "S1,2024-01-0{at} 10:00,A,5.00"),
    ],
)
def test_a_row_that_holds_nothing_but_a_field_too_many_is_a_row(
    run: Run, dataset_type: str, head: str, row: str
) -> None:
    rows = [row.format(at=at) for at in range(1, 9)]
    width = head.count(",")
    text = "\n".join([head, *rows[:4], "," * width, "," * (width + 1) + "astray", *rows[4:]]) + "\n"
    counted = run(text, dataset_type=dataset_type).summary.counts["rows"]
    assert (counted.read, counted.used, counted.refused) == (9, 8, 1)
