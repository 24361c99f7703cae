"""`assay map`, and --column of `assay read` and `assay analyse`: which column is what; no stack runs."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from assay.cli.app import app
from assay.cli.offline import roles
from assay.cli.terminal import screen

# Two amounts that nothing tells apart.
ROWS = "order_date,customer,Gross sales,Net sales\n2025-01-01,a,3,1\n2025-01-02,b,1,2\n2025-01-03,a,4,4\n"


def assay(*words: str) -> Result:
    return CliRunner().invoke(app, list(words))


@pytest.fixture(autouse=True)
def _there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("a.csv").write_text(ROWS)


def test_map_shows_the_roles_and_the_command_that_confirms_them() -> None:
    done = assay("map", "a.csv")
    assert done.exit_code == 0, done.stderr
    command = shlex.split(done.stdout.splitlines()[-1])
    assert command == ["assay", "run", "a.csv", "--dataset-type", "transactions", "--column", "revenue=Gross sales"]
    assert "could be it as well" in done.stdout
    found = json.loads(assay("map", "a.csv", "--json").stdout)
    assert found["columns"]["roles"]["revenue"] == {
        "column": "Gross sales", "position": 3, "how": "like", "because": "its name is like revenue",
        "values_fit": "3 of 3", "others": ["Net sales"],
    }  # fmt: skip


def test_map_asks_in_a_terminal_until_there_is_no_answer(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    answers = iter(["amount=Nt sales", "amount", "amount=Net sales", ""])
    monkeypatch.setattr(screen, "ask", lambda _question: next(answers))
    monkeypatch.setattr("sys.stdin", type("Terminal", (), {"isatty": staticmethod(lambda: True)}))
    roles.run(Path("a.csv"), None, {}, as_json=False)
    shown = capsys.readouterr()
    assert shown.out.splitlines()[-1].endswith("--column 'amount=Net sales'")
    assert "The nearest: Net sales" in shown.err
    assert "is not ROLE=HEADER" in shown.err


def test_analyse_and_read_take_columns() -> None:
    done = assay("analyse", "a.csv", "--out", "out", "--column", "amount=Net sales", "--column", "channel=", "--json")
    assert done.exit_code == 0, done.stderr
    manifest = json.loads(Path("out/manifest.json").read_text())
    assert manifest["parameters"]["columns"] == {"amount": "Net sales", "channel": None}
    assert manifest["detection"]["columns"]["revenue"] == {"column": "Net sales", "how": "given", "position": 4}
    read = assay("read", "a.csv", "--column", "amount=#3", "--json")
    assert json.loads(read.stdout)["detection"]["columns"]["roles"]["revenue"]["column"] == "Gross sales"


@pytest.mark.parametrize(
    ("words", "said"),
    [(["--column", "amount"], "ROLE=HEADER"), (["--column", "amount=a", "--column", "amount=b"], "given twice")],
)
def test_what_is_no_column_is_refused(words: list[str], said: str) -> None:
    for command in ("map", "read"):
        done = assay(command, "a.csv", *words)
        assert done.exit_code == 2
        assert said in done.stderr
    both = assay("analyse", "a.csv", "--out", "o", "--column", "amount=Gross sales", "--param", 'columns={"fee": null}')
    assert both.exit_code == 2


def test_an_unknown_header_gives_the_nearest() -> None:
    done = assay("map", "a.csv", "--column", "amount=Gros sales", "--json")
    assert done.exit_code == 1
    assert json.loads(done.stdout)["problem"]["code"] == "unknown_column"
    assert "The nearest: Gross sales" in done.stderr
