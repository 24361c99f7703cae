"""`assay infer` and `assay check`: exit codes, what is printed, what is written; no stack runs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from assay.cli.app import app
from assay.cli.terminal import installed

SCHEMA = {"fields": [{"name": "id", "type": "integer", "constraints": {"unique": True}}, {"name": "name"}]}


@pytest.fixture
def there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "s.json").write_text(json.dumps(SCHEMA))
    (tmp_path / "good.csv").write_text("id,name\n1,a\n2,b\n")
    (tmp_path / "bad.csv").write_text("id,name\n1,a\n1,b\nx,c\n")
    return tmp_path


def test_a_file_passes_the_schema_that_was_made_of_it(there: Path) -> None:
    made = CliRunner().invoke(app, ["infer", "bad.csv"])
    assert made.exit_code == 0
    (there / "made.json").write_text(made.stdout)
    assert CliRunner().invoke(app, ["check", "bad.csv", "--schema", "made.json"]).exit_code == 0


def test_violations_are_printed_and_written_and_end_with_1(there: Path) -> None:
    done = CliRunner().invoke(app, ["check", "bad.csv", "--schema", "s.json", "--out", "out"])
    assert done.exit_code == 1
    for said in ("unique", "2: '1'", "3: 'x'", "3 rows, 1 valid, 2 refused; 2 errors, 0 warnings"):
        assert said in done.stdout
    assert sorted(one.name for one in (there / "out").iterdir()) == [
        "checks.json", "refused.csv", "valid.csv", "valid.parquet", "violations.csv", "violations.parquet",
    ]  # fmt: skip
    assert (there / "out" / "refused.csv").read_text() == "id,name\n1,b\nx,c\n"
    as_json = CliRunner().invoke(app, ["check", "bad.csv", "--schema", "s.json", "--json"])
    assert json.loads(as_json.stdout) == json.loads((there / "out" / "checks.json").read_text())


def test_a_file_that_passes_ends_with_0(there: Path) -> None:
    assert CliRunner().invoke(app, ["check", "good.csv", "--schema", "s.json"]).exit_code == 0
    by_hand = ["check", "good.csv", "--schema", "s.json", "--param", 'reading={"delimiter": ","}']
    assert CliRunner().invoke(app, by_hand).exit_code == 0


@pytest.mark.parametrize("command", ["check", "infer"])
def test_the_help_names_the_one_parameter(command: str) -> None:
    shown = CliRunner().invoke(app, [command, "--help"], env={"COLUMNS": "200"}).stdout
    assert "reading={" in shown
    assert "parameter of the analysis" not in shown


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["check", "good.csv", "--schema", "bad.csv"], "not a Table Schema"),
        (["check", "good.csv", "--schema", "typo.json"], "fields.0.type"),
        (["check", "good.csv", "--schema", "pattern.json"], "look-around"),
        (["check", "empty.csv", "--schema", "s.json"], "can't be checked"),
        (["check", "none.csv", "--schema", "s.json"], "does not exist"),
        (["check", "good.csv", "--schema", "s.json", "--param", "top=1"], "Only reading"),
        (["infer", "empty.csv"], "can't be checked"),
    ],
)
def test_what_can_not_be_checked_ends_with_2(there: Path, arguments: list[str], said: str) -> None:
    (there / "empty.csv").touch()
    (there / "typo.json").write_text('{"fields": [{"name": "id", "type": "int"}]}')
    pattern = {"fields": [{"name": "id", "constraints": {"pattern": "(?=a)"}}, {"name": "name"}]}
    (there / "pattern.json").write_text(json.dumps(pattern))
    done = CliRunner().invoke(app, arguments)
    assert (done.exit_code, said in done.output) == (2, True), done.output


@pytest.mark.parametrize("arguments", [["check", "good.csv", "--schema", "s.json"], ["infer", "good.csv"]])
@pytest.mark.usefixtures("there")
def test_without_the_data_engine_nothing_is_checked(arguments: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(installed, "_ENGINE", ("no_such_engine",))
    done = CliRunner().invoke(app, arguments)
    assert (done.exit_code, "engine_not_installed" in done.stderr) == (2, True), done.output
