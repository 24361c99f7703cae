"""`assay read`: what a file is understood as, and the table as it was read; no stack runs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from assay.cli.app import app


@pytest.fixture
def there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_read_writes_the_table_as_it_was_read(there: Path) -> None:
    (there / "a.csv").write_text('Report\n\nid;name;price\n007;"a, ""b""";1,5\n008;;2,25\n009;c\n\nSource: me\n')
    done = CliRunner().invoke(app, ["read", "a.csv", "--out", "out.csv", "--json"])
    assert done.exit_code == 0, done.stderr
    found = json.loads(done.stdout)
    assert [one["name"] for one in found["columns"]] == ["id", "name", "price"]
    assert (found["rows"], found["read_as"]["delimiter"], found["read_as"]["header_line"]) == (3, "semicolon", 3)
    assert (there / "out.csv").read_bytes() == (b'id,name,price\r\n007,"a, ""b""","1,5"\r\n008,,"2,25"\r\n009,c,\r\n')
    assert "semicolon" in CliRunner().invoke(app, ["read", "a.csv"]).stdout


def test_read_says_why_it_can_not_and_leaves_what_was_there(there: Path) -> None:
    (there / "a.csv").touch()
    (there / "out.csv").write_text("before")
    done = CliRunner().invoke(app, ["read", "a.csv", "--out", "out.csv", "--json"])
    assert done.exit_code == 1
    assert json.loads(done.stdout)["problem"]["code"] == "empty_file"
    assert (there / "out.csv").read_text() == "before"


def test_read_takes_what_a_user_says(there: Path) -> None:
    (there / "a.csv").write_text("1,2\n3,4\n")
    done = CliRunner().invoke(app, ["read", "a.csv", "--header", "none", "--delimiter", ",", "--out", "out.csv"])
    assert done.exit_code == 0, done.stderr
    assert (there / "out.csv").read_bytes() == b"1,2\r\n3,4\r\n"
    assert CliRunner().invoke(app, ["read", "a.csv", "--header", "perhaps"]).exit_code == 2
