"""Which column is added up, which rows count, and what a measurement means."""

from __future__ import annotations

import csv
import json
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import JsonValue

from assay.errors import Unprocessable
from assay.files import analyse_or_raise
from tests.real_files.case import Verdict


@dataclass(frozen=True)
class Meaning:
    """A small file, and a figure that its results must show.

    `figure` takes the folder of the outputs. `dataset_type` is given where so small a file can't show it.
    """

    kind: str
    filename: str
    content: str
    figure: Callable[[Path], object]
    expected: object
    dataset_type: str | None = None
    parameters: dict[str, JsonValue] = field(default_factory=dict)

    def judge(self) -> tuple[Verdict, str]:
        """Analyse the file; return the verdict, and what differs where it is wrong."""
        with tempfile.TemporaryDirectory() as folder:
            path, out = Path(folder, self.filename), Path(folder, "out")
            path.write_text(self.content, encoding="utf-8")
            try:
                analyse_or_raise(path, out, self.dataset_type, self.parameters)
            except Unprocessable as error:
                return "refused", f"{error.code}: {error.detail}"
            figure = self.figure(out)
        return ("right", "") if figure == self.expected else ("wrong", f"{figure!r}, expected {self.expected!r}")


def _json(out: Path, name: str) -> Any:
    return json.loads((out / name).read_bytes())


def _amount(out: Path) -> object:
    return _json(out, "kpis.json")["currencies"][0]["amount"]


def _months(out: Path) -> object:
    with (out / "monthly.csv").open(encoding="utf-8", newline="") as file:
        return [row["month"] for row in csv.DictReader(file)]


def _rows(*rows: str) -> str:
    return "\n".join(rows) + "\n"


_ACTIVITY = _rows(
    "Date,Time,Name,Type,Status,Currency,Gross,Fee,Net",
    "2024-03-01,10:00:00,Ann,Website Payment,Completed,EUR,100.00,-3.25,96.75",
    "2024-03-02,11:00:00,Bob,Website Payment,Completed,EUR,50.00,-1.80,48.20",
    "2024-03-03,12:00:00,Cy,Website Payment,Completed,EUR,80.00,-2.67,77.33",
    "2024-03-04,13:00:00,Di,Website Payment,Completed,EUR,20.00,-0.93,19.07",
)
_STATUS = _rows(
    "order_id,order_date,customer_id,status,amount",
    "1,2024-03-01,a,completed,100.00",
    "2,2024-03-02,b,cancelled,400.00",
    "3,2024-03-03,c,failed,300.00",
    "4,2024-03-04,a,completed,50.00",
    "5,2024-03-05,b,pending,200.00",
)
_TOTALS = _rows(
    "order_id,order_date,customer_id,product_name,quantity,unit_price,order_total",
    "1,2024-03-01,a,Mug,1,20.00,35.00",
    "1,2024-03-01,a,Pen,3,5.00,35.00",
    "2,2024-03-02,b,Mug,1,20.00,20.00",
    "3,2024-03-03,c,Mug,1,20.00,30.00",
    "3,2024-03-03,c,Pen,2,5.00,30.00",
)
_NET = [
    ("1", "2024-03-01", "a", "100.00", "20.00", "120.00"),
    ("2", "2024-03-02", "b", "50.00", "10.00", "60.00"),
    ("3", "2024-03-03", "a", "30.00", "6.00", "36.00"),
    ("4", "2024-03-04", "c", "20.00", "4.00", "24.00"),
]
_SUBTOTAL = ["order_id,order_date,customer_id,Subtotal,Tax,Total", *(",".join(row) for row in _NET)]
_SWAPPED = ["order_id,order_date,customer_id,Total,Tax,Subtotal",
            *(",".join([*row[:3], row[5], row[4], row[3]]) for row in _NET)]  # fmt: skip
_BANK = _rows(
    "Date,Description,Debit,Credit,Balance",
    "2024-03-01,Salary,,2500.00,2500.00",
    "2024-03-02,Rent,900.00,,1600.00",
    "2024-03-05,Shop,45.50,,1554.50",
    "2024-03-09,Refund,,20.00,1574.50",
)
_REFUND = _rows(
    "order_id,order_date,customer_id,product_name,quantity,unit_price,amount",
    "1,2024-03-01,a,Mug,2,20.00,40.00",
    "2,2024-03-02,b,Pen,4,5.00,20.00",
    "1,2024-03-06,a,Mug,2,20.00,-40.00",
    "3,2024-03-07,c,Pen,1,5.00,5.00",
)
_GAPS = _rows(
    "order_id,order_date,customer_id,amount",
    "1,2024-01-05,a,10.00", "2,2024-02-06,b,20.00", "3,2024-05-07,c,30.00", "4,2024-06-30,a,5.00",
)  # fmt: skip
_LEDGER = _rows("date,customer,amount", *(f"2024-03-{day:02},{'abc'[day % 3]},{day}.50" for day in range(1, 21)))
_CENTS = _rows("order_id,order_date,customer_id,amount", *(f"{n},2024-03-{n % 28 + 1:02},a,0.10" for n in range(1, 31)))

TRANSACTIONS = [
    Meaning("A fee beside the amount", "activity.csv", _ACTIVITY, _amount, "250.00", "transactions"),
    Meaning("A status for each row", "status.csv", _STATUS, _amount, "150.00", "transactions"),
    Meaning("An order's total on each of its lines", "totals.csv", _TOTALS, _amount, "85.00", "transactions"),
    Meaning("Subtotal, tax and total", "subtotal.csv", _rows(*_SUBTOTAL), _amount, "240.00", "transactions"),
    Meaning("Subtotal, tax and total", "swapped.csv", _rows(*_SWAPPED), _amount, "240.00", "transactions"),
    Meaning("Debit and credit columns", "bank.csv", _BANK, _amount, "1574.50", "transactions"),
    Meaning("Refunds of positive quantity", "refund.csv", _REFUND, _amount, "25.00", "transactions"),
    Meaning(
        "Months without a sale", "gaps.csv", _GAPS, _months, [f"2024-0{month}" for month in range(1, 7)], "transactions"
    ),
    Meaning("A date, a customer and an amount", "ledger.csv", _LEDGER, _amount, "220.00"),
    Meaning("Amounts that no binary number holds", "cents.csv", _CENTS, _amount, "3.00", "transactions"),
]

CASES = TRANSACTIONS
