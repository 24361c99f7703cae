"""The folders that commands write to: the outputs of one run, all of them or none, and nobody's own files."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from assay.checks import run as checks_run
from assay.cli.app import app
from tests.local.fixed_answers import JOB, Assay, Assayed, job, will_answer

pytestmark = pytest.mark.usefixtures("elsewhere")
STATIONS = "Station_ID,Date_Time,PCode,Result\nCT,2024-01-01 10:00:00,Data 2,1.411\n"
SALES = "Order ID,Order date,Amount,Currency\nA1,2024-01-01,10.00,EUR\nA2,2024-01-02,12.50,EUR\n"


def analyse(file: str, *more: str) -> Result:
    return CliRunner().invoke(app, ["analyse", file, "--out", "there", *more])


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def contents(folder: Path) -> dict[str, bytes | None]:
    return {str(path.relative_to(folder)): path.read_bytes() if path.is_file() else None for path in folder.rglob("*")}


@pytest.fixture
def files(tmp_path: Path) -> Path:
    (tmp_path / "stations.csv").write_text(STATIONS)
    (tmp_path / "sales.csv").write_text(SALES)
    (tmp_path / "s.json").write_text('{"fields": [{"name": "id", "type": "integer"}]}')
    (tmp_path / "ids.csv").write_text("id\n1\nx\n")
    return tmp_path


@pytest.fixture
def saved(assay: Assay, cli: Assayed, files: Path) -> dict[str, Callable[[], Result]]:
    """The commands that write into the folder `there`, each with what it is about."""
    will_answer(assay, job(), put=False)
    for command in ("retry", "reprocess"):
        assay.answers["POST", f"/jobs/{JOB}/{command}"] = (200, job())
    assay.answers["PATCH", f"/jobs/{JOB}"] = (200, job())
    out = ("--out", "there", "--json")
    return {
        "analyse": lambda: analyse("stations.csv", "--json"),
        "check": lambda: CliRunner().invoke(app, ["check", "ids.csv", "--schema", "s.json", *out]),
        "run": lambda: cli("run", files / "ids.csv", *out),
        "retry": lambda: cli("retry", JOB, *out),
        "reprocess": lambda: cli("reprocess", JOB, *out),
        "choose": lambda: cli("choose", JOB, "table", *out),
    }


ALL = pytest.mark.parametrize("command", ["analyse", "check", "run", "retry", "reprocess", "choose"])


def lay(folder: Path, kind: str) -> None:
    folder.mkdir()
    listed = {"outputs": [{"name": "kpis.json"}, {"name": "valid.csv"}]}
    manifest = "{" if kind == "damaged" else "[]" if kind == "other" else json.dumps(listed)
    if kind != "none":
        (folder / "manifest.json").write_text(manifest)
    if kind == "folder":
        (folder / "kpis.json").mkdir()
    elif kind == "unnamed":
        (folder / "notes.txt").write_text("mine")
    (folder / "valid.csv").write_text("mine")


@ALL
@pytest.mark.parametrize("kind", ["none", "damaged", "other", "unnamed", "folder"])
def test_a_folder_with_other_files_is_refused_before_anything_is_done(
    saved: dict[str, Callable[[], Result]], assay: Assay, tmp_path: Path, command: str, kind: str
) -> None:
    lay(tmp_path / "there", kind)
    before = contents(tmp_path / "there")
    done = saved[command]()
    assert done.exit_code == (2 if command == "check" else 1), done.output
    problem = json.loads(done.stdout)["problem"]
    assert (problem["code"], "--out" in problem["suggestion"]) == ("folder_not_empty", True)
    assert "there holds " in problem["detail"]
    assert contents(tmp_path / "there") == before
    assert [method for method, *_ in assay.asked if method != "GET"] == []


@ALL
def test_a_run_into_the_same_folder_replaces_the_earlier_one(
    saved: dict[str, Callable[[], Result]], tmp_path: Path, command: str
) -> None:
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / ".DS_Store").touch()
    first = saved[command]()
    assert names(tmp_path / "there") > {".DS_Store"}, first.output
    before = contents(tmp_path / "there")
    assert saved[command]().exit_code == first.exit_code
    assert contents(tmp_path / "there") == before


def test_nothing_of_another_analysis_is_left(files: Path) -> None:
    listed = json.loads(analyse("sales.csv", "--dataset-type", "transactions", "--json").stdout)["outputs"]
    assert names(files / "there") == {output["name"] for output in listed} > {"kpis.json"}
    listed = json.loads(analyse("stations.csv", "--json").stdout)["outputs"]
    assert names(files / "there") == {output["name"] for output in listed} > {"CT_Analysis.csv"}


@pytest.mark.parametrize("command", ["analyse", "check", "run"])
@pytest.mark.parametrize("at", [1, 5, 9])
def test_outputs_that_can_not_all_be_moved_leave_what_was_there(
    saved: dict[str, Callable[[], Result]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str, at: int
) -> None:
    saved[command]()
    before = contents(tmp_path / "there")
    rename, count = Path.rename, 0

    def fails(path: Path, target: Path) -> Path:
        nonlocal count
        count += 1
        if count == (min(at, 4) if command == "run" else at):
            raise OSError("the disk is full")
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", fails)
    done = saved[command]()
    assert json.loads(done.stdout)["problem"]["code"] == "file_error"
    assert contents(tmp_path / "there") == before


def test_a_file_that_comes_during_the_analysis_is_kept(files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from assay import run

    whole = run.analyse

    def analyse_slowly(*arguments: object) -> object:
        (files / "there" / "kpis.json").write_text("mine")
        return whole(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(run, "analyse", analyse_slowly)
    assert json.loads(analyse("stations.csv", "--json").stdout)["problem"]["code"] == "folder_not_empty"
    assert contents(files / "there") == {"kpis.json": b"mine"}


def test_of_several_files_one_that_can_not_be_saved_stops_no_other(assay: Assay, cli: Assayed, files: Path) -> None:
    will_answer(assay, job(), put=False)
    lay(files / "there", "none")
    (files / "there" / JOB).mkdir()
    (files / "there" / JOB / "notes.txt").write_text("mine")
    done = cli("run", files / "ids.csv", files / "stations.csv", "--out", "there", "--json")
    assert [one["problem"]["code"] for one in json.loads(done.stdout)] == ["folder_not_empty"] * 2
    assert names(files / "there" / JOB) == {"notes.txt"}


def test_the_names_of_a_check_s_outputs_are_these(saved: dict[str, Callable[[], Result]], tmp_path: Path) -> None:
    saved["check"]()
    assert names(tmp_path / "there") == {*checks_run.OUTPUTS}
