"""From a file to its outputs: units, bounds, sentinels, limits and derived columns."""

from __future__ import annotations

import json
import re

import openpyxl
import pytest

from assay.errors import Unprocessable
from tests.assay.analyses import HEADER, Run
from tests.assay.outputs import findings_of, json_of, path_of, table_of

WITH_UNITS = HEADER.strip() + ",Unit\n"


def test_units_are_converted_or_kept_apart_but_never_averaged(run: Run) -> None:
    rows = [
        "CT,2024-01-01 10:00,Cu,1500,ug/L", "CT,2024-01-01 11:00,Cu,1.4,mg/L", "CT,2024-01-01 12:00,Cu,2,mg/kg",
        "CT,2024-01-02 10:00,Cu,1.7,mg/L", "CT,2024-01-01 10:00,N,3,mg/L as N", "CT,2024-01-01 10:00,N,13,mg/L",
    ]  # fmt: skip
    found = run(WITH_UNITS + "\n".join(rows) + "\n")
    header, first, second = table_of(found, "CT_Analysis.csv")
    assert header == ["Station", "Dates", "Cu (mg/kg)", "Cu (mg/L)", "N (mg/L as N)", "N (mg/L)"]
    assert first == ["CT", "2024-01-01", "2.0", "1.45", "3.0", "13.0"]
    assert second == ["CT", "2024-01-02", "", "1.7", "", ""]
    said = findings_of(found)
    assert "Units converted: Cu: 1 from ug/L to mg/L." in said
    assert "Cu has results in mg/L and mg/kg." in said
    lineage = table_of(found, "audit_lineage.csv")
    assert (lineage[0][5], lineage[1][4:6]) == ("unit", ["1500.0", "ug/L"])
    page = path_of(found, "dashboard.html").read_text(encoding="utf-8")
    panels = [json.loads(data) for data in re.findall(r'<script type="application/json">(.*?)</script>', page)]
    assert [panel["unit"] for panel in panels] == ["mg/kg", "mg/L", "mg/L as N", "mg/L"]


def test_a_person_chooses_the_unit(run: Run) -> None:
    found = run(HEADER + "CT,2024-01-01,T,20\n", {"units": {"T": "deg C"}})
    assert table_of(found, "CT_Analysis.csv")[0] == ["Station", "Dates", "T (deg C)"]
    found = run(WITH_UNITS + "CT,2024-01-01,T,68,degF\nCT,2024-01-01,T,20,\n", {"units": {"T": "°C"}})
    assert table_of(found, "CT_Analysis.csv") == [["Station", "Dates", "T (°C)"], ["CT", "2024-01-01", "20.0"]]


def test_bounds_and_sentinels_are_told_and_stand_in_every_output_as_they_are(run: Run) -> None:
    rows = "".join(
        f"A,2024-01-0{day},Cu,{result}\n"
        for day, result in enumerate(["<0.5", "<0.5", "4.1", "ND", "-9999", "3.9", ">9"], start=1)
    )
    found = run(HEADER + rows)
    cells = [row[2] for row in table_of(found, "A_Analysis.csv")[1:]]
    assert cells == ["<0.5", "<0.5", "4.1", "ND", "3.9", ">9.0"]
    sheet = openpyxl.load_workbook(path_of(found, "A_Analysis.xlsx")).active
    assert sheet is not None
    assert [row[2] for row in sheet.iter_rows(values_only=True)] == ["Cu", "<0.5", "<0.5", 4.1, "ND", 3.9, ">9.0"]
    assert [row[4] for row in table_of(found, "audit_lineage.csv")[1:]][:5] == ["<0.5", "<0.5", "4.1", "ND", "-9999.0"]
    quality = json_of(found, "quality.json")
    (series,) = quality["results"]["series"]
    assert (series["values"], series["below_a_limit"], series["above_a_limit"], series["without_a_known_limit"]) == (
        2, 3, 1, 1,
    )  # fmt: skip
    assert quality["sentinels"] == [{"parameter": "Cu", "value": -9999.0, "rows": 1}]
    assert [refusal["reason"] for refusal in quality["refused"]] == ["sentinel"]
    kept = run(HEADER + rows, {"sentinels": []})
    assert table_of(kept, "A_Analysis.csv")[5][2] == "-9999.0"
    named = json_of(run(HEADER + rows, {"sentinels": [4.1]}), "quality.json")
    assert [one["value"] for one in named["sentinels"]] == [4.1]


def test_results_are_held_against_limits_in_their_own_unit(run: Run) -> None:
    results = ["60", "50", "40", "<100", "<50", ">50", ">10", "ND", "1"]
    rows = "".join(f"A,2024-01-01 {hour:02d}:00,NO3,{result},mg/L\n" for hour, result in enumerate(results))
    found = run(WITH_UNITS + rows, {"limits": {"NO3": {"max": 50000, "min": 2000, "unit": "ug/L"}}})
    limits = json_of(found, "quality.json")["limits"]
    # 60 and >50 are above, 1 is below; <100, >10, ND may be either, and <50 may be below 2.
    assert limits["exceedances"] == [
        {"station": "A", "pcode": "NO3 (mg/L)", "results": 9, "above": 2, "below": 1, "undecided": 4}
    ]
    assert (limits["held"][0]["max"], limits["held"][0]["min"]) == (50.0, 2.0)
    page = path_of(found, "dashboard.html").read_text(encoding="utf-8")
    assert "Limit: at most 50" in page
    told = run(WITH_UNITS + rows, {"limits": {"NO3": {"max": 1, "unit": "mg/kg"}, "X": {"max": 1}}})
    problems = json_of(told, "quality.json")["limits"]["problems"]
    assert problems == [
        "The limit of NO3 was not used for NO3 (mg/L): mg/kg can't be converted to mg/L.",
        "No results for the limit of X.",
    ]


def test_derived_columns_are_blank_where_an_operand_is(run: Run) -> None:
    rows = "A,2024-01-01,Data 2,7\nA,2024-01-01,Data 7,2\nA,2024-01-02,Data 2,7\nA,2024-01-03,Data 2,5\n"
    rows += "A,2024-01-03,Data 7,0\nA,2024-01-04,Data 2,<5\nA,2024-01-04,Data 7,1\n"
    derived = {"Data 18": "Data 2 - Data 7", "Twice": "Data 18 * 2", "Ratio": "Data 2 / Data 7", "None": "Data 99 + 1"}
    found = run(HEADER + rows, {"derived": derived})
    header, *table = table_of(found, "A_Analysis.csv")
    assert header == ["Station", "Dates", "Data 2", "Data 7", "Data 18", "Ratio", "Twice"]
    assert [row[4:] for row in table] == [["5.0", "3.5", "10.0"], ["", "", ""], ["5.0", "", "10.0"], ["", "", ""]]
    said = findings_of(found)
    assert "Ratio is blank on 1 day, where it would divide by 0." in said
    assert "None is blank: the data have no Data 99." in said
    assert "Data 18 is blank on 1 day, where an operand is only known by a limit." in said


@pytest.mark.parametrize(
    ("derived", "why"),
    [({"X": "Data 2 -"}, "something is missing"), ({"Data 2": "Data 2 * 2"}, "have a parameter of that name")],
)
def test_a_derived_column_that_cannot_be_is_refused(derived: dict[str, str], why: str, run: Run) -> None:
    with pytest.raises(Unprocessable, match=why):
        run(HEADER + "A,2024-01-01,Data 2,7\n", {"derived": derived})


def test_what_stands_beside_a_result_is_a_part_of_the_lineage(run: Run) -> None:
    header = "Station,Date_Time,PCode,Result,Unit,Qualifier,Detection_Limit,Fraction\n"
    found = run(header + "A,2024-01-01,Ca,,mg/L,U,0.2,Total\nA,2024-01-01,Ca,3,mg/L,XQ,,Dissolved\n")
    assert table_of(found, "A_Analysis.csv") == [
        ["Station", "Dates", "Ca, Dissolved (mg/L)", "Ca, Total (mg/L)"],
        ["A", "2024-01-01", "3.0", "<0.2"],
    ]
    head, first, _ = table_of(found, "audit_lineage.csv")
    assert head[5:9] == ["unit", "fraction", "qualifier", "detection_limit"]
    assert first[4:9] == ["", "mg/L", "Total", "U", "0.2"]
    assert json_of(found, "quality.json")["results"]["unknown_qualifiers"] == [{"qualifier": "XQ", "rows": 1}]
    assert "XQ (1)" in findings_of(found)


@pytest.mark.parametrize(
    ("dates", "said"),
    [
        (("1/1/65", "2/2/68", "3/13/69"), "read as 1969 to 2068"), (("1.2.65", "1.3.65 10:00"), "read as 2065 to 2065"),
        (("1-Jan-99", "1-Jan-01"), "read as 1999 to 2001"), (("1/1/23", "3/13/24", "3/13/1999"), ""),
        (("1/1/75", "3/13/76"), ""),
    ],
)  # fmt: skip
def test_years_of_two_digits_in_two_centuries_or_to_come_are_told(run: Run, dates: tuple[str, ...], said: str) -> None:
    found = findings_of(run(HEADER + "".join(f"A,{date},Cu,1\n" for date in dates)))
    assert said in found if said else "Years of two digits" not in found
