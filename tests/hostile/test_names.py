"""Names of stations that are paths, devices, or look like others; and the names of outputs that come of them."""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from pathlib import PurePosixPath, PureWindowsPath

import pytest

from assay.contract import NAME
from assay.datasets.station_measurements.names import alike
from assay.datasets.station_measurements.tables import stems
from assay.errors import Unprocessable
from shared.object_store.keys import output_key
from tests.assay.analyses import HEADER, Run
from tests.assay.outputs import json_of, path_of, table_of

PATHS = [
    "../../etc/passwd",
    "..",
    ".",
    "...",
    "/etc/passwd",
    "\\\\server\\share",
    "C:\\Windows\\win.ini",
    "C:evil",
    "a/b",
    "a%2fb",
    "~root",
    "-rf",
    "$(id)",
    "`id`",
    "name\nnewline",
    ".hidden",
    "file:///etc/passwd",
    "CON",
    "con.txt",
    "NUL.1",
    "COM1.",
    "LPT9.csv",
    "aux",
    "x" * 255,
    "🌊",
    "👩‍🔬",
    "\u202egnp.exe",
    "München",
    unicodedata.normalize("NFD", "München"),
    "CT",
    "ct",
    "Ct ",
    "C\u200bT",
    "\uff23\uff34",
    "audit_lineage",
    "manifest.json",
]
DEVICES = {"CON", "PRN", "AUX", "NUL", *(f"{port}{n}" for port in ("COM", "LPT") for n in range(10))}


def rows_of(stations: list[str], codes: list[str] | None = None) -> str:
    out = io.StringIO()
    writer = csv.writer(out)
    for at, station in enumerate(stations):
        writer.writerow([station, "2024-01-01", codes[at] if codes else "D", at])
    return HEADER + out.getvalue()


def test_every_station_has_files_of_its_own_that_are_only_names(run: Run) -> None:
    found = run(rows_of(PATHS))
    stations = {path.strip() for path in PATHS}
    names = [output.name for output in found.outputs]
    tables = [name for name in names if name.endswith("_Analysis.csv")]
    assert len({name.casefold() for name in names}) == len(names)
    assert len(tables) == len(stations)
    told = set()
    for name in names:
        assert re.fullmatch(NAME, name)
        assert PurePosixPath(name).name == PureWindowsPath(name).name == name
        assert name.partition(".")[0].upper() not in DEVICES
        key = output_key("owner", "job", 1, name)
        assert key == f"outputs/owner/job/1/{name}"
        assert path_of(found, name).resolve().parent == found.outputs[0].path.parent.resolve()
    for name in tables:
        told.add(table_of(found, name)[1][0].removeprefix("'"))
    assert told == stations


@pytest.mark.parametrize("device", ["con.", "CON.x", "nul.tar.gz", "Com3.csv"])
def test_a_device_of_windows_gets_an_x_in_front(device: str) -> None:
    assert stems([device])[device].startswith("x")
    assert stems([f"a{device}"]) == {f"a{device}": f"a{device}"}


@pytest.mark.parametrize("column", ["station", "code"])
def test_a_name_longer_than_any_is_refused(column: str, run: Run) -> None:
    long = "x" * 256
    with pytest.raises(Unprocessable) as caught:
        run(rows_of([long]) if column == "station" else rows_of(["CT"], [long]))
    assert caught.value.code == "name_too_long"
    assert "256" in caught.value.detail
    assert "255" in caught.value.detail


def test_a_template_names_nothing_that_a_cell_does_not_hold(run: Run) -> None:
    with pytest.raises(Unprocessable, match="at most 255 characters"):
        run(rows_of(["CT"]), {"template": ["x" * 40_000]})


def test_a_template_cannot_make_a_small_file_large(run: Run) -> None:
    stations = [f"S{n}" for n in range(1_000)]
    days = "".join(f"{station},2024-01-{day:02},D,1\n" for station in stations for day in range(1, 7))
    with pytest.raises(Unprocessable) as caught:
        run(HEADER + days, {"template": [f"c{n}" for n in range(2_000)]})
    assert caught.value.code == "tables_too_large"
    assert "12,000,000" in caught.value.detail
    assert "10,000,000" in caught.value.detail


def test_names_that_look_alike_are_kept_apart_and_told(run: Run) -> None:
    names = [
        "CT",
        "ct",
        "C\u200bT",
        "\uff23\uff34",
        "München",
        unicodedata.normalize("NFD", "München"),
        "TUS",
        "A  B",
        "A B",
    ]
    found = run(rows_of([*names, "TUS"], [*names, "TUS"]))
    groups = json_of(found, "quality.json")["names_alike"]
    for group in (groups["stations"], groups["pcodes"]):
        assert sorted(map(sorted, group)) == sorted(
            map(sorted, [["CT", "ct", "C\u200bT", "\uff23\uff34"], names[4:6], ["A  B", "A B"]])
        )
    page = path_of(found, "dashboard.html").read_text(encoding="utf-8")
    assert "Stations whose names look alike, kept apart: " in page
    assert "C\u200bT" not in page
    assert "C\ufffdT" in page


def test_names_that_do_not_look_alike_are_not_told(run: Run) -> None:
    found = run(rows_of(["CT", "TUS"], ["D 1", "D 10"]))
    assert json_of(found, "quality.json")["names_alike"] == {"stations": [], "pcodes": []}
    assert "look alike" not in path_of(found, "dashboard.html").read_text(encoding="utf-8")


@pytest.mark.parametrize("joined", ["👩‍🔬", "می‌روم"])
def test_a_joiner_makes_names_alike_but_is_shown(joined: str, run: Run) -> None:
    assert alike([joined, re.sub("[\u200c\u200d]", "", joined)])
    page = path_of(run(rows_of([joined])), "dashboard.html").read_text(encoding="utf-8")
    assert joined in page
