"""Format the counts of a run."""

from __future__ import annotations

from pydantic import BaseModel, JsonValue


class _Count(BaseModel):
    read: int
    used: int
    refused: int


class _Summary(BaseModel):
    counts: dict[str, _Count] = {}


def counted(summary: dict[str, JsonValue] | None) -> str:
    """Return text such as "2,807 rows read, 2,758 used, 49 refused" for a job's summary; empty if it has no counts."""
    counts = _Summary.model_validate(summary or {}).counts
    return "; ".join(
        f"{count.read:,} {noun} read, {count.used:,} used, {count.refused:,} refused" for noun, count in counts.items()
    )
