"""The columns that a person named are remembered for files of one owner, type and header."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from shared.errors import Problem
from tests.database.steps import Steps, Superuser


def test_columns_of_a_job_that_is_done_come_with_the_next_claim(steps: Steps) -> None:
    assert steps.claim(steps.queued()[0])["remembered_columns"] == []
    steps.confirmed()
    claim = steps.claim(steps.queued()[0])
    assert claim["remembered_columns"] == [
        {"dataset_type": "station_measurements", "header_sha256": "a" * 64, "columns": {"result": "Value"}}
    ]


def test_a_later_choice_for_the_header_takes_the_place_of_the_earlier(steps: Steps) -> None:
    steps.confirmed()
    steps.confirmed(column=None)
    steps.confirmed(header="b" * 64)
    found = {one["header_sha256"]: one["columns"] for one in steps.remembered()}
    assert found == {"a" * 64: {"result": None}, "b" * 64: {"result": "Value"}}


@pytest.mark.parametrize(("header", "how"), [("", "given"), ("a" * 64, "named"), ("a" * 64, "remembered")])
def test_nothing_is_remembered_without_a_header_or_a_choice(steps: Steps, header: str, how: str) -> None:
    steps.confirmed(header, how)
    assert steps.remembered() == []


def test_a_job_with_a_detection_of_another_shape_is_done_all_the_same(steps: Steps) -> None:
    job_id = steps.running()
    steps.report(job_id, 1, detection={"header_sha256": "a" * 64, "columns": ["no", "roles"]})
    assert steps.finish(job_id, 1)["status"] == "done"
    assert steps.remembered() == []


def test_an_owner_has_a_hundred_and_the_oldest_makes_room(steps: Steps, superuser: Superuser) -> None:
    superuser.execute(
        "insert into assay.remembered_columns (owner, dataset_type, header_sha256, columns, filename, chosen_by,"
        " chosen_at) select %s, 'table', encode(sha256(n::text::bytea), 'hex'), '{}', 'a', %s,"
        " now() - n * interval '1 s'"
        " from generate_series(1, 100) n",
        (steps.user.owner, steps.user.owner),
    )
    oldest = steps.remembered()[0]["choice_id"]
    steps.confirmed()
    ids = [one["choice_id"] for one in steps.remembered()]
    assert len(ids) == 100
    assert oldest not in ids


@pytest.mark.parametrize("columns", [[], {"revenue": 1}, {"revenue": ["Gross"]}, {"revenue": "x" * 20_000}])
def test_what_is_no_mapping_is_refused(steps: Steps, columns: object) -> None:
    steps.confirmed()
    [choice] = steps.remembered()
    with pytest.raises(Problem) as caught:
        steps.edit_columns(choice["choice_id"], columns)  # type: ignore[arg-type]
    assert (caught.value.status, caught.value.code) == (422, "invalid_columns")
    assert steps.remembered() == [choice]


def test_others_neither_see_nor_change_them(steps: Steps, other_steps: Steps) -> None:
    steps.confirmed()
    [choice] = steps.remembered()
    assert other_steps.remembered() == []
    assert other_steps.claim(other_steps.queued()[0])["remembered_columns"] == []
    calls: tuple[Callable[[], object], ...] = (
        lambda: other_steps.forget_columns(choice["choice_id"]),
        lambda: other_steps.edit_columns(choice["choice_id"], {"a": "b"}),
    )
    for call in calls:
        with pytest.raises(Problem) as caught:
            call()
        assert (caught.value.status, caught.value.code) == (404, "columns_not_found")
