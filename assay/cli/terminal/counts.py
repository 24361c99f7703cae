"""What a run read, used and refused, in words."""

from __future__ import annotations

from pydantic import BaseModel, JsonValue


class _Count(BaseModel):
    read: int
    used: int
    refused: int


class _Summary(BaseModel):
    counts: dict[str, _Count] = {}


def counted(summary: dict[str, JsonValue] | None) -> str:
    """Return "2,807 rows read, 2,758 used, 49 refused" of a job's summary; nothing of a job that has none."""
    counts = _Summary.model_validate(summary or {}).counts
    return "; ".join(
        f"{count.read:,} {noun} read, {count.used:,} used, {count.refused:,} refused" for noun, count in counts.items()
    )
