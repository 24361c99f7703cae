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
                return "wrong", f"{error.code}: {error.detail}"
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


def _station(out: Path) -> object:
    """The lines of the first station's table, without its header."""
    table = min(out.glob("*_Analysis.csv"))
    return table.read_text(encoding="utf-8").splitlines()[1:]


def _outliers(out: Path) -> object:
    return [found["row"] for series in _json(out, "quality.json")["outliers"]["series"] for found in series["listed"]]


def _numbers(out: Path) -> object:
    numbers = _json(out, "profile.json")["columns"][0]["numbers"]
    return [numbers[name] for name in ("min", "max", "mean", "sum")]


_UNITS = _rows(
    "Station_ID,Date_Time,PCode,Result,Unit",
    "A,2024-01-01 10:00,Zinc,2500,ug/L", "A,2024-01-01 12:00,Zinc,2.7,mg/L", "A,2024-01-02 10:00,Zinc,3.1,mg/L",
)  # fmt: skip
_CENSORED = _rows(
    "Station_ID,Date_Time,PCode,Result",
    "A,2024-01-01,Lead,<0.2", "A,2024-01-02,Lead,3.1", "A,2024-01-03,Lead,ND", "A,2024-01-04,Lead,>80",
)  # fmt: skip
_SENTINEL = _rows(
    "Station_ID,Date_Time,PCode,Result",
    *(f"A,2024-01-{day:02},Level,{-999 if day == 7 else day / 10}" for day in range(1, 15)),
)
_OUTLIER = _rows(
    "Station_ID,Date_Time,PCode,Result",
    *(f"A,2024-01-{day:02},Iron,{50000 if day == 9 else 1 + day % 4 / 10}" for day in range(1, 13)),
)
_WIDE = _rows(
    "Station,Date,pH,Temperature (°C),Turbidity (NTU)",
    *(f"CT,2024-01-{day:02},7.{day % 5},{10 + day},{day * 2}" for day in range(1, 11)),
)

STATIONS = [
    Meaning("One parameter in two units", "units.csv", _UNITS, _station,
            ["A,2024-01-01,2.6", "A,2024-01-02,3.1"], "station_measurements"),
    Meaning("Results below and above a limit", "censored.csv", _CENSORED, _station,
            ["A,2024-01-01,<0.2", "A,2024-01-02,3.1", "A,2024-01-03,ND", "A,2024-01-04,>80.0"], "station_measurements"),
    Meaning("A number that stands for no value", "sentinel.csv", _SENTINEL, _station,
            [f"A,2024-01-{day:02},{day / 10}" for day in range(1, 15) if day != 7], "station_measurements"),
    Meaning("An outlier among few values", "outlier.csv", _OUTLIER, _outliers, [9], "station_measurements"),
    Meaning("A column for each parameter", "wide.csv", _WIDE, _station,
            [f"CT,2024-01-{day:02},7.{day % 5},{10 + day}.0,{day * 2}.0" for day in range(1, 11)]),
]  # fmt: skip

PROFILES = [
    Meaning("Whole numbers beyond 2^53", "wholes.csv", _rows("id", *(str(2**53 + number) for number in range(1, 4))),
            _numbers, [2**53 + 1, 2**53 + 3, 2**53 + 2, 3 * 2**53 + 6], "table"),
    Meaning("A sum that cancels", "cancels.csv", _rows("v", "1e300", "-1e300", "5", "7"),
            _numbers, [-1e300, 1e300, 3.0, 12.0], "table"),
]  # fmt: skip

CASES = [*TRANSACTIONS, *STATIONS, *PROFILES]
