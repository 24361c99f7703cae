"""`assay columns` and `assay forget`, against a server of the test's own."""

import json

import pytest

from tests.local.fixed_answers import NOW, Assay, Assayed, Json

pytestmark = pytest.mark.usefixtures("elsewhere")
FIRST, SECOND = "0a7b7f1e-51b5-4f0e-9d0c-0c5a3f4d8a11", "0a7b999e-51b5-4f0e-9d0c-0c5a3f4d8a11"


def choice(choice_id: str, **columns: str | None) -> Json:
    return {
        "choice_id": choice_id,
        "dataset_type": "transactions",
        "columns": columns,
        "header_sha256": "0" * 64,
        "filename": "[shop].csv",
        "chosen_by": "00000000-0000-4000-8000-000000000000",
        "chosen_at": NOW,
    }


@pytest.fixture
def remembered(assay: Assay) -> None:
    both = [choice(FIRST, revenue="Gross", fee=None), choice(SECOND, revenue="[b]Net")]
    assay.answers = {
        ("GET", "/columns"): (200, {"columns": both}),
        ("DELETE", f"/columns/{FIRST}"): (204, b""),
        ("DELETE", f"/columns/{SECOND}"): (204, b""),
    }


@pytest.mark.usefixtures("remembered")
def test_they_are_listed_with_what_was_chosen(cli: Assayed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    done = cli("columns")
    assert done.exit_code == 0, done.output
    for text in (FIRST, "revenue=Gross, fee=", "revenue=[b]Net", "[shop].csv"):
        assert text in done.stdout
    as_json = json.loads(cli("columns", "--json").stdout)
    assert [one["columns"] for one in as_json["columns"]] == [{"revenue": "Gross", "fee": None}, {"revenue": "[b]Net"}]


def test_none_is_said(assay: Assay, cli: Assayed) -> None:
    assay.answers = {("GET", "/columns"): (200, {"columns": []})}
    done = cli("columns")
    assert (done.exit_code, done.stdout) == (0, "")
    assert "No columns are remembered." in done.stderr


@pytest.mark.usefixtures("remembered")
def test_one_is_forgotten_by_the_beginning_of_its_id(assay: Assay, cli: Assayed) -> None:
    done = cli("forget", "0a7b7")
    assert done.exit_code == 0, done.output
    assert [path for method, path, *_ in assay.asked if method == "DELETE"] == [f"/columns/{FIRST}"]


@pytest.mark.usefixtures("remembered")
@pytest.mark.parametrize(
    ("prefix", "found"),
    [("0a7b", "2 remembered choices"), ("ffff", "0 remembered choices"), ("the first", "not an id")],
)
def test_none_is_forgotten_where_it_may_be_another(assay: Assay, cli: Assayed, prefix: str, found: str) -> None:
    done = cli("forget", prefix)
    assert done.exit_code == 2
    assert found in done.stderr
    assert "DELETE" not in {method for method, *_ in assay.asked}
