"""Same input, version and parameters: same bytes, whatever the name, the folder, the time or the threads."""

# ruff: noqa: S311 - seeded, so that every run has the same rows
from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

from tests.assay.analyses import HEADER, MakeSource, Run
from tests.assay.outputs import hashes, json_of, table_of, unpacked

EXAMPLE = Path(__file__).parents[2] / "examples" / "station_measurements.csv"

_PRINT_HASHES = """
import json, sys
from pathlib import Path
from tests.assay.analyses import run_in, write_source
from tests.assay.outputs import hashes
folder = Path(sys.argv[2])
source = write_source(folder / "upload", Path(sys.argv[1]).read_bytes(), "threads.csv")
print(sorted(hashes(run_in(folder / "out", source, json.loads(sys.argv[3]))).items()))
"""


def hashes_with(threads: int, path: Path, folder: Path, how: str = "mean") -> str:
    folder.mkdir()
    environment = os.environ | {"POLARS_MAX_THREADS": str(threads), "PYTHONHASHSEED": str(threads)}
    done = subprocess.run(
        [sys.executable, "-c", _PRINT_HASHES, str(path), str(folder), json.dumps({"aggregate": how})],
        env=environment, cwd=Path(__file__).parents[2], capture_output=True, text=True, check=True,
    )  # fmt: skip
    return done.stdout


def many_rows(count: int) -> str:
    dice, odd = random.Random(7), ("", "ND", "-0.0")
    return HEADER + "".join(
        f"S{dice.randrange(3)},2024-01-{dice.randrange(1, 29):02d} {dice.randrange(24):02d}:00:00,"
        f"D{dice.randrange(9)},{dice.choice(odd) if dice.random() < 0.01 else repr(dice.gauss(10, 1e6))}\n"
        for _ in range(count)
    )


def test_again_under_another_name(run: Run, make_source: MakeSource) -> None:
    first = run(EXAMPLE.read_bytes(), filename="one.csv")
    second = run(EXAMPLE.read_bytes(), filename="../two.txt")
    assert hashes(first) == hashes(second)
    assert first.manifest_sha256 == second.manifest_sha256


@pytest.mark.faults
def test_whatever_the_threads_do(tmp_path: Path) -> None:
    # More than one row group of the Parquet file, so that threads have something to mix up.
    path = tmp_path / "many.csv"
    path.write_text(many_rows(280_000))
    one = hashes_with(1, path, tmp_path / "one")
    assert one.count(",") > 5
    assert hashes_with(5, path, tmp_path / "five") == one


@pytest.mark.faults
@pytest.mark.parametrize("how", ["mean", "min"])
def test_whatever_the_threads_do_with_zeros_of_both_signs(how: str, tmp_path: Path) -> None:
    dice = random.Random(11)
    path = tmp_path / "zeros.csv"
    rows = (f"CT,2024-01-{1 + n % 28:02d},D{n % 9},{dice.choice(('0.0', '-0.0'))}\n" for n in range(300_000))
    path.write_text(HEADER + "".join(rows))
    one = hashes_with(1, path, tmp_path / "one", how)
    assert hashes_with(2, path, tmp_path / "two", how) == one


def test_shuffled_rows_make_the_same_tables(run: Run) -> None:
    header, *rows = many_rows(3000).splitlines(keepends=True)
    straight = run(header + "".join(rows))
    random.Random(1).shuffle(rows)
    shuffled = run(header + "".join(rows))
    for output in straight.outputs:
        if "_Analysis" in output.name:
            assert hashes(shuffled)[output.name] == output.sha256
    assert json_of(straight, "quality.json")["rows"] == json_of(shuffled, "quality.json")["rows"]


def test_no_output_names_the_file_or_the_machine(run: Run, tmp_path: Path) -> None:
    found = run(HEADER + "CT,2024-01-01,Data 1,1\n", filename="very-secret-name.csv")
    for output in found.outputs:
        content = unpacked(output.path)
        assert b"very-secret-name" not in content
        assert str(tmp_path).encode() not in content


def test_the_example_has_something_to_say(run: Run) -> None:
    found = run(EXAMPLE.read_bytes())
    quality = json_of(found, "quality.json")
    assert found.detection.confidence >= 0.9
    assert {one["reason"] for one in quality["refused"]} >= {"missing_result", "result_not_a_number", "unparsable_date"}
    assert quality["outliers"]["count"] == 15
    assert quality["results"]["below_a_limit"] == 69
    assert quality["duplicates"]["identical"] == 1
    assert len(table_of(found, "audit_lineage.csv")) == found.summary.counts["rows"].read + 1


def test_the_example_is_what_its_script_makes(tmp_path: Path) -> None:
    script = EXAMPLE.with_name("make_station_measurements.py")
    copy = tmp_path / script.name
    copy.write_bytes(script.read_bytes())
    subprocess.run([sys.executable, str(copy)], check=True)
    assert (tmp_path / EXAMPLE.name).read_bytes() == EXAMPLE.read_bytes()
