"""Rules that stand in Python and in SQL are the same in both: object keys, names of outputs, a worker's life."""

from __future__ import annotations

import re

from assay.contract import NAME
from shared.object_store.keys import output_key, outputs_prefix, upload_key
from shared.settings import Settings
from shared.worker_time import WORKER_SECONDS
from tests.database.steps import OUTPUTS, Steps, Superuser, let_lease_run_out


def test_the_database_writes_the_keys_that_the_code_does(steps: Steps, superuser: Superuser) -> None:
    job_id, sha256 = steps.queued()
    claimed = steps.claim(job_id)
    owner = steps.user.owner
    assert claimed["object_key"] == upload_key(owner, sha256)
    steps.finish(job_id, claimed["attempt"])
    keys = {steps.output(output["output_id"])["object_key"] for output in steps.outputs(job_id)}
    assert keys == {output_key(owner, job_id, claimed["attempt"], str(output["name"])) for output in OUTPUTS}
    steps.delete(job_id)
    noted = superuser.execute("select object_key from assay.deletions where object_key like %s", (f"%/{owner}/%",))
    assert {key for (key,) in noted} == {upload_key(owner, sha256), outputs_prefix(owner, job_id)}


def test_an_attempt_s_outputs_are_deleted_when_its_worker_can_live_no_more(steps: Steps, superuser: Superuser) -> None:
    job_id = steps.running()
    let_lease_run_out(superuser, job_id)
    steps.sweep()
    due = superuser.execute(
        "select extract(epoch from d.due_at - a.ended_at)::int from assay.deletions d, assay.attempts a"
        " where d.object_key = %s and a.job_id = %s",
        (outputs_prefix(steps.user.owner, job_id, 1), job_id),
    )
    assert due.fetchone() == (WORKER_SECONDS,)


def test_a_lease_is_no_longer_than_a_worker_lives() -> None:
    (limit,) = (rule.le for rule in Settings.model_fields["lease_seconds"].metadata if hasattr(rule, "le"))
    assert limit == WORKER_SECONDS


def test_the_database_takes_the_output_names_that_a_pipeline_may_give(superuser: Superuser) -> None:
    rule = superuser.execute(
        "select pg_get_constraintdef(oid) from pg_constraint"
        " where conrelid = 'assay.outputs'::regclass and contype = 'c' and pg_get_constraintdef(oid) like '%%name ~%%'",
        (),
    ).fetchone()
    assert rule is not None
    pattern = re.search(r"name ~ '\^(.+)\$'", str(rule[0]))
    assert pattern is not None
    assert pattern[1] == NAME
