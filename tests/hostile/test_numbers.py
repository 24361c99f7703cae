"""Numbers that no double holds, and dates that no calendar has."""

from __future__ import annotations

import csv

import pytest

from tests.assay.analyses import HEADER, Run
from tests.assay.outputs import json_of, path_of, table_of

NUMBERS = {
    "1" + "0" * 400: None,
    "-1" + "0" * 400: None,
    "1e309": None,
    "-1e309": None,
    "1e999999999999": None,
    "1e-400": None,
    "nan": None,
    "NaN": None,
    "inf": None,
    "-Infinity": None,
    "1_000": None,
    "0x10": None,
    "\uff11\uff12": None,
    "٣": None,
    "1e": None,
    "1.5E": None,
    "--1": None,
    "1,000": "1000.0",
    "True": None,
    "-0": "-0.0",
    "-0.0": "-0.0",
    "1e308": "1e308",
    "5e-324": "5e-324",
    "12345678901234567890": "12345678901234567000.0",
    "0." + "3" * 100_000: "0.3333333333333333",
    "9" * 300 + "." + "9" * 100_000: "1e300",
    "+7": "7.0",
}
DATES = {
    "0000-01-01": None,
    "0001-01-01": "0001-01-01",
    "9999-12-31": "9999-12-31",
    "9999-12-31 23:59:59.999999": "9999-12-31",
    "9999-12-31 24:00": None,
    "10000-01-01": None,
    "-0001-01-01": None,
    "2024-02-30": None,
    "2023-02-29": None,
    "1900-02-29": None,
    "2024-13-01": None,
    "2024-01-01 25:00": None,
    "2024-01-01 10:60": None,
    "99999999999999999999": None,
    "1e9": None,
    "2024-01-01T10:00:00+99:99": "2024-01-01",
    "\uff12\uff10\uff12\uff14-01-01": None,
    "2024-01-01 10:00:00." + "9" * 10_000: "2024-01-01",
}


@pytest.mark.parametrize("aggregate", ["mean", "median", "sum", "min", "max", "first", "last"])
def test_a_number_is_a_finite_double_or_none_at_all(aggregate: str, run: Run) -> None:
    rows = [f'CT,2024-01-01,D{n},"{number}"\n' for n, number in enumerate(NUMBERS)]
    found = run(HEADER + "".join(rows), {"aggregate": aggregate}, dataset_type="station_measurements")
    header, (_, _, *values) = table_of(found, "CT_Analysis.csv")
    expected = {f"D{n}": value for n, value in enumerate(NUMBERS.values()) if value is not None}
    table = dict(zip(header[2:], values, strict=True))
    assert {code: float(value) for code, value in table.items()} == {code: float(expected[code]) for code in expected}
    # A minus in front of nought says nothing, and which of two noughts is the less no one can say.
    assert [value for value in table.values() if value.startswith("-")] == []
    (refused,) = json_of(found, "quality.json")["refused"]
    assert (refused["reason"], refused["count"]) == ("result_not_a_number", list(NUMBERS.values()).count(None))
    csv.field_size_limit(200_000)
    lineage = {row[3]: row[4] for row in table_of(found, "audit_lineage.csv")[1:]}
    for n, (number, value) in enumerate(NUMBERS.items()):
        told = lineage[f"D{n}"]
        assert told == number or (value is None and told == f"'{number}") or float(told) == float(value or "nan")


def test_a_date_is_one_of_the_calendar_or_none_at_all(run: Run) -> None:
    rows = [f'CT,"{date}",D{n},1\n' for n, date in enumerate(DATES)]
    found = run(HEADER + "".join(rows), dataset_type="station_measurements")
    header, *days = table_of(found, "CT_Analysis.csv")
    told = {code: day[1] for day in days for code, value in zip(header[2:], day[2:], strict=True) if value}
    assert told == {f"D{n}": day for n, day in enumerate(DATES.values()) if day is not None}
    (refused,) = json_of(found, "quality.json")["refused"]
    assert (refused["reason"], refused["count"]) == ("unparsable_date", list(DATES.values()).count(None))
    assert "0001-01-01 to 9999-12-31" in path_of(found, "dashboard.html").read_text(encoding="utf-8")


def test_an_identity_of_twenty_digits_keeps_them_all(run: Run) -> None:
    identity = "12345678901234567890"
    found = run(HEADER + f"{identity},2024-01-01,{identity},1\n", dataset_type="station_measurements")
    assert table_of(found, f"{identity}_Analysis.csv") == [
        ["Station", "Dates", identity],
        [identity, "2024-01-01", "1.0"],
    ]
