"""The keys of all objects. The database builds the same keys; tests/database/test_same_rules.py compares them."""

from __future__ import annotations

from uuid import UUID

UPLOADS = "uploads/"
"""Prefix of every upload's key."""
OUTPUTS = "outputs/"
"""Prefix of every output's key."""


def upload_key(owner: UUID | str, sha256: str) -> str:
    """Key of an upload: `uploads/{owner}/{sha256}`."""
    return f"{UPLOADS}{owner}/{sha256}"


def output_key(owner: UUID | str, job_id: UUID | str, attempt: int, name: str) -> str:
    """Key of an output: `outputs/{owner}/{job}/{attempt}/{name}`, as finish_job computes it."""
    return f"{OUTPUTS}{owner}/{job_id}/{attempt}/{name}"


def outputs_prefix(owner: UUID | str, job_id: UUID | str, attempt: int | None = None) -> str:
    """Prefix of the output keys of a job, or of one of its attempts."""
    return f"{OUTPUTS}{owner}/{job_id}/" + (f"{attempt}/" if attempt is not None else "")
