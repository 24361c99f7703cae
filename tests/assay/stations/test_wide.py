"""Tables with a column for each parameter."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import JsonValue

from assay.run import Analysis
from tests.assay.analyses import MakeSource, Run, run_in
from tests.assay.outputs import findings_of, json_of, table_of

WEATHER = """Site,Timestamp,AirTemp (°C),RH (%),Rain (mm),Flag,Record
WX1,2024-01-01 10:00,4.5,80,0,ok,1
WX1,2024-01-01 11:00,5.5,,0.2,ok,2
WX2,2024-01-01 10:00,<0.1,77,,ok,3
WX2,2024-01-02 10:00,,,,ok,4
,,,,,,
WX2,soon,3,70,0,ok,6
"""


def test_each_filled_cell_is_a_row(run: Run) -> None:
    found = run(WEATHER)
    assert (found.dataset_type, found.detection.band) == ("station_measurements", "sure")
    assert table_of(found, "WX1_Analysis.csv") == [
        ["Station", "Dates", "AirTemp (°C)", "Rain (mm)", "RH (%)"],
        ["WX1", "2024-01-01", "5.0", "0.1", "80.0"],
    ]
    assert table_of(found, "WX2_Analysis.csv")[1] == ["WX2", "2024-01-01", "<0.1", "77.0"]
    lineage = [row[:5] for row in table_of(found, "audit_lineage.csv")[1:]]
    assert [(row[0], row[3], row[4]) for row in lineage] == [
        ("1", "AirTemp (°C)", "4.5"), ("1", "RH (%)", "80.0"), ("1", "Rain (mm)", "0.0"), ("2", "AirTemp (°C)", "5.5"),
        ("2", "Rain (mm)", "0.2"), ("3", "AirTemp (°C)", "<0.1"), ("3", "RH (%)", "77.0"), ("4", "AirTemp (°C)", ""),
        ("6", "AirTemp (°C)", "3.0"), ("6", "RH (%)", "70.0"), ("6", "Rain (mm)", "0.0"),
    ]  # fmt: skip
    quality = json_of(found, "quality.json")
    assert quality["rows"] == {"read": 11, "used": 7, "refused": 4, "blank": 1}
    assert quality["read_as"]["columns_not_used"] == ["Flag", "Record"]
    assert quality["units"]["parameters"] == {"AirTemp (°C)": "°C", "RH (%)": "%", "Rain (mm)": "mm"}


def test_a_table_without_a_station_is_of_one(run: Run) -> None:
    found = run("Date,Time,pH,Temp (C)\n2024-01-01,10:00,7.1,12.5\n2024-01-01,11:00,7.4,12.6\n")
    (table,) = (output.name for output in found.outputs if output.name.endswith("_Analysis.csv"))
    assert table_of(found, table)[1:] == [["Station 1", "2024-01-01", "7.25", "12.55"]]
    assert table_of(found, "audit_lineage.csv")[1][2] == "2024-01-01 10:00:00"


@pytest.mark.parametrize(
    "content",
    [
        "Date,Location,A,B\n2024-01-01,X,10,2\n2024-01-02,Y,12,3\n",
        "Date,Runner,Distance (km),Time (min)\n2024-01-01,X,10,52\n2024-01-02,Y,12,63\n",
        "Month,pH,Temp (C)\n1,7.1,12\n2,7.2,13\n",
        "Name,Height (cm),Weight (kg)\nAnn,170,60\nBob,180,80\n",
        "Date,Store,Price,Level\n2024-01-01,X,10,52\n2024-01-02,Y,12,63\n",
    ],
)
def test_a_table_of_numbers_is_no_such_table(content: str, make_source: MakeSource, tmp_path: Path) -> None:

    found = run_in(tmp_path / "out", make_source(content))
    assert found.detection.dataset_type != "station_measurements"


def test_names_of_what_is_measured_do_without_units(run: Run) -> None:
    found = run("Station,Date,Temperature,Rain\n" + "KJFK,2024-01-01,3,0\n" * 3)
    assert (found.dataset_type, found.detection.band) == ("station_measurements", "sure")


def test_a_type_that_is_asked_for_needs_no_known_names(run: Run) -> None:
    content = "Date,Location,A,B\n2024-01-01,X,10,2\n2024-01-02,Y,12,3\n"
    found: Analysis = run(content, dataset_type="station_measurements")
    assert table_of(found, "X_Analysis.csv") == [["Station", "Dates", "A", "B"], ["X", "2024-01-01", "10.0", "2.0"]]


@pytest.mark.parametrize(
    ("content", "parameters"),
    [
        ("Date,Station,DO,NO3\n,,mg/L,mg/L\n" + "2024-01-01,A,8.2,0.5\n", {"DO": {"max": 5000, "unit": "ug/L"}}),
        ("Date,Station,DO (mg/L),NO3 (mg/L)\n2024-01-01,A,8.2,0.5\n", {"DO": {"max": 5000, "unit": "ug/L"}}),
        ("Station,Date,Parameter,Result\n,,,mg/L\nA,2024-01-01,DO,8.2\nA,2024-01-01,NO3,0.5\n",
         {"DO": {"max": 5000, "unit": "ug/L"}}),
    ],
    ids=["row of units", "brackets", "long"],
)  # fmt: skip
def test_the_units_of_a_header_are_those_of_its_results(run: Run, content: str, parameters: JsonValue) -> None:
    found = run(content, {"limits": parameters})
    assert table_of(found, "A_Analysis.csv")[0][2:] == ["DO (mg/L)", "NO3 (mg/L)"]
    assert sum(one["above"] for one in json_of(found, "quality.json")["limits"]["exceedances"]) == 1
    chosen = run(content, {"units": {"DO": "ug/L"}})
    assert json_of(chosen, "quality.json")["units"]["converted"] == [
        {"parameter": table_of(chosen, "audit_lineage.csv")[1][3], "from": "mg/L", "to": "ug/L", "rows": 1}
    ]
    assert float(table_of(chosen, "A_Analysis.csv")[1][2]) == 8200


@pytest.mark.parametrize(
    ("name", "first", "second"),
    [
        ("Cd (µg/L)", "1", "2"), ("Cd [mg/kg]", "1.5", "2"), ("NO (µg/m³)", "4", "5"), ("NO", "1.25", "2"),
        ("Total Cd", "<0.5", "2"), ("Air quality", "0.5", "0.7"),
    ],
)  # fmt: skip
def test_a_unit_or_a_decimal_place_shows_that_a_column_measures_something(
    run: Run, name: str, first: str, second: str
) -> None:
    found = run(f"Date,Station,Pb (µg/L),Zn (µg/L),{name}\n2024-01-01,A,3,4,{first}\n2024-01-02,A,5,6,{second}\n")
    table = table_of(found, "A_Analysis.csv")
    assert name in table[0]
    assert table[2][table[0].index(name)] == str(float(second))
    assert "not taken for results" not in findings_of(found)


@pytest.mark.parametrize("name", ["NO", "parm_cd", "Cd", "Latitude", "DO flag"])
def test_a_column_of_numbers_that_is_no_result_is_told_by_name(run: Run, name: str) -> None:
    found = run(f"Date,Station,Pb (µg/L),Zn (µg/L),{name}\n2024-01-01,A,3,4,1\n2024-01-02,A,5,6,2\n")
    is_result = name == "Cd"
    assert (name in table_of(found, "A_Analysis.csv")[0]) == is_result
    assert (f"not taken for results, by their names: {name}." in findings_of(found)) != is_result
