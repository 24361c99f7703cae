"""What crashes its worker each time, or makes no sense, ends in the dead-letter queue and holds up nothing."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from local.client import Client, LocalFile
from tests.deploy.deployment import Deployment
from tests.deploy.killer import DATASET_TYPE

if TYPE_CHECKING:
    from mypy_boto3_sqs.type_defs import MessageTypeDef

_NONSENSE = "neither an S3 event nor one of ours"


@pytest.mark.usefixtures("unswept")
@pytest.mark.parametrize("deployment", ["s3"], indirect=True)
def test_a_poisoned_message_ends_in_the_dead_letter_queue_and_its_job_says_failed(
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

    dead: dict[str, MessageTypeDef] = {}
    still_waits = deployment.watch(seconds=90)
    while len(dead) < 2:
        still_waits(f"dead letters: {dead}")
        for message in sqs.receive_message(
            QueueUrl=deployment.outputs["DlqUrl"], WaitTimeSeconds=2, VisibilityTimeout=600
        ).get("Messages", []):
            dead[message["MessageId"]] = message
    event, nonsense = sorted((message["Body"] for message in dead.values()), key=lambda body: body == _NONSENSE)
    assert nonsense == _NONSENSE
    assert file.sha256 in event

    # Nobody comes for the job any more, until the sweep settles it.
    assert client.job(registered.job.job_id).status == "running"
    deployment.sweep()
    job = client.job(registered.job.job_id)
    assert job.status == "failed"
    assert job.error is not None
    assert job.error.code == "attempts_exhausted"
    assert [attempt.outcome for attempt in job.attempts] == ["lost"] * 3
    assert client.outputs(job.job_id) == []
