"""Nonsense ends in the dead-letter queue, what kills its worker each time as a failed job; both hold up nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from assay.client import Client, LocalFile
from shared.queue.events import RUN_HINT
from tests.deploy.deployment import Deployment
from tests.deploy.killer import DATASET_TYPE

_NONSENSE = "neither an S3 event nor one of ours"


@pytest.mark.usefixtures("unswept")
@pytest.mark.parametrize("deployment", ["s3"], indirect=True)
def test_nonsense_ends_in_the_dead_letter_queue_and_a_poisoned_file_as_a_failed_job(
    deployment: Deployment, client: Client, tmp_path: Path
) -> None:
    sqs = deployment.cloud.sqs()
    sqs.send_message(QueueUrl=deployment.outputs["QueueUrl"], MessageBody=_NONSENSE)
    path = tmp_path / "deadly.csv"
    path.write_text("victim\nyes\n")
    file = LocalFile.read(path)
    registered = client.register(file, DATASET_TYPE, {}, "reuse")
    assert registered.put is not None
    client.send(file, registered.put)

    still_waits = deployment.watch(seconds=90)
    while (job := client.job(registered.job.job_id)).status != "failed":
        still_waits(job)
        deployment.sweep()
    assert job.error is not None
    assert job.error.code == "attempts_exhausted"
    assert [attempt.outcome for attempt in job.attempts] == ["lost"] * 3
    assert client.outputs(job.job_id) == []

    dead: list[str] = []
    while _NONSENSE not in dead:
        still_waits(f"dead letters: {dead}")
        received = sqs.receive_message(
            QueueUrl=deployment.outputs["DlqUrl"], WaitTimeSeconds=2, VisibilityTimeout=600, MaxNumberOfMessages=10
        )
        dead += [message["Body"] for message in received.get("Messages", [])]
    assert set(dead) <= {_NONSENSE, RUN_HINT}, "a hint whose worker was killed three times is one too many"
