"""Requests and limits for the child process."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from assay.contract import Source, Sources
from functions.process.sandbox.messages import Limits, Request

LIMITS = Limits(memory_bytes=512 << 20, cpu_seconds=60, file_bytes=5 << 30, open_files=128)
LINUX = pytest.mark.skipif(sys.platform != "linux", reason="NOT TESTED HERE: what Linux alone has")
MEASUREMENTS = "Station_ID,Date_Time,PCode,Result\nCT,2024-01-01 10:00,Data 1,1.411\n"


def request_for(folder: Path, text: str = MEASUREMENTS, **parameters: Any) -> Request:
    upload, outputs = folder / "upload", folder / "outputs"
    upload.write_text(text, encoding="utf-8")
    outputs.mkdir()
    source = Source(path=upload, filename="river.csv", sha256="0" * 64, size_bytes=len(text))
    return Request(sources=Sources((source,)), requested_dataset_type=None, parameters=parameters, outputs=outputs)
