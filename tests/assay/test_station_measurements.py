# ruff: noqa: DTZ001 - the times in a file have no zone
from __future__ import annotations

import csv
import hashlib
import io
import json
import math
import re
from datetime import date, datetime

import openpyxl
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import JsonValue

from assay.datasets.station_measurements.names import natural_key
from assay.datasets.station_measurements.tables import stems
from assay.errors import Unprocessable
from tests.assay.analyses import HEADER, Run
from tests.assay.outputs import json_of, path_of, table_of

DAY = "CT,2024-01-01 {},Data 1,{}\n"
FOUR = "".join(DAY.format(*row) for row in (("12:00", 4), ("08:00", 1), ("18:00", 2.5), ("08:00", 3)))


def test_one_table_a_station_with_dates_down_and_codes_across(run: Run) -> None:
    found = run(
        HEADER
        + "TUS,2024-01-02 10:00,Data 10,176\n"
        + "CT,2024-01-01 09:00,data 3,-7\n"
        + "CT,2024-01-01 10:00,Data 2,1.411\n"
        + "CT,2023-12-31 10:00,Data 10,0.30000000000000004\n"
    )
    assert [output.name for output in found.outputs] == [
        "CT_Analysis.csv", "CT_Analysis.xlsx", "TUS_Analysis.csv", "TUS_Analysis.xlsx", "audit_lineage.csv",
        "audit_lineage.parquet", "quality.json", "dashboard.html", "datapackage.json", "manifest.json",
    ]  # fmt: skip
    assert table_of(found, "CT_Analysis.csv") == [
        ["Station", "Dates", "Data 2", "data 3", "Data 10"],
        ["CT", "2023-12-31", "", "", "0.30000000000000004"],
        ["CT", "2024-01-01", "1.411", "-7.0", ""],
    ]
    assert table_of(found, "TUS_Analysis.csv") == [["Station", "Dates", "Data 10"], ["TUS", "2024-01-02", "176.0"]]


def test_the_workbook_says_the_same_in_real_numbers_and_dates(run: Run) -> None:
    found = run(
        HEADER
        + "=CT,2024-01-01 10:00,=1+1,1.411\n=CT,2024-01-02,Data 2,0.30000000000000004\n=CT,1850-01-02,Data 2,1e300\n"
    )
    (name,) = (output.name for output in found.outputs if output.name.endswith(".xlsx"))
    sheet = openpyxl.load_workbook(path_of(found, name)).active
    assert sheet is not None
    assert list(sheet.iter_rows(values_only=True)) == [
        ("Station", "Dates", "=1+1", "Data 2"),
        ("=CT", "1850-01-02", None, 1e300),
        ("=CT", datetime(2024, 1, 1), 1.411, None),
        ("=CT", datetime(2024, 1, 2), None, 0.30000000000000004),
    ]
    assert sheet.freeze_panes == "C2"
    assert sheet.auto_filter.ref == "A1:D4"
    assert sheet["A2"].data_type == "s"


@pytest.mark.parametrize(
    ("aggregate", "value"),
    [
        ("mean", 2.625), ("median", 2.75), ("sum", 10.5), ("min", 1.0), ("max", 4.0), ("first", 1.0), ("last", 2.5),
        ("count", 4),
    ],
)  # fmt: skip
def test_aggregates_the_results_of_a_day(aggregate: str, value: float, run: Run) -> None:
    found = run(HEADER + FOUR, {"aggregate": aggregate})
    assert table_of(found, "CT_Analysis.csv")[1] == ["CT", "2024-01-01", str(value)]
    assert (found.parameters["aggregate"], found.parameters["censored"]) == (aggregate, "half")


def test_the_last_of_equal_times_is_the_last_row(run: Run) -> None:
    rows = "".join(DAY.format(*row) for row in (("08:00", 7), ("08:00", 9), ("07:00", 8)))
    assert table_of(run(HEADER + rows, {"aggregate": "last"}), "CT_Analysis.csv")[1][2] == "9.0"
    assert table_of(run(HEADER + rows, {"aggregate": "first"}), "CT_Analysis.csv")[1][2] == "8.0"


@pytest.mark.parametrize("template", [["Data 9", "Data 1"], "Station, Dates, Data 9, Data 1"])
def test_a_template_gives_the_columns(template: JsonValue, run: Run) -> None:
    found = run(HEADER + DAY.format("10:00", 1) + "CT,2024-01-02,Data 2,5\n", {"template": template})
    assert table_of(found, "CT_Analysis.csv") == [
        ["Station", "Dates", "Data 9", "Data 1"],
        ["CT", "2024-01-01", "", "1.0"],
        ["CT", "2024-01-02", "", ""],
    ]
    assert json_of(found, "quality.json")["template"] == {"left_out": ["Data 2"], "without_data": ["Data 9"]}


def test_a_station_with_no_code_of_the_template_keeps_its_dates(run: Run) -> None:
    rows = "CT,2024-01-01,A,1\nTUS,2024-01-01,B,1\nTUS,2024-01-02,B,1\n"
    found = run(HEADER + rows, {"template": "A,C"})
    assert table_of(found, "TUS_Analysis.csv")[1:] == [["TUS", "2024-01-01", "", ""], ["TUS", "2024-01-02", "", ""]]


def test_a_chart_compares_the_stations_that_have_its_parameter(run: Run) -> None:
    rows = "CT,2024-01-01,A,1\nTUS,2024-01-01,B,1\nTUS,2024-01-02,A,1\n"
    found = run(HEADER + rows, {"template": "A,B,C"})
    page = path_of(found, "dashboard.html").read_text(encoding="utf-8")
    panels = [json.loads(data) for data in re.findall(r'<script type="application/json">(.*?)</script>', page)]
    assert [(panel["title"], [line["name"] for line in panel["series"]]) for panel in panels] == [
        ("A", ["CT", "TUS"]),
        ("B", ["TUS"]),
    ]


def test_a_template_may_be_a_number_and_name_a_code_called_station(run: Run) -> None:
    rows = "CT,2024-01-01,10,1\nCT,2024-01-01,Station,2\n"
    assert table_of(run(HEADER + rows, {"template": 10}), "CT_Analysis.csv")[0] == ["Station", "Dates", "10"]
    both = table_of(run(HEADER + rows, {"template": "Station, Dates, 10"}), "CT_Analysis.csv")
    assert both == [["Station", "Dates", "Station", "10"], ["CT", "2024-01-01", "2.0", "1.0"]]
    with pytest.raises(Unprocessable, match="names no parameter code"):
        run(HEADER + DAY.format("", 1), {"template": "Station, Dates"})


def test_rows_are_refused_for_the_first_reason_and_kept_in_the_lineage(run: Run) -> None:
    found = run(
        HEADER
        + ",2024-01-01,Data 1,1\n"
        + "CT,,Data 1,1\n"
        + "CT,soon,Data 1,1\n"
        + "CT,2024-01-01,,\n"
        + "CT,2024-01-01,Data 1,\n"
        + "CT,2024-01-01,Data 1,soon\n"
        + "CT,2024-01-01,Data 1,inf\n"
        + "CT,2024-01-01,Data 1,1,2\n"
        + 'CT,2024-01-01,Data 1,"1"2\n'
        + ",,,\n"
        + "CT,2024-01-01,Data 1,176\n" * 41
    )
    quality = json_of(found, "quality.json")
    assert [(one["reason"], one["rows"]) for one in quality["refused"]] == [
        ("missing_station", [1]),
        ("missing_date", [2]),
        ("unparsable_date", [3]),
        ("missing_pcode", [4]),
        ("missing_result", [5]),
        ("result_not_a_number", [6, 7, 9]),
        ("too_many_fields", [8]),
    ]
    assert quality["rows"] == {"read": 50, "used": 41, "refused": 9, "blank": 1}
    assert [row[:5] for row in table_of(found, "audit_lineage.csv")[1:11]] == [
        ["1", "", "2024-01-01 00:00:00", "Data 1", "1.0"],
        ["2", "CT", "", "Data 1", "1.0"],
        ["3", "CT", "soon", "Data 1", "1.0"],
        ["4", "CT", "2024-01-01 00:00:00", "", ""],
        ["5", "CT", "2024-01-01 00:00:00", "Data 1", ""],
        ["6", "CT", "2024-01-01 00:00:00", "Data 1", "soon"],
        ["7", "CT", "2024-01-01 00:00:00", "Data 1", "inf"],
        ["8", "CT", "2024-01-01 00:00:00", "Data 1", "1.0"],
        ["9", "CT", "2024-01-01 00:00:00", "Data 1", '"1"2'],
        ["11", "CT", "2024-01-01 00:00:00", "Data 1", "176.0"],
    ]


def test_the_hash_of_a_row_is_as_promised(run: Run) -> None:
    found = run(HEADER + "CT,1/31/2024 1:05 PM,Data 1,176\nCT,2/1/2024,Data 1,\n")
    first, second = table_of(found, "audit_lineage.csv")[1:]
    assert first[5] == hashlib.sha256(b"CT|2024-01-31 13:05:00|Data 1|176.0").hexdigest()
    assert second[5] == hashlib.sha256(b"CT|2024-02-01 00:00:00|Data 1|").hexdigest()


def test_quality_finds_gaps_outliers_and_duplicates(run: Run) -> None:
    rows = [f"CT,2024-01-01 00:{n:02d},Data 1,{n % 2},\n" for n in range(40)]
    far = [f"CT,2024-01-02 00:{n:02d},Data 1,{(-1) ** n * 1000},\n" for n in range(2)]
    again = ["CT,2024-01-01 00:00,Data 1,0,x\n", "CT,2024-01-01 00:01,Data 1,0.5,\n"]
    quality = json_of(run(HEADER.strip() + ",Note\n" + "".join(rows + far + again)), "quality.json")
    assert quality["duplicates"] == {
        "identical": 1, "identical_rows": [43], "conflicting": 1, "conflicting_rows": [44],
    }  # fmt: skip
    (outliers,) = quality["outliers"]["series"]
    assert (outliers["count"], [one["row"] for one in outliers["listed"]]) == (2, [41, 42])
    note = quality["missing"]["columns"][4]
    assert note == {"column": "Note", "count": 43, "rate": round(43 / 44, 6), "alert": True}
    assert quality["columns"]["ignored"] == ["Note"]


def test_stations_get_file_names_of_their_own() -> None:
    names = stems(["CT", "ct", "A/B", "A_B", "..", "München", "x" * 200, "x" * 201, "quality"])
    assert names["A_B"] == "A_B-" + hashlib.sha256(b"A_B").hexdigest()[:8]
    assert names["quality"] == "quality"
    assert len({name.casefold() for name in names.values()}) == len(names)
    assert all(name.isascii() and "/" not in name and name[0].isalnum() and len(name) < 100 for name in names.values())


@given(st.lists(st.text(), max_size=20))
def test_any_stations_get_names_of_their_own(stations: list[str]) -> None:
    given_names = {station.strip() for station in stations if station.strip()}
    names = stems(sorted(given_names))
    assert len({name.casefold() for name in names.values()}) == len(given_names)


def test_numbers_in_names_count_by_their_size() -> None:
    ordered = ["a1", "Data 2", "data 3", "Data 10", "Data 10 b2", "Data 10 b11", "x" + "9" * 5000]
    backwards = list(reversed(ordered))
    assert sorted(backwards, key=natural_key) == ordered


@given(st.lists(st.text(alphabet="ab 019", max_size=6)))
def test_natural_order_is_an_order(names: list[str]) -> None:
    backwards = list(reversed(names))
    assert sorted(names, key=natural_key) == sorted(backwards, key=natural_key)


numbers = st.floats(allow_nan=False, allow_infinity=False)
single = st.dictionaries(
    st.tuples(st.sampled_from(["CT", "TUS", "Ü 1"]), st.dates(min_value=date(1900, 1, 1)), st.sampled_from("ABC")),
    numbers,
    min_size=1,
    max_size=15,
)


@given(measured=single)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_number_is_invented_and_none_is_lost(measured: dict[tuple[str, date, str], float], run: Run) -> None:
    found = run(
        HEADER + "".join(f"{s},{d},{code},{value!r}\n" for (s, d, code), value in measured.items()), {"sentinels": []}
    )
    given_back = {}
    for output in found.outputs:
        if output.name.endswith("_Analysis.csv"):
            (_, _, *codes), *rows = csv.reader(io.StringIO(output.path.read_text()))
            for station, when, *cells in rows:
                for code, cell in zip(codes, cells, strict=True):
                    if cell:
                        given_back[station, date.fromisoformat(when), code] = float(cell)
    assert given_back == measured
    parquet = pl.read_parquet(path_of(found, "audit_lineage.parquet"))
    rows = table_of(found, "audit_lineage.csv")
    assert rows[0] == parquet.columns
    assert rows[1:] == [[str(cell) for cell in row] for row in parquet.iter_rows()]
    for row, ((station, day, code), value) in zip(rows[1:], measured.items(), strict=True):
        number, station_id, moment, pcode, result, row_hash = row
        assert (station_id, moment, pcode) == (station, f"{day} 00:00:00", code)
        assert float(result) == value
        assert row_hash == hashlib.sha256("|".join((station_id, moment, pcode, result)).encode()).hexdigest()
        assert int(number) >= 1


def test_the_summary_and_the_manifest_agree_with_the_outputs(run: Run) -> None:
    found = run(HEADER + FOUR)
    manifest = json_of(found, "manifest.json")
    assert [(one["name"], one["sha256"], one["size_bytes"]) for one in manifest["outputs"]] == [
        (output.name, output.sha256, output.size_bytes) for output in found.outputs[:-1]
    ]
    assert found.outputs[-1].name == "manifest.json"
    assert found.manifest_sha256 == found.outputs[-1].sha256
    assert manifest["pipeline"] == {"name": found.pipeline, "version": found.pipeline_version}
    text = path_of(found, "manifest.json").read_text()
    assert text == json.dumps(manifest, sort_keys=True, indent=2, ensure_ascii=False) + "\n"
    assert found.summary.figures["first_date"] == "2024-01-01"
    assert math.isclose(float(table_of(found, "CT_Analysis.csv")[1][2]), 2.625)
