"""The commands on an account, against a server of the test's own."""

import hashlib
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from assay.cli.app import app
from tests.local.fixed_answers import JOB, NOW, OUTPUT, Assay, Assayed, Json, job

pytestmark = pytest.mark.usefixtures("elsewhere")
OWNER = "00000000-0000-4000-8000-000000000000"
SENT, MADE = b"abc", b"result"
ACCOUNT: Json = {
    "owner": OWNER,
    "plan": "free",
    "limits": {"running_jobs": 2, "uploads_per_hour": 60, "stored_bytes": 5_368_709_120, "retention_days": 30},
    "usage": {"running_jobs": 1, "uploads_left": 48, "stored_bytes": 9_000},
}


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def has(assay: Assay, *, name: str = "out.csv", filename: str = "river.csv") -> None:
    """Let the account have one upload, and one job with one output."""
    upload = {
        "sha256": sha256(SENT),
        "size_bytes": len(SENT),
        "filename": filename,
        "first_seen": NOW,
        "last_used": NOW,
        "times_used": 1,
        "stored_at": NOW,
        "link": {"url": f"{assay.url}/store/in", "expires_at": NOW},
    }
    absent = {**upload, "sha256": sha256(b"absent"), "stored_at": None, "link": None}
    output = {
        "output_id": OUTPUT,
        "job_id": JOB,
        "attempt": 1,
        "name": name,
        "media_type": "text/csv",
        "size_bytes": len(MADE),
        "sha256": sha256(MADE),
        "created_at": NOW,
        "link": {"url": f"{assay.url}/store/out", "expires_at": NOW},
    }
    page = {"account": ACCOUNT, "uploads": [upload, absent], "jobs": [job()], "outputs": [output], "next_cursor": None}
    empty: Json = {"webhooks": [], "deliveries": [], "attempts": [], "events": [], "remembered_columns": []}
    assay.answers = {
        ("GET", "/me"): (200, ACCOUNT),
        ("GET", "/me/export"): (200, {**page, **empty}),
        ("GET", "/store/in"): (200, SENT),
        ("GET", "/store/out"): (200, MADE),
    }


def fetched(assay: Assay) -> list[str]:
    return [path for _, path, *_ in assay.asked if path.startswith("/store")]


def answering(assay: Assay, answer: str, *arguments: str) -> Result:
    return CliRunner().invoke(app, ["--url", assay.url, "--token", "T", *arguments], input=answer)


def test_account_tells_what_is_used_of_what(assay: Assay, cli: Assayed) -> None:
    has(assay)
    shown = cli("account").stdout
    for text in ("free", OWNER, "30 days", "12", "60", "8.8 KiB", "5.0 GiB", "new jobs per hour", "bytes stored"):
        assert text in shown
    assert json.loads(cli("account", "--json").stdout) == {"account": ACCOUNT}


def test_export_saves_every_file_and_says_what_each_is(assay: Assay, cli: Assayed) -> None:
    has(assay)
    done = cli("export", "there", "--json")
    assert done.exit_code == 0, done.output
    upload, output = f"uploads/{sha256(SENT)}.csv", f"outputs/{JOB}/out.csv"
    assert {str(path.relative_to("there")) for path in Path("there").rglob("*") if path.is_file()} == {
        "export.json",
        upload,
        output,
    }
    assert Path("there", upload).read_bytes() == SENT
    assert Path("there", output).read_bytes() == MADE
    written = json.loads(Path("there", "export.json").read_text())
    assert written["account"] == ACCOUNT
    assert [item["path"] for item in written["uploads"]] == [upload, None]
    assert [item["path"] for item in written["outputs"]] == [output]
    assert written["jobs"][0]["job_id"] == JOB
    assert "/store/" not in json.dumps(written), "a link lets in whoever has it"
    printed = json.loads(done.stdout)
    assert (printed["files"], printed["size_bytes"], printed["jobs"], printed["missing"]) == (2, 9, 1, [])


def test_export_refuses_a_folder_that_holds_something(assay: Assay, cli: Assayed) -> None:
    has(assay)
    assert cli("export", "there").exit_code == 0
    Path("other").mkdir()
    Path("other", "mine.txt").write_text("mine")
    for folder in ("there", "other"):
        done = cli("export", folder, "--json")
        assert done.exit_code == 1
        assert json.loads(done.stdout)["problem"]["code"] == "folder_not_empty"
    assert [path.name for path in Path("other").iterdir()] == ["mine.txt"]


def test_export_that_broke_off_goes_on(assay: Assay, cli: Assayed) -> None:
    has(assay)
    assay.answers["GET", "/store/out"] = (200, b"forged")
    broken = cli("export", "there", "--json")
    assert json.loads(broken.stdout)["problem"]["code"] == "wrong_hash"
    assert not Path("there", "export.json").exists()
    assay.answers["GET", "/store/out"] = (200, MADE)
    assay.asked.clear()
    assert cli("export", "there").exit_code == 0
    assert fetched(assay) == ["/store/out"]
    assert Path("there", "outputs", JOB, "out.csv").read_bytes() == MADE


def test_export_goes_on_in_no_other_account_s_folder(assay: Assay, cli: Assayed) -> None:
    has(assay)
    assay.answers["GET", "/store/out"] = (200, b"forged")
    assert cli("export", "there").exit_code == 1
    assay.answers["GET", "/me"] = (200, {**ACCOUNT, "owner": JOB})
    done = cli("export", "there", "--json")
    assert json.loads(done.stdout)["problem"]["code"] == "folder_not_empty"


def test_export_fetches_again_what_is_there_and_wrong(assay: Assay, cli: Assayed) -> None:
    has(assay)
    assay.answers["GET", "/store/out"] = (200, b"forged")
    cli("export", "there")
    upload = Path("there", "uploads", f"{sha256(SENT)}.csv")
    upload.write_bytes(b"half")
    assay.answers["GET", "/store/out"] = (200, MADE)
    assert cli("export", "there").exit_code == 0
    assert upload.read_bytes() == SENT


def test_links_that_run_out_are_asked_for_again(assay: Assay, cli: Assayed) -> None:
    """The second file's link is refused until the page is asked for anew."""
    has(assay)
    expired = (403, b"<Error><Code>AccessDenied</Code></Error>")

    def changed(key: tuple[str, str]) -> tuple[int, Json | bytes] | None:
        pages = sum(path == "/me/export" for _, path, *_ in assay.asked)
        return expired if key == ("GET", "/store/out") and pages < 2 else None

    assay.changed = changed
    done = cli("export", "there")
    assert done.exit_code == 0, done.output
    assert fetched(assay) == ["/store/in", "/store/out", "/store/out"]


def test_a_link_that_was_never_good_is_told(assay: Assay, cli: Assayed) -> None:
    has(assay)
    assay.answers["GET", "/store/in"] = (403, b"<Error><Code>AccessDenied</Code></Error>")
    done = cli("export", "there", "--json")
    assert json.loads(done.stdout)["problem"]["code"] == "object_store_refused"
    assert fetched(assay) == ["/store/in"]


def test_a_file_that_is_gone_is_told_and_all_else_exported(assay: Assay, cli: Assayed) -> None:
    has(assay)
    assay.answers["GET", "/store/in"] = (404, b"<Error><Code>NoSuchKey</Code></Error>")
    done = cli("export", "there", "--json")
    assert done.exit_code == 1
    assert json.loads(done.stdout)["missing"] == [f"uploads/{sha256(SENT)}.csv"]
    assert "Some files are missing." in done.stderr
    written = json.loads(Path("there", "export.json").read_text())
    assert [item["path"] for item in written["uploads"]] == [None, None]
    assert Path("there", written["outputs"][0]["path"]).read_bytes() == MADE


@pytest.mark.parametrize("name", ["../evil.csv", "/tmp/evil.csv", ".hidden"])
def test_a_name_that_leads_elsewhere_is_not_saved(assay: Assay, cli: Assayed, name: str) -> None:
    has(assay, name=name)
    done = cli("export", "there", "--json")
    assert json.loads(done.stdout)["problem"]["code"] == "unsafe_output_name"
    assert list(Path().rglob("*evil*")) == []


@pytest.mark.parametrize("filename", ["river", "river.../x", "a.csv\n", "a.é", "." + "x" * 200])
def test_an_uploads_own_name_gives_at_most_its_extension(assay: Assay, cli: Assayed, filename: str) -> None:
    has(assay, filename=filename)
    assert cli("export", "there").exit_code == 0
    assert [path.name for path in Path("there", "uploads").iterdir()] == [sha256(SENT)]


@pytest.mark.parametrize("answer", ["", "yes\n", "DELETE\n", "\n\n"])
def test_delete_account_asks_for_the_word(assay: Assay, answer: str) -> None:
    has(assay)
    done = answering(assay, answer, "delete-account")
    assert done.exit_code == 1
    assert {method for method, *_ in assay.asked} == {"GET"}


def test_delete_account_asks_again_until_nothing_is_left(assay: Assay) -> None:
    has(assay)
    answers: list[tuple[int, Json | bytes]] = [(202, {"left": 700}), (202, {"left": 200}), (204, b"")]
    left = iter(answers)
    assay.changed = lambda key: next(left) if key == ("DELETE", "/me") else None
    done = answering(assay, "delete\n", "delete-account", "--json")
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout) == {"deleted": True}
    assert "700" in done.stderr
    assert next(left, None) is None
