# ruff: noqa: DTZ001 - the times in a file have no zone
"""Every kind of bad input gets its own code, and says what to do."""

from __future__ import annotations

import gzip
import io
import json
import zipfile
from datetime import datetime, time, timedelta
from pathlib import Path

import openpyxl
import pytest
from pydantic import JsonValue

from assay.errors import Unprocessable
from assay.run import NeedsType
from tests.assay.analyses import HEADER, MakeSource, Run, run_in
from tests.assay.office import compound
from tests.assay.outputs import json_of, table_of
from tests.log_watch import CANARY

ROW = f"CT,2024-01-01 10:00:00,{CANARY},1.5\n"
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


def zipped(*names: str) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name in names:
            archive.writestr(name, "x")
    return file.getvalue()


BAD: dict[str, tuple[bytes, str, str, str]] = {
    "empty": (b"", "a.csv", "empty_file", "0 bytes"),
    "only blanks": (b"\xef\xbb\xbf \n\n", "a.csv", "empty_file", "blanks"),
    "PDF": (b"%PDF-1.7\n%\xe2\xe3", "a.csv", "binary_content", "PDF"),
    "Parquet": (b"PAR1\x15\x04\x15\x10", "a", "unreadable_parquet", "its end"),
    "JPEG": (b"\xff\xd8\xff\xe0\x00\x10JFIF", "a.txt", "binary_content", "JPEG"),
    "junk": (bytes(range(256)) * 20, "a.csv", "binary_content", "control"),
    "NULs in text": ((HEADER + "CT,2024-01-01,Da\0ta,1\n" * 20).encode(), "a.csv", "binary_content", "control"),
    "NULs far down": ((HEADER + ROW * 40_000 + "\0" * 50_000 + "\n").encode(), "a.csv", "binary_content", "NUL"),
    "old Excel": (compound({"WordDocument": bytes(4096)}), "a.xls", "binary_content", "old Office"),
    "a program without a name": (b"\x7fELF\x02\x01", "a", "binary_content", "program"),
    "cut old Excel": (OLE + bytes(512), "a.xls", "unreadable_spreadsheet", "container"),
    "text called parquet": (b"version https://git-lfs\n", "a.parquet", "extension_mismatch", ".parquet"),
    "page called xls": (b"<html><table><tr><td>a", "a.xls", "binary_content", "web page"),
    "text called pdf": ((HEADER + ROW).encode(), "a.pdf", "extension_mismatch", ".pdf"),
    "workbook called pdf": (compound({"Workbook": bytes(4096)}), "a.pdf", "extension_mismatch", "xls"),
    "zip of nothing": (zipped(), "a.zip", "unreadable_archive", "nothing"),
    "cut gzip": (gzip.compress(HEADER.encode())[:-4], "a.csv.gz", "unreadable_archive", "gzip"),
    "broken JSON": (b'[{"a": 1}, {"a": nope}]', "a.json", "broken_json", "character 18"),
    "broken workbook": (zipped("xl/workbook.xml"), "a.xlsx", "unreadable_spreadsheet", ""),
    "cut workbook": (zipped("xl/workbook.xml")[:40], "a.xlsx", "unreadable_spreadsheet", "broken"),
    "password": (compound({"EncryptedPackage": bytes(4096)}), "a.xlsx", "unreadable_spreadsheet", "pass"),
    "no encoding": (b"a,b\n\x81\x9d\x8f x,\xff\xfe\xfd\x90y\n" * 3, "a.csv", "unknown_encoding", "neither"),
    "broken UTF-8": ((HEADER + "Höhe,2024-01-01,ä,1\n").encode() + b"\xff\n", "a.csv", "unknown_encoding", "byte"),
    "cut UTF-16": ((HEADER + ROW).encode("utf-16") + b"x", "a.csv", "unknown_encoding", "utf-16"),
    "prose": (b"Dear all\nhere is the file\n", "a.txt", "no_header", "20 lines"),
    "header alone": (HEADER.encode(), "a.csv", "no_rows", "no row"),
    "blank rows alone": ((HEADER + ",,,\n\n").encode(), "a.csv", "no_rows", "no row"),
    "too many columns": ((HEADER.strip() + ",x" * 10_000 + "\n" + ROW).encode(), "a.csv", "too_many_columns", "10,000"),
    "no line end": (b"a," * 600_000, "a.csv", "too_many_columns", "10,000"),
    "Result in two units": (
        b"Station_ID,Date_Time,PCode,Result (mg/L),Result (ug/L)\nCT,2024-01-01,A,1,1000\n",
        "a.csv", "duplicate_columns", "Result (ug/L)",
    ),
    "Result twice": (
        (HEADER.strip() + ",RESULT\n" + ROW.strip() + ",2\n").encode(), "a.csv", "duplicate_columns", "RESULT",
    ),
    "nothing usable": ((HEADER + "CT,never,Data 1,1\n,,,x\n").encode(), "a.csv", "no_usable_rows", "unparsable_date 1"),
    "too many stations": (
        (HEADER + "".join(f"S{i},2024-01-01,D,1\n" for i in range(1001))).encode(),
        "a.csv", "too_many_stations", "1,001",
    ),
    "too many codes": (
        (HEADER + "".join(f"S,2024-01-01,D{i},1\n" for i in range(2001))).encode(),
        "a.csv", "too_many_parameters", "2,001",
    ),
    "a code of a page": ((HEADER + f"S,2024-01-01,{'x' * 256},1\n").encode(), "a.csv", "name_too_long", "256"),
}  # fmt: skip


@pytest.mark.parametrize("kind", BAD)
def test_is_refused_with_a_code_a_detail_and_a_suggestion(kind: str, run: Run) -> None:
    content, filename, code, detail = BAD[kind]
    with pytest.raises(Unprocessable) as caught:
        run(content, filename=filename, dataset_type="station_measurements")
    assert caught.value.code == code
    assert detail in caught.value.detail
    assert caught.value.suggestion


def test_nothing_is_left_behind(tmp_path: Path, make_source: MakeSource) -> None:
    source = make_source(HEADER + "CT,never,Data 1,1\n")
    before = set(tmp_path.iterdir())
    with pytest.raises(Unprocessable):
        run_in(tmp_path / "out", source, dataset_type="station_measurements")
    assert set(tmp_path.iterdir()) - before == {tmp_path / "out"}
    assert not list((tmp_path / "out").iterdir())


def test_six_lines_of_unequal_length_lose_nothing(run: Run) -> None:
    found = run(
        HEADER + "CT,2024-01-01,Data 1,1\nCT,2024-01-02\nCT,2024-01-03,Data 1,3,surplus\nCT,2024-01-04,Data 1,4,,\nCT\n"
    )
    assert found.summary.counts["rows"].read == 5
    assert found.summary.counts["rows"].used == 2
    quality = json.loads(next(o.path for o in found.outputs if o.name == "quality.json").read_bytes())
    assert {one["reason"]: one["rows"] for one in quality["refused"]} == {
        "missing_pcode": [2],
        "too_many_fields": [3],
        "missing_date": [5],
    }


def test_bare_times_and_durations_of_a_workbook_are_no_dates(tmp_path: Path, run: Run) -> None:
    book = openpyxl.Workbook()
    sheet = book.worksheets[0]
    sheet.append(HEADER.strip().split(","))
    for when in (time(10, 30), timedelta(hours=30), timedelta(hours=2), datetime(1900, 3, 1), "1850-01-01"):
        sheet.append(["CT", when, "Data 1", 1])
    book.save(tmp_path / "times.xlsx")
    found = run((tmp_path / "times.xlsx").read_bytes(), filename="times.xlsx", dataset_type="station_measurements")
    assert [(one["reason"], one["rows"]) for one in json_of(found, "quality.json")["refused"]] == [
        ("unparsable_date", [1, 2, 3])
    ]
    assert table_of(found, "audit_lineage.csv")[1][2] == "10:30:00"


def test_a_number_too_small_for_a_double_is_refused_and_nought_is_not(run: Run) -> None:
    cells = ["1e-400", "0", "-0.0", "0e5", "0.0e-400", "5e-324", "0." + "0" * 400 + "1"]
    found = run(HEADER + "".join(f"CT,2024-01-0{n},D,{cell}\n" for n, cell in enumerate(cells, start=1)))
    assert [(one["reason"], one["rows"]) for one in json_of(found, "quality.json")["refused"]] == [
        ("result_not_a_number", [1, 7])
    ]


@pytest.mark.parametrize(
    ("delimiter", "results", "numbers", "refused"),
    [
        (";", ["1,5", "-2", "+0,25", "1,5e2", "1,234"], ["1.5", "-2.0", "0.25", "150.0", "1.234"], 0),
        ("\t", ["1,5", ""], ["1.5", ""], 1),
        (";", ["1,5", *["2"] * 29, "1.234"], ["1.5", *["2.0"] * 29, "1234.0"], 0),
        (";", ["1,234", "999"], ["1,234", "999.0"], 1),
        (";", ["1,5", "2.5"], ["1,5", "2.5"], 1),
        ("|", ["1,5", "2"], ["1.5", "2.0"], 0),
    ],
)
def test_a_decimal_comma_is_read_where_the_whole_column_has_it(
    delimiter: str, results: list[str], numbers: list[str], refused: int, run: Run
) -> None:
    rows = [["CT", f"2024-01-01 00:{n:02}", "D", result] for n, result in enumerate(results)]
    found = run(HEADER.replace(",", delimiter) + "".join(delimiter.join(row) + "\n" for row in rows))
    assert [row[4] for row in table_of(found, "audit_lineage.csv")[1:]] == numbers
    quality = json_of(found, "quality.json")
    assert quality["read_as"]["decimal_comma"] is (numbers[0] == "1.5")
    assert sum(one["count"] for one in quality["refused"]) == refused


@pytest.mark.parametrize(
    "header",
    [
        "Station_ID.,Date/Time,P.Code,Result (mg/L)",
        "STATION ID:,Date & Time,Parameter #,Value [µg/l] ",
        "Site*,Date,PCode?,Result. (mg/L)",
    ],
)
def test_punctuation_and_units_in_a_header_make_no_difference(header: str, run: Run) -> None:
    assert run(f"{header}\n" + ROW * 3).summary.counts["rows"].used == 3


@pytest.mark.parametrize(
    ("parameters", "detail"),
    [
        ({"aggregate": "mode"}, "aggregate: Input should be 'mean'"),
        ({"agregate": "mean"}, "there is no parameter `agregate`"),
        ({"template": []}, "template"),
        ({"template": "Data 1,,Data 2"}, "name of its own"),
        ({"template": ["Data 1", "Data 1"]}, "name of its own"),
        ({"template": [1, 2]}, "template"),
    ],
)
def test_wrong_parameters_are_named(parameters: dict[str, JsonValue], detail: str, run: Run) -> None:
    with pytest.raises(Unprocessable) as caught:
        run(HEADER + ROW, parameters)
    assert caught.value.code == "invalid_parameters"
    assert detail in caught.value.detail
    assert "aggregate" in caught.value.suggestion


def test_an_unknown_requested_type_is_refused_with_those_known(tmp_path: Path, make_source: MakeSource) -> None:
    with pytest.raises(Unprocessable) as caught:
        run_in(tmp_path / "out", make_source(HEADER + ROW), dataset_type="sequences")
    assert caught.value.code == "unknown_dataset_type"
    assert "station_measurements" in caught.value.suggestion


def test_a_requested_type_whose_columns_are_missing_says_which(tmp_path: Path, make_source: MakeSource) -> None:
    source = make_source("Station_ID,When,What\nCT,2024-01-01,1\n")
    with pytest.raises(Unprocessable) as caught:
        run_in(tmp_path / "out", source, dataset_type="station_measurements")
    assert caught.value.code == "missing_columns"
    assert "Date_Time, PCode, Result" in caught.value.detail
    assert "When, What" in caught.value.detail


def test_an_unknown_table_waits_for_a_person(tmp_path: Path, make_source: MakeSource) -> None:
    found = run_in(tmp_path / "out", make_source("The fog comes\non little cat feet.\n\nIt sits looking\n"))
    assert isinstance(found, NeedsType)
    assert found.detection.confidence < 0.5
    assert found.detection.dataset_type is None
    assert "station_measurements" in [one.dataset_type for one in found.detection.runners_up]
    assert not list((tmp_path / "out").iterdir())
