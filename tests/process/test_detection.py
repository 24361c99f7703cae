from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.process.detection import Detection, detect
from functions.process.detection.detect import require_columns
from functions.process.pipelines import registry
from functions.process.readers import Preview

KNOWN = registry.rules()
CELLS = ["CT", "2024-01-01 10:00:00", "Data 1", "1.5"]


def detected(columns: str, *rows: list[str | None], requested: str | None = None) -> Detection:
    return detect(Preview(tuple(columns.split(",")), list(rows) or [[*CELLS]]), KNOWN, requested)


@pytest.mark.parametrize(
    "columns",
    ["Station_ID,Date_Time,PCode,Result", "station id,DATE TIME,p code,RESULT", "StationId,date-time,P_Code,result",
     "Station_ID,Date_Time,PCode,Result,Agency,Depth_M"],
)  # fmt: skip
def test_exact_names_with_data_to_match_are_sure(columns: str) -> None:
    assert detected(columns).confidence >= 0.9
    # Heuristics that speak against it (every row another code) can't take that away.
    rows: list[list[str | None]] = [[f"S{n}", "2024-01-01", f"D{n}", "1"] for n in range(30)]
    assert detected(columns, *rows).confidence >= 0.9
    assert detected(columns, ["CT", "1/31/2024", "D", None]).confidence >= 0.9


def test_a_plain_name_goes_before_one_with_a_remark() -> None:
    columns = ("Result (flag)", "Station_ID", "Date_Time", "PCode", "Result")
    found = require_columns(KNOWN["station_measurements"], columns, "station_measurements")
    assert columns[found["result"]] == "Result"


def test_likely_names_are_likely() -> None:
    found = detected("Site,Sample Date,Parameter,Value")
    assert 0.5 <= found.confidence < 0.9
    assert found.dataset_type == "station_measurements"


def test_cells_that_do_not_fit_make_it_less_sure() -> None:
    assert 0.5 <= detected("Station_ID,Date_Time,PCode,Result", ["a", "b", "c", "d"]).confidence < 0.9


@pytest.mark.parametrize(
    "columns",
    ["order,customer,amount,currency", "Date,Description,Amount,Balance", "Station_ID,Date_Time,PCode", "a,b,c,d",
     "Station,Date,Temperature,Rain", "id,sequence,length,organism", "sample,group,value,replicate"],
)  # fmt: skip
def test_other_tables_need_a_person(columns: str) -> None:
    found = detected(columns)
    assert found.confidence < 0.5
    assert found.dataset_type is None


def test_the_evidence_is_kept_in_words_and_weights() -> None:
    found = detected("Station_ID,Date_Time,PCode,Result,Agency")
    assert [(one.strategy, one.weight, one.score) for one in found.evidence] == [
        ("exact_names", 1.0, 1.0), ("name_patterns", 0.8, 1.0), ("data_types", 0.6, 1.0), ("heuristics", 0.4, 1.0),
    ]  # fmt: skip
    assert "Date_Time: 1 of 1 are date" in found.evidence[2].found
    assert "Agency" in found.evidence[3].found
    assert "not found PCode" in detected("Station_ID,Date_Time,x,Result").evidence[0].found


def test_a_requested_type_is_taken_and_the_evidence_is_that_of_the_file() -> None:
    found = detected("Site,Date,Param,Val", requested="station_measurements")
    assert found.dataset_type == "station_measurements"
    assert found.confidence == detected("Site,Date,Param,Val").confidence


def test_it_goes_to_the_database_and_back() -> None:
    found = detected("Station_ID,Date_Time,PCode,Result")
    assert Detection.model_validate(found.model_dump(mode="json")) == found


@given(st.lists(st.text(max_size=12), max_size=12), st.lists(st.lists(st.text(max_size=12) | st.none(), max_size=12)))
def test_any_table_has_a_confidence(columns: list[str], rows: list[list[str | None]]) -> None:
    assert 0 <= detect(Preview(tuple(columns), rows), KNOWN, None).confidence <= 1
