"""Send files to the stack and wait for their jobs."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from pydantic import JsonValue

from assay.client.api import Client, LocalFile
from assay.client.models import Job, UploadAnswer


def send(
    client: Client,
    path: Path,
    dataset_type: str | None = None,
    parameters: Mapping[str, JsonValue] | None = None,
    on_duplicate: Literal["reuse", "reprocess"] = "reuse",
) -> UploadAnswer:
    file = LocalFile.read(path)
    answer = client.register(file, dataset_type, parameters or {}, on_duplicate)
    if answer.put is not None:
        client.send(file, answer.put)
    return answer


def run(client: Client, path: Path, dataset_type: str | None = None) -> Job:
    return client.wait(send(client, path, dataset_type).job.job_id)
