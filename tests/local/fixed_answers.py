"""An Assay that gives fixed answers."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from typer.testing import Result

JOB = "0a7b7f1e-51b5-4f0e-9d0c-0c5a3f4d8a11"
OUTPUT = "5b1f6f7e-51b5-4f0e-9d0c-0c5a3f4d8a22"
MANIFEST = "5b1f6f7e-51b5-4f0e-9d0c-0c5a3f4d8a23"
NOW = "2026-01-01T00:00:00Z"
Json = dict[str, Any]


def job(status: str = "done", **more: object) -> Json:
    names = (
        "requested_dataset_type type_choice dataset_type pipeline pipeline_version stage detection error summary "
        "manifest_sha256"
    )
    blank: Json = dict.fromkeys([*names.split(), "cost", "started_at", "finished_at", "expires_at"])
    known = {
        "job_id": JOB,
        "status": status,
        "filename": "a.csv",
        "sha256": "0" * 64,
        "size_bytes": 3,
        "parameters": {},
    }
    return {**blank, **known, "progress": 0.5, "cancel_requested": False, "created_at": NOW, "attempts": [], **more}


@dataclass
class Assay:
    """A server that gives fixed answers and keeps what it was asked."""

    answers: dict[tuple[str, str], tuple[int, Json | bytes]] = field(default_factory=dict)
    asked: list[tuple[str, str, dict[str, str], bytes]] = field(default_factory=list)
    url: str = ""
    # An answer that comes before those above, where it gives one.
    changed: Callable[[tuple[str, str]], tuple[int, Json | bytes] | None] = lambda _asked: None


Assayed = Callable[..., Result]


def will_answer(assay: Assay, found: Json, content: bytes = b"result", name: str = "out.csv", *, put: bool) -> None:
    link = {"url": f"{assay.url}/store/in", "method": "PUT", "headers": {"x-signed": "1"}, "expires_at": NOW}
    upload = {"sha256": "0" * 64, "size_bytes": 3, "filename": "a.csv", "first_seen": NOW, "last_used": NOW}
    output = {
        "output_id": OUTPUT,
        "name": name,
        "media_type": "text/csv",
        "size_bytes": len(content),
        "sha256": hashlib.sha256(b"result").hexdigest(),
        "created_at": NOW,
    }
    manifest = json.dumps({"outputs": [{"name": name}]}).encode()
    about_manifest = {"output_id": MANIFEST, "name": "manifest.json", "sha256": hashlib.sha256(manifest).hexdigest()}
    assay.answers = {
        ("POST", "/uploads"): (
            201 if put else 200,
            {
                "cached": not put,
                "job": job("awaiting_upload") if put else found,
                "upload": {**upload, "times_used": 1, "jobs": []},
                "put": link if put else None,
            },
        ),
        ("PUT", "/store/in"): (200, b""),
        ("GET", f"/jobs/{JOB}"): (200, found),
        ("GET", f"/jobs/{JOB}/outputs"): (200, {"outputs": [output, {**output, **about_manifest}]}),
        ("GET", f"/outputs/{OUTPUT}/download"): (200, {"url": f"{assay.url}/store/out", "expires_at": NOW}),
        ("GET", "/store/out"): (200, content),
        ("GET", f"/outputs/{MANIFEST}/download"): (200, {"url": f"{assay.url}/store/manifest", "expires_at": NOW}),
        ("GET", "/store/manifest"): (200, manifest),
    }
