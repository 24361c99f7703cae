"""`assay read`: what a file is understood as, and the table as it was read; no stack runs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import get_args

import pytest
from typer.testing import CliRunner

from assay.cli.app import app
from assay.reading import Reading


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


def test_the_help_lists_the_values_of_an_option_and_says_once_what_omitting_it_means() -> None:
    shown = CliRunner().invoke(app, ["read", "--help"], env={"COLUMNS": "200"}).stdout
    options = {line.split()[1]: line for line in shown.splitlines() if line.startswith("│ --")}
    for name, field in Reading.model_fields.items():
        line = options[f"--{name.replace('_', '-')}"]
        values = [value for part in get_args(field.annotation) for value in get_args(part) or [part]]
        texts = [value for value in values if isinstance(value, str) and value.strip() and value != "auto"]
        assert [value for value in texts if value not in line] == []
        assert ("detected if omitted" in line, "default:" in line) == (True, False)


def test_map_stands_beside_read() -> None:
    shown = CliRunner().invoke(app, ["--help"], env={"COLUMNS": "200"}).stdout
    commands = [line.split()[1] for line in shown.partition("Commands")[2].splitlines() if line.startswith("│ ")]
    assert commands[commands.index("read") + 1] == "map"


def test_read_takes_what_a_user_says(there: Path) -> None:
    (there / "a.csv").write_text("1,2\n3,4\n")
    done = CliRunner().invoke(app, ["read", "a.csv", "--header", "none", "--delimiter", ",", "--out", "out.csv"])
    assert done.exit_code == 0, done.stderr
    assert (there / "out.csv").read_bytes() == b"1,2\r\n3,4\r\n"
    assert CliRunner().invoke(app, ["read", "a.csv", "--header", "perhaps"]).exit_code == 2
