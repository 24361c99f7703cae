"""`assay run` with several files, a folder, a pattern, and standard input."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from assay.cli.app import app
from tests.local.fixed_answers import JOB, Assay, Assayed, job, will_answer

pytestmark = pytest.mark.usefixtures("elsewhere")


def sent_names(assay: Assay) -> list[str]:
    posted = [json.loads(body) for method, path, _, body in assay.asked if (method, path) == ("POST", "/uploads")]
    return [request["filename"] for request in posted]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "data [1]"
    path.mkdir()
    for name in ("b.csv", "a.csv", "report [2024].csv", "report 2.csv", ".hidden"):
        (path / name).write_text(name)
    (path / "below").mkdir()
    (path / "below" / "c.csv").write_text("c")
    return path


def test_a_folder_stands_for_the_files_directly_in_it(assay: Assay, cli: Assayed, folder: Path) -> None:
    will_answer(assay, job(), put=False)
    done = cli("run", folder)
    assert done.exit_code == 0, done.output
    assert sent_names(assay) == ["a.csv", "b.csv", "report 2.csv", "report [2024].csv"]
    assert done.stdout.count(f"results/{JOB}") == 4


@pytest.mark.parametrize(
    ("argument", "expected"),
    [
        ("report [2024].csv", ["report [2024].csv"]),
        ("report [2].csv", ["report 2.csv"]),
        ("?.csv", ["a.csv", "b.csv"]),
        ("**/*.csv", ["a.csv", "b.csv", "c.csv", "report 2.csv", "report [2024].csv"]),
    ],
)
def test_a_name_that_is_there_is_no_pattern(
    assay: Assay, cli: Assayed, folder: Path, argument: str, expected: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    will_answer(assay, job(), put=False)
    done = cli("run", argument)
    assert done.exit_code == 0, done.output
    assert sorted(sent_names(assay)) == expected


def test_each_file_is_taken_once(assay: Assay, cli: Assayed, folder: Path) -> None:
    will_answer(assay, job(), put=False)
    done = cli("run", folder / "a.csv", folder / "a.csv", folder / ".." / folder.name / "a.csv", "--json")
    assert sent_names(assay) == ["a.csv"]
    assert [each["file"] for each in json.loads(done.stdout)] == [str(folder / "a.csv")]


@pytest.mark.parametrize(("argument", "word"), [("nothing.csv", "no file"), ("*.xml", "matches"), ("empty", "folder")])
def test_what_stands_for_no_file_is_refused(cli: Assayed, argument: str, word: str) -> None:
    Path("empty").mkdir()
    done = cli("run", argument)
    assert done.exit_code == 2
    assert word in done.stderr


def test_standard_input_is_sent(assay: Assay) -> None:
    will_answer(assay, job(), put=True)
    there = ["--url", assay.url, "--token", "T"]
    done = CliRunner().invoke(app, [*there, "run", "-", "--json"], input=b"a,b\r\n1,2\r\n")
    assert done.exit_code == 0, done.output
    assert json.loads(assay.asked[0][3])["sha256"] == hashlib.sha256(b"a,b\r\n1,2\r\n").hexdigest()
    assert json.loads(done.stdout)["job"]["job_id"] == JOB


def test_a_file_that_is_refused_stops_no_other(assay: Assay, cli: Assayed, folder: Path) -> None:
    will_answer(assay, job(), put=False)
    refused = {"title": "T", "status": 422, "detail": "Empty.", "code": "empty_file", "suggestion": "Fill it."}
    first = [True]

    def answer(asked: tuple[str, str]) -> tuple[int, dict[str, object] | bytes] | None:
        if asked == ("POST", "/uploads") and first:
            first.clear()
            return 422, refused
        return None

    assay.changed = answer
    done = cli("run", folder / "a.csv", folder / "b.csv", "--json")
    assert done.exit_code == 1
    bad, good = json.loads(done.stdout)
    assert (bad["problem"]["code"], good["job"]["status"]) == ("empty_file", "done")
    assert "Fill it." in done.stderr
    assert "1 of 2 files have no results." in done.stderr


def test_a_service_that_lets_nobody_in_is_asked_once(assay: Assay, cli: Assayed, folder: Path) -> None:
    refused = {"title": "T", "status": 401, "detail": "No.", "code": "unauthenticated", "suggestion": "Sign in."}
    assay.answers = {("POST", "/uploads"): (401, refused)}
    done = cli("run", folder / "a.csv", folder / "b.csv")
    assert done.exit_code == 1
    assert len(assay.asked) == 1


def test_a_job_that_failed_is_told_among_the_others(assay: Assay, cli: Assayed, folder: Path) -> None:
    error = {"code": "no_header", "detail": "No header was found.", "suggestion": "Add one."}
    will_answer(assay, job("failed", error=error), put=True)
    done = cli("run", folder / "a.csv", folder / "b.csv")
    assert done.exit_code == 1
    assert done.stderr.count("No header was found.") == 2
    assert "2 of 2 files have no results." in done.stderr
