"""What `import assay` offers."""

from __future__ import annotations

import subprocess
import sys
from datetime import date
from pathlib import Path

import polars as pl
import pytest

import assay
from assay.errors import Unprocessable

EXAMPLES = Path(__file__).parents[2] / "examples"


def test_import_loads_no_data_engine() -> None:
    code = "import assay, sys; assay.__version__; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert {"polars", "pydantic", "httpx", "assay.files"}.isdisjoint(loaded)


def test_read_gives_typed_columns_without_blank_rows(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("day;n;n;\n2026-01-02;1;2,5;x\n;;;\n2026-01-03;;oops;y\n2026-01-04;3;4,5;z\n", encoding="utf-8")
    table = assay.read(path)
    assert table.frame.columns == ["day", "n", "n_2", "column_4"]
    assert table.frame["day"].to_list() == [date(2026, 1, 2), date(2026, 1, 3), date(2026, 1, 4)]
    assert table.frame["n"].to_list() == [1, None, 3]
    assert table.read_as["delimiter"] == "semicolon"


def test_read_takes_the_fields_of_reading(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("a,b\n1,2\n3,4\n", encoding="utf-8")
    assert assay.read(str(path), header="none").frame.height == 3
    with pytest.raises(ValueError, match="delimter"):
        assay.read(path, delimter=";")


def test_analyse_writes_all_outputs(tmp_path: Path) -> None:
    analysis = assay.analyse(EXAMPLES / "transactions.csv", tmp_path / "out")
    assert analysis.dataset_type == "transactions"
    written = {path.name for path in (tmp_path / "out").iterdir()}
    assert written == {output.name for output in analysis.outputs}
    assert all(output.path.parent == tmp_path / "out" and output.path.exists() for output in analysis.outputs)


def test_analyse_refuses_a_file_without_a_table_and_leaves_nothing(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b"\x00\x01\x02")
    with pytest.raises(Unprocessable):
        assay.analyse(path, tmp_path / "out")
    assert list((tmp_path / "out").iterdir()) == []


def test_analyse_refuses_a_text_and_read_takes_it(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("hello\n", encoding="utf-8")
    with pytest.raises(Unprocessable) as raised:
        assay.analyse(path, tmp_path / "out")
    assert raised.value.code == "no_rows"
    assert isinstance(assay.read(path, header="none").frame, pl.DataFrame)
