"""What each function of the database does; a new one needs a line in FUNCTIONS."""

from __future__ import annotations

from collections.abc import Callable
from uuid import uuid4

from tests.database.steps import ERROR, MANIFEST, OUTPUTS, VERSIONS, Answer, Steps, new_sha256
from tests.database.webhook_steps import TIMED_OUT, URL, WebhookSteps


def register_upload(steps: Steps) -> None:
    sha256 = new_sha256()
    first = steps.register(sha256, dataset_type="table", parameters={"aggregate": "median"})
    assert (first["cached"], first["job"]["status"]) == (False, "awaiting_upload")
    assert first["job"]["requested_dataset_type"] == "table"
    again = steps.register(sha256, dataset_type="table", parameters={"aggregate": "median"})
    assert again["job"]["job_id"] == first["job"]["job_id"]
    assert again["upload"]["times_used"] == 2


def object_created(steps: Steps) -> None:
    sha256 = new_sha256()
    assert steps.arrive(new_sha256()) == {"known": False, "noted": True, "jobs": [], "queued": 0}
    job_id = steps.register(sha256)["job"]["job_id"]
    arrived = {"known": True, "noted": False, "jobs": [job_id], "queued": 1}
    assert steps.arrive(sha256) == arrived
    assert steps.arrive(sha256) == arrived


def claim_job(steps: Steps) -> None:
    job_id, sha256 = steps.queued()
    worker = str(uuid4())
    claim = steps.claim(job_id, worker, memory_mb=512)
    assert (claim["claimed"], claim["attempt"], claim["owner"]) == (True, 1, str(steps.user.owner))
    assert claim["object_key"] == f"uploads/{steps.user.owner}/{sha256}"
    assert steps.claim(job_id, worker, memory_mb=512) == claim
    assert steps.claim(job_id) == {"claimed": False, "reason": "nothing_due"}


def report_progress(steps: Steps) -> None:
    job_id = steps.running()
    answer = steps.report(job_id, 1, 0.25, {"dataset_type": "table", "confidence": 0.5})
    assert answer == {"accepted": True, "cancel_requested": False}
    job = steps.job(job_id)
    assert (job["progress"], job["stage"], job["detection"]["confidence"]) == (0.25, "reading", 0.5)
    assert steps.report(job_id, 1, max_attempts=1)["accepted"]
    assert steps.fail(job_id, 1, retry_after_seconds=0)["status"] == "failed"
    assert steps.report(job_id, 2) == {"accepted": False, "reason": "stale_attempt"}


def await_type(steps: Steps) -> None:
    job_id = steps.running()
    first = steps.await_type(job_id, 1)
    assert (first["accepted"], first["status"], first["more"]) == (True, "needs_type", False)
    assert steps.await_type(job_id, 1) == first


def finish_job(steps: Steps) -> None:
    job_id, _ = steps.queued()
    first = steps.finish(job_id, steps.claim(job_id, memory_mb=1024)["attempt"])
    assert (first["accepted"], first["status"], first["more"]) == (True, "done", False)
    assert first["cost"]["currency"] == "USD"
    assert steps.finish(job_id, 1) == first
    job = steps.job(job_id)
    assert (job["summary"], job["manifest_sha256"], job["cost"]) == ({"rows_read": 1}, MANIFEST, first["cost"])


def fail_job(steps: Steps) -> None:
    job_id = steps.running()
    assert steps.fail(job_id, 1, retry_after_seconds=0)["status"] == "queued"
    assert steps.claim(job_id, "second")["attempt"] == 2
    steps.queued()
    last = steps.fail(job_id, 2)
    assert (last["accepted"], last["status"], last["more"]) == (True, "failed", True)
    assert steps.fail(job_id, 2) == last
    assert steps.job(job_id)["error"] == ERROR


def cancel_job(steps: Steps) -> None:
    job_id = steps.running()
    assert steps.cancel(job_id)["cancel_requested"] is True
    assert steps.report(job_id, 1)["cancel_requested"] is True
    assert steps.finish(job_id, 1)["reason"] == "cancelled"
    assert steps.cancel(job_id)["status"] == "cancelled"


def sweep_jobs(steps: Steps) -> None:
    answer = steps.sweep()
    assert set(answer) == {"expired", "lost", "failed", "hints", "full", "waiting"}
    assert all(isinstance(answer[count], int) for count in ("expired", "lost", "hints"))
    assert isinstance(answer["waiting"]["queued"], int)


def retry_job(steps: Steps) -> None:
    job_id = steps.running()
    steps.fail(job_id, 1)
    job = steps.retry(job_id)
    assert (job["job_id"], job["status"], job["error"], job["expires_at"]) == (job_id, "queued", None, None)
    assert steps.claim(job_id)["attempt"] == 2


def reprocess_job(steps: Steps) -> None:
    job_id, sha256 = steps.done()
    answer = steps.reprocess(job_id)
    assert (answer["new"], answer["job"]["status"], answer["job"]["sha256"]) == (True, "queued", sha256)
    assert answer["job"]["job_id"] != job_id
    assert steps.reprocess(job_id) == {"new": False, "job": answer["job"]}


def choose_type(steps: Steps) -> None:
    job_id, _ = steps.done()
    parameters = {"reading": {"decimal": ","}, "none": None}
    job = steps.choose_type(job_id, "table", parameters)
    choice = {
        "dataset_type": "table",
        "parameters": parameters,
        "chosen_by": str(steps.user.owner),
        "chosen_at": job["type_choice"]["chosen_at"],
    }
    assert (job["status"], job["type_choice"], job["requested_dataset_type"]) == ("queued", choice, None)
    assert steps.outputs(job_id) == []
    claimed = steps.claim(job_id)
    assert (claimed["attempt"], claimed["job"]["requested_dataset_type"]) == (2, "table")
    assert (claimed["job"]["parameters"], job["parameters"]) == (parameters, {})


def delete_job(steps: Steps) -> None:
    job_id, _ = steps.done()
    assert steps.delete(job_id) == {"deleted": True}
    assert steps.jobs() == []


def clean_up(steps: Steps) -> None:
    job_id, sha256 = steps.done()
    steps.delete(job_id)
    answer = steps.clean_up()
    assert set(answer) == {"removed", "keys"}
    assert f"uploads/{steps.user.owner}/{sha256}" in answer["keys"]
    assert f"outputs/{steps.user.owner}/{job_id}/" in answer["keys"]
    assert steps.objects_deleted(answer["keys"]) == {"forgotten": len(answer["keys"])}


def objects_deleted(steps: Steps) -> None:
    assert steps.objects_deleted([f"uploads/{steps.user.owner}/{new_sha256()}"]) == {"forgotten": 0}


def set_plan(steps: Steps) -> None:
    assert steps.set_plan("pro") == {"owner": str(steps.user.owner), "plan": "pro"}


def drain_outbox(steps: Steps) -> None:
    assert steps.drain() == []


def get_job(steps: Steps) -> None:
    job_id, sha256 = steps.done()
    job = steps.job(job_id)
    assert (job["status"], job["sha256"], job["pipeline_version"]) == ("done", sha256, VERSIONS["station_measurements"])
    (attempt,) = job["attempts"]
    assert (attempt["attempt"], attempt["outcome"]) == (1, "done")
    assert attempt["worker"].startswith("worker ")
    assert 0 <= attempt["duration_seconds"] < 60


def list_jobs(steps: Steps) -> None:
    assert steps.jobs() == []
    done, _ = steps.done()
    running = steps.running()
    assert [job["job_id"] for job in steps.jobs()] == [running, done]
    assert [job["job_id"] for job in steps.jobs(status="done")] == [done]
    assert [job["job_id"] for job in steps.jobs(limit=1)] == [running]


def list_outputs(steps: Steps) -> None:
    job_id, _ = steps.done()
    outputs = steps.outputs(job_id)
    assert [{name: output[name] for name in OUTPUTS[0]} for output in outputs] == OUTPUTS
    assert steps.outputs(steps.running()) == []


def get_output(steps: Steps) -> None:
    job_id, _ = steps.done()
    output: Answer = steps.outputs(job_id)[0]
    assert steps.output(output["output_id"]) == {
        **{name: output[name] for name in ("output_id", "name", "media_type", "sha256")},
        "object_key": f"outputs/{steps.user.owner}/{job_id}/1/CT_Analysis.csv",
    }


def get_account(steps: Steps) -> None:
    steps.running()
    account = steps.account()
    assert (account["owner"], account["plan"]) == (str(steps.user.owner), "free")
    assert account["limits"] == {
        "running_jobs": 2,
        "uploads_per_hour": 60,
        "stored_bytes": 5 * 1024**3,
        "retention_days": 30,
    }
    assert account["usage"] == {"running_jobs": 1, "uploads_left": 59, "stored_bytes": 10}


def export_account(steps: Steps) -> None:
    job_id, sha256 = steps.done()
    page = steps.export(limit=3)
    assert [upload["sha256"] for upload in page["uploads"]] == [sha256]
    assert page["uploads"][0]["object_key"] == f"uploads/{steps.user.owner}/{sha256}"
    assert [job["job_id"] for job in page["jobs"]] == [job_id]
    assert (len(page["attempts"]), page["events"], page["account"]) == (1, [], steps.account())
    rest = steps.export(after=page["next"])
    assert (rest["jobs"], rest["attempts"], rest["next"]) == ([], [], None)
    assert [output["name"] for output in rest["outputs"]] == [output["name"] for output in OUTPUTS]


def delete_account(steps: Steps) -> None:
    steps.done()
    steps.running()
    assert steps.delete_account(limit=1) == {"left": 1}
    assert steps.delete_account() == {"left": 0}
    assert steps.delete_account() == {"left": 0}
    assert steps.jobs() == []


def create_webhook(steps: Steps) -> None:
    webhooks, request_id = WebhookSteps.of(steps), uuid4()
    webhook = webhooks.register(request_id=request_id)
    assert webhook["secret"].startswith("whsec_")
    assert webhooks.register(request_id=request_id) == webhook


def list_webhooks(steps: Steps) -> None:
    webhooks = WebhookSteps.of(steps)
    assert webhooks.all() == []
    webhook_id = webhooks.create(URL)
    [webhook] = webhooks.all()
    assert webhook == {"webhook_id": webhook_id, "url": URL, "created_at": webhook["created_at"], "failing_since": None}


def delete_webhook(steps: Steps) -> None:
    webhooks = WebhookSteps.of(steps)
    assert webhooks.delete(webhooks.create()) == {"deleted": True}
    assert webhooks.all() == []


def list_remembered_columns(steps: Steps) -> None:
    assert steps.remembered() == []
    steps.confirmed()
    [choice] = steps.remembered()
    assert (choice["dataset_type"], choice["columns"]) == ("station_measurements", {"result": "Value"})
    assert (choice["header_sha256"], choice["chosen_by"]) == ("a" * 64, str(steps.user.owner))


def edit_remembered_columns(steps: Steps) -> None:
    steps.confirmed()
    [choice] = steps.remembered()
    edited = steps.edit_columns(choice["choice_id"], {"result": "Reading", "time": None})
    assert edited["columns"] == {"result": "Reading", "time": None}
    assert steps.remembered() == [edited]


def forget_columns(steps: Steps) -> None:
    steps.confirmed()
    [choice] = steps.remembered()
    assert steps.forget_columns(choice["choice_id"]) == {"deleted": True}
    assert steps.remembered() == []


def list_deliveries(steps: Steps) -> None:
    webhooks = WebhookSteps.of(steps)
    webhook_id = webhooks.create()
    job_ids = [steps.done()[0], steps.done()[0]]
    newer, older = webhooks.deliveries(webhook_id)
    assert [newer["job_id"], older["job_id"]] == job_ids[::-1]
    assert (newer["type"], newer["state"], newer["attempts"], newer["error"]) == ("job.done", "pending", 0, None)
    assert webhooks.deliveries(webhook_id, after=newer) == [older]
    assert webhooks.deliveries(webhook_id, limit=1) == [newer]


def deliveries_due(steps: Steps) -> None:
    webhooks = WebhookSteps.of(steps)
    webhooks.create()
    assert webhooks.due() is False
    steps.done()
    assert webhooks.due() is True


def claim_deliveries(steps: Steps) -> None:
    webhooks = WebhookSteps.of(steps)
    secret = webhooks.register()["secret"]
    job_id, _ = steps.done()
    [delivery] = [claimed for claimed in webhooks.claim(limit=10_000, sweep=True) if claimed["secret"] == secret]
    assert (delivery["attempt"], delivery["url"], delivery["data"]["job_id"]) == (1, URL, job_id)


def settle_delivery(steps: Steps) -> None:
    webhooks = WebhookSteps.of(steps)
    webhook_id = webhooks.create()
    steps.done()
    delivery_id = webhooks.deliveries(webhook_id)[0]["delivery_id"]
    assert webhooks.settle(delivery_id, 1) == {"accepted": False}
    webhooks.claim(limit=10_000, sweep=True)
    assert webhooks.settle(delivery_id, 1, http_status=500) == {"accepted": True, "state": "pending"}
    [delivery] = webhooks.deliveries(webhook_id)
    assert (delivery["http_status"], delivery["error"]) == (500, TIMED_OUT)


FUNCTIONS: dict[str, Callable[[Steps], None]] = {
    contract.__name__: contract
    for contract in (
        register_upload,
        object_created,
        claim_job,
        report_progress,
        await_type,
        finish_job,
        fail_job,
        cancel_job,
        retry_job,
        reprocess_job,
        choose_type,
        delete_job,
        sweep_jobs,
        clean_up,
        objects_deleted,
        set_plan,
        drain_outbox,
        get_job,
        list_jobs,
        list_outputs,
        get_output,
        get_account,
        export_account,
        delete_account,
        create_webhook,
        list_webhooks,
        list_remembered_columns,
        edit_remembered_columns,
        forget_columns,
        delete_webhook,
        list_deliveries,
        deliveries_due,
        claim_deliveries,
        settle_delivery,
    )
}
