"""What the command line does when something fails: one problem, on stdout too with --json, and no traceback."""

import json
import os
import shlex
import subprocess
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import httpx
import polars as pl
import pytest
import typer
from typer.testing import CliRunner, Result

from assay import run
from assay.cli import main
from assay.cli.app import app
from assay.cli.terminal.arguments import parameters
from assay.cli.terminal.reporting import reported
from assay.client import api
from assay.errors import InvalidInput
from local import background
from local.background import ensure_stack, sign_in
from local.postgres.given import place, without_password
from local.processes import StackError
from tests.local.fixed_answers import JOB, MANIFEST, OUTPUT, Assay, Assayed, job, will_answer

pytestmark = pytest.mark.usefixtures("elsewhere")


def problem(done: Result) -> dict[str, Any]:
    """Return the problem of a command that failed as it should."""
    assert done.exit_code == 1, done.output
    assert isinstance(done.exception, SystemExit), done.exception
    found: dict[str, Any] = json.loads(done.stdout)["problem"]
    assert found["detail"] in done.stderr
    assert found["suggestion"]
    return found


@pytest.mark.parametrize("out", ["a.csv/x", "/proc/x"])
def test_folder_that_cannot_be_written(assay: Assay, cli: Assayed, sent: Path, out: str) -> None:
    will_answer(assay, job(), put=False)
    assert problem(cli("run", sent, "--json", "--out", out))["code"] == "file_error"
    analysed = CliRunner().invoke(app, ["analyse", str(sent), "--json", "--out", out])
    assert problem(analysed)["code"] == "file_error"


def test_home_that_cannot_be_written(sent: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASSAY_HOME", str(sent / "home"))
    assert problem(CliRunner().invoke(app, ["jobs", "--json"]))["code"] == "file_error"
    assert CliRunner().invoke(app, ["up"]).exit_code == 1


def test_file_name_that_is_not_utf8(cli: Assayed, tmp_path: Path) -> None:
    path = tmp_path / os.fsdecode(b"caf\xe9.csv")
    path.write_bytes(b"abc")
    found = problem(cli("run", path, "--json"))
    assert found["code"] == "filename_not_utf8"
    assert "caf" in found["detail"]


@pytest.mark.parametrize(
    ("url", "token", "code"),
    [("http://[::bad", "T", "invalid_url"), ("http://127.0.0.1:1", "täken", "invalid_token")],
)
def test_url_and_token_that_cannot_be(url: str, token: str, code: str) -> None:
    found = problem(CliRunner().invoke(app, ["jobs", "--json"], env={"ASSAY_URL": url, "ASSAY_TOKEN": token}))
    assert found["code"] == code
    assert "täken" not in found["detail"]


@pytest.mark.parametrize("value", ["NaN", "-Infinity", "1e999", "[NaN]"])
def test_number_that_json_does_not_have_is_a_usage_error(cli: Assayed, sent: Path, value: str) -> None:
    assert cli("run", sent, "--param", f"x={value}").exit_code == 2


def test_device_and_pipe_are_usage_errors(cli: Assayed, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in ("/dev/zero", tmp_path / "pipe"):
        assert cli("run", path).exit_code == 2
        assert cli("analyse", path, "--out", "there").exit_code == 2


def test_damaged_token_is_made_again(tmp_path: Path) -> None:
    home = tmp_path / "home"
    url = "http://127.0.0.1:1"
    first = sign_in(home, url)
    assert sign_in(home, url) == first
    for damaged in (b"{", b"\xff", b"[]", b""):
        (home / "token.json").write_bytes(damaged)
        assert sign_in(home, url).count(".") == 2


def test_start_waits_for_a_stack_that_just_stops(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    locked = iter([True, True, False])
    monkeypatch.setattr(background, "is_locked", lambda _home: next(locked))

    class Started(Exception):
        pass

    def start(*_arguments: object, **_more: object) -> None:
        assert next(locked, None) is None, "it waits until the folder is free"
        raise Started

    monkeypatch.setattr(subprocess, "Popen", start)
    with pytest.raises(Started):
        ensure_stack(tmp_path)


@pytest.mark.parametrize("error", [ValueError, UnicodeDecodeError, KeyError, RuntimeError, BaseException])
def test_a_bug_is_told_as_one_and_quotes_no_cell(
    sent: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], error: type[BaseException]
) -> None:
    """No fault of the user: only what is raised as such is one."""
    raised = error("utf-8", b"", 0, 1, "a cell") if error is UnicodeDecodeError else error("a cell")

    def fails(*_arguments: object) -> None:
        raise raised

    monkeypatch.setattr(run, "analyse", fails)
    monkeypatch.setattr(main, "end_at_once", lambda: None)
    monkeypatch.setattr("sys.argv", ["assay", "analyse", str(sent), "--out", "there"])
    with pytest.raises(SystemExit) as ended:
        main.main()
    assert ended.value.code == 2, "1 would say that `assay check` checked the file"
    told = capsys.readouterr().err
    assert all(text in told for text in ("internal_error", error.__name__, "test_cli_failures.py", "raise raised"))
    assert "a cell" not in told


@pytest.mark.parametrize("name", ["owner", "token-key.pem"])
def test_a_damaged_file_of_the_home_is_a_problem(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"s3cret\xff")
    with pytest.raises(InvalidInput, match=f"{name} is damaged") as raised:
        sign_in(tmp_path, "http://127.0.0.1:1")
    assert "s3cret" not in str(raised.value)


def test_damaged_state_is_a_problem(tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "stack.json").write_text('{"secret')
    found = problem(CliRunner().invoke(app, ["jobs", "--json"]))
    assert "stack.json is damaged" in found["detail"]
    assert "secret" not in found["detail"]


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://u:s3cret@127.0.0.1:1/db?no_such_option=1",
        "postgresql://u:s3cret@127.0.0.1:s3cret/db",
        "postgresql://u:x/s3cret@127.0.0.1/db",
        "postgresql://u:x@s3cret@127.0.0.1/db",
        "mysql://u:s3cret@127.0.0.1/db",
        "s3cret",
    ],
)
def test_database_url_that_cannot_be_read_is_told_without_its_password(url: str) -> None:
    for command in (["up"], ["jobs", "--json"]):
        done = CliRunner().invoke(app, command, env={"DATABASE_URL": url})
        assert done.exit_code == 1
        assert "DATABASE_URL is not a Postgres URL" in done.stderr
        assert "s3cret" not in done.output


@pytest.mark.parametrize(("option", "needs"), [("--url", "--token"), ("--token", "--url")])
def test_an_address_needs_a_token_and_a_token_an_address(option: str, needs: str) -> None:
    done = CliRunner().invoke(app, [option, "https://nowhere.invalid", "jobs"])
    assert done.exit_code == 2
    assert f"needs {needs}" in done.stderr


def test_database_that_refuses_is_told_without_its_password() -> None:
    import psycopg  # only this test needs it

    url = "postgresql://u:s3cret@127.0.0.1:1/db"
    assert place(url) == "127.0.0.1/db"
    with pytest.raises(StackError, match=r"127\.0\.0\.1/db") as raised, without_password(url):
        psycopg.connect(url)
    assert "s3cret" not in str(raised.value)
    with pytest.raises(StackError) as raised, without_password(url):
        raise psycopg.OperationalError("it is s3cret")
    assert "s3cret" not in str(raised.value)


def test_hiccups_do_not_end_a_run(assay: Assay, cli: Assayed, sent: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every safe question fails twice, once by the network and once by the service, before it is answered."""
    will_answer(assay, job(), put=True)
    asked: dict[str, int] = {}
    send = httpx.Client.send

    def hiccup(client: httpx.Client, request: httpx.Request, **more: Any) -> httpx.Response:
        if request.url.path.startswith("/store"):
            return send(client, request, **more)
        count = asked[request.url.path] = asked.get(request.url.path, 0) + 1
        if count == 1:
            raise httpx.ConnectError("refused", request=request)
        if count == 2:
            return httpx.Response(503, json={"message": "Service Unavailable"}, request=request)
        return send(client, request, **more)

    monkeypatch.setattr(httpx.Client, "send", hiccup)
    monkeypatch.setattr(api, "_FIRST_PAUSE_SECONDS", 0.001)
    done = cli("run", sent)
    assert done.exit_code == 0, done.output
    assert asked == dict.fromkeys(
        [
            *("/uploads", f"/jobs/{JOB}", f"/jobs/{JOB}/outputs"),
            *(f"/outputs/{output}/download" for output in (OUTPUT, MANIFEST)),
        ],
        3,
    )
    assert "Retrying" in done.stderr


def test_wait_that_is_given_up_names_the_job(
    assay: Assay, cli: Assayed, sent: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    will_answer(assay, job(), put=True)
    assay.answers["GET", f"/jobs/{JOB}"] = (503, {"message": "Service Unavailable"})
    monkeypatch.setattr(api, "_FIRST_PAUSE_SECONDS", 0.001)
    monkeypatch.setattr(api, "_PATIENCE_SECONDS", 0.01)
    found = problem(cli("run", sent, "--json"))
    assert f"Job {JOB} may continue" in found["detail"]
    assert f"assay show {JOB}" in found["suggestion"]


def test_output_that_is_gone(assay: Assay, cli: Assayed, sent: Path) -> None:
    will_answer(assay, job(), put=False)
    assay.answers["GET", "/store/out"] = (404, b"<Error><Code>NoSuchKey</Code></Error>")
    found = problem(cli("run", sent, "--json"))
    assert found["code"] == "file_missing"
    assert "--on-duplicate reprocess" in found["suggestion"]


def test_outputs_are_saved_together_or_not_at_all(assay: Assay, cli: Assayed, sent: Path) -> None:
    will_answer(assay, job(), put=False)
    second = "5b1f6f7e-51b5-4f0e-9d0c-0c5a3f4d8a33"
    _status, listed = assay.answers["GET", f"/jobs/{JOB}/outputs"]
    assert isinstance(listed, dict)
    listed["outputs"].append({**listed["outputs"][0], "output_id": second, "name": "second.csv"})
    Path("there").mkdir()
    Path("there", "out.csv").write_text("earlier")
    Path("there", "manifest.json").write_text('{"outputs": [{"name": "out.csv"}]}')
    assert problem(cli("run", sent, "--json", "--out", "there"))["detail"]
    assert sorted(path.name for path in Path("there").iterdir()) == ["manifest.json", "out.csv"]
    assert Path("there", "out.csv").read_text() == "earlier"
    assay.answers["GET", f"/outputs/{second}/download"] = assay.answers["GET", f"/outputs/{OUTPUT}/download"]
    assert cli("run", sent, "--out", "there").exit_code == 0
    assert sorted(path.name for path in Path("there").iterdir()) == ["manifest.json", "out.csv", "second.csv"]
    assert Path("there", "out.csv").read_bytes() == b"result"


def test_start_that_fails_says_nothing_of_earlier_ones(tmp_path: Path) -> None:
    log = tmp_path / "home" / "logs" / "stack.log"
    log.parent.mkdir(parents=True)
    log.write_text("an earlier start\n")
    url = "postgresql://u:s3cret@127.0.0.1:1/db"
    found = problem(CliRunner().invoke(app, ["jobs", "--json"], env={"DATABASE_URL": url}))
    assert "The database at 127.0.0.1/db" in found["detail"]
    assert "an earlier start" not in found["detail"]
    assert "s3cret" not in log.read_text()
    assert log.read_text().startswith("an earlier start"), "why a stack ended stays to be read"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["analyse", "a.csv", "--out", "o", "--param", "bogus=1"], "there is no parameter `bogus`"),
        (["analyse", "a.csv", "--out", "o", "--param", 'reading={"bogus": 1}'], "no parameter `reading.bogus`"),
        (["infer", "a.csv", "--param", 'reading={"bogus": 1}'], "there is no parameter `reading.bogus`"),
        (["read", "a.csv", "--header", "bogus"], "--header: Input should be 'auto' or 'none'."),
        (["read", "a.csv", "--header-line", "0"], "--header-line: Input should be greater than or equal to 1."),
        (["check", "a.csv", "--schema", "a.csv"], "a.csv is not a Table Schema: Invalid JSON"),
        (["check", "a.csv", "--schema", "s.json"], "s.json is not a Table Schema: fields.0.type: Input should be"),
        (["check", "a.csv", "--schema", "s.json"], "; there is no property `fields.0.bogus`."),
        (["check", "a.csv", "--schema", "twice.json"], "Table Schema: two fields have the name or alias 'a'."),
    ],
)
def test_what_is_not_valid_is_told_in_words(tmp_path: Path, arguments: list[str], said: str) -> None:
    (tmp_path / "a.csv").write_text("Station_ID,Date_Time,PCode,Result\nCT,2024-01-01 10:00:00,Data 2,1.411\n")
    (tmp_path / "s.json").write_text('{"fields": [{"name": "a", "type": "no", "bogus": 1}]}')
    (tmp_path / "twice.json").write_text('{"fields": [{"name": "a"}, {"name": "a"}]}')
    told = CliRunner().invoke(app, arguments, env={"COLUMNS": "300"}).stderr
    assert said in told
    assert "Value error" not in told


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a device that is always full")
@pytest.mark.parametrize(
    "write", [pl.DataFrame({"a": range(10)}).write_parquet, lambda path: Path(path).write_text("a")]
)
def test_full_disk_is_told_as_such(write: Callable[[str], object], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(typer.Exit), reported(as_json=True):
        write("/dev/full")
    found = json.loads(capsys.readouterr().out)["problem"]
    assert (found["code"], "No space left on device" in found["detail"]) == ("disk_full", True)
    assert found["suggestion"].startswith("Free space")


def test_the_command_that_chooses_the_type_keeps_what_was_given(tmp_path: Path) -> None:
    path = tmp_path / "a poem.csv"
    path.write_text("poem\nThe Raven\nDaffodils\n")
    given = ["--param", 'reading={"delimiter":";"}', "--column", "amount="]
    done = CliRunner().invoke(app, ["analyse", str(path), "--out", str(tmp_path / "out"), *given])
    assert done.exit_code == 1
    (line,) = [line for line in done.stderr.splitlines() if "assay analyse" in line]
    words = shlex.split(line.partition("assay analyse")[2].partition("(`assay types`")[0])
    assert words[:3] == [str(path), "--out", str(tmp_path / "out")]
    options = [value for option, value in pairwise(words) if option == "--param"]
    assert parameters(options) == parameters([given[1]], [given[3]])
