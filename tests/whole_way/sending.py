"""Make files, send them to the stack and wait for their jobs."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import polars as pl
from pydantic import JsonValue

from assay.client import Client, LocalFile
from assay.client.models import Job, UploadAnswer


def write_measurements(path: Path, rows: int) -> Path:
    """A file of so many rows; that number makes it differ from others."""
    pl.select(row=pl.int_range(rows)).select(
        Station_ID=pl.format("S{}", pl.col("row") % 5),
        Date_Time=pl.datetime(2000, 1, 1) + pl.duration(minutes=pl.col("row") * 7),
        PCode=pl.format("Data {}", pl.col("row") % 40),
        Result=pl.col("row") / 7,
    ).write_csv(path, datetime_format="%Y-%m-%d %H:%M:%S")
    return path


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
