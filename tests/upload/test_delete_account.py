"""DELETE /me: all that an owner has, in the database and in the bucket."""

from __future__ import annotations

import boto3
import pytest

from functions.process.app import handler as process
from functions.upload.app import handler
from shared.object_store.keys import upload_key
from shared.queue.events import CLEAN_UP_HINT
from tests.api import BUCKET, Answer, Client, Context, http_event
from tests.database.steps import Steps, Superuser
from tests.sqs import failed, sqs_event, take_out

pytestmark = pytest.mark.usefixtures("aws")


class NearItsEnd(Context):
    """An invocation in which no time is left."""

    @staticmethod
    def get_remaining_time_in_millis() -> int:
        return 1_000


def store(steps: Steps) -> list[str]:
    """Put the objects of two jobs where a worker would, one of them done and one running; return their keys."""
    done, sha256 = steps.done()
    running, other = steps.queued()
    steps.claim(running)
    owner = steps.user.owner
    keys = [upload_key(owner, sha256), upload_key(owner, other)]
    keys += [f"outputs/{owner}/{done}/1/{output['name']}" for output in steps.outputs(done)]
    keys.append(f"outputs/{owner}/{running}/1/half.csv")
    for key in keys:
        boto3.client("s3").put_object(Bucket=BUCKET, Key=key, Body=b"x")
    return keys


def stored() -> set[str]:
    found = boto3.client("s3").list_objects_v2(Bucket=BUCKET).get("Contents", [])
    return {item["Key"] for item in found}


def test_nothing_is_left_in_any_table_or_in_the_bucket(
    client: Client, steps: Steps, other_steps: Steps, superuser: Superuser
) -> None:
    mine, theirs = store(steps), store(other_steps)
    answer = client.call("DELETE", "/me")
    assert (answer.status, answer.body) == (204, "")
    assert take_out() == [CLEAN_UP_HINT]
    # What a running job may still store goes later: here that is now.
    superuser.execute("update assay.deletions set due_at = now() where due_at > now()")
    assert failed(process(sqs_event(CLEAN_UP_HINT), Context())) == []
    assert stored().isdisjoint(mine)
    assert stored() >= set(theirs)
    for (table,) in superuser.execute(
        "select relname from pg_class where relnamespace = 'assay'::regnamespace and relkind = 'r'"
    ).fetchall():
        rows = superuser.execute(
            f"select to_jsonb(t) from assay.{table} t where to_jsonb(t)::text like %s", (f"%{steps.user.owner}%",)
        ).fetchall()
        assert [row for (row,) in rows if table != "owners"] == []
    assert len(other_steps.jobs()) == 2


def test_what_takes_too_long_is_told_and_the_next_request_goes_on(
    client: Client, steps: Steps, superuser: Superuser
) -> None:
    superuser.execute(
        "insert into assay.webhooks (owner, url, secret) "
        "values (%s, 'https://example.org/', 'whsec_' || repeat('a', 32))",
        (steps.user.owner,),
    )
    superuser.execute(
        "insert into assay.deliveries (webhook_id, owner, job_id, type, data, occurred_at) select webhook_id, owner, "
        "gen_random_uuid(), 'job.done', '{}', now() from assay.webhooks, generate_series(1, 1100) where owner = %s",
        (steps.user.owner,),
    )
    event = http_event("DELETE", "/me", headers={"authorization": f"Bearer {client.token}"})
    answers = [handler(event, NearItsEnd()) for _ in range(3)]
    assert [answer["statusCode"] for answer in answers] == [202, 202, 204]
    assert Answer(202, {}, answers[0]["body"]).json() == {"left": 601}
    assert Answer(202, {}, answers[1]["body"]).json() == {"left": 101}
    assert superuser.execute("select 1 from assay.webhooks where owner = %s", (steps.user.owner,)).fetchall() == []


def test_an_account_that_has_nothing_is_deleted_all_the_same(client: Client) -> None:
    assert [client.call("DELETE", "/me").status for _ in range(2)] == [204, 204]
    client.token = ""
    assert client.call("DELETE", "/me").problem() == (401, "not_signed_in")
