"""Responses about the service itself: problems, health, accepted hints."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from shared.wire.model import Model


class HintTaken(Model):
    """An empty response to a hint."""


class PartHealth(Model):
    """The state of one dependency."""

    state: Literal["ok", "down"] = Field(description="whether it answers")
    latency_ms: float = Field(description="how long the check took, in milliseconds")


class Health(Model):
    """The state of the service."""

    status: Literal["ok", "degraded"] = Field(description="ok if all parts answer")
    parts: dict[Literal["database", "object_store", "queue"], PartHealth] = Field(description="each part by name")

    @model_validator(mode="after")
    def _status_follows_parts(self) -> Self:
        if (self.status == "ok") != all(part.state == "ok" for part in self.parts.values()):
            raise ValueError("status does not follow from the parts")
        return self


class ProblemDetails(Model):
    """The format of every error (RFC 9457)."""

    type: str = Field(default="about:blank", description="always about:blank; `code` identifies the problem")
    title: str = Field(description="the reason phrase of the HTTP status")
    status: int = Field(description="the HTTP status")
    detail: str = Field(description="what is wrong, for people")
    code: str = Field(pattern=r"^[a-z][a-z0-9_]*$", description="stable and machine-readable, such as invalid_filename")
    suggestion: str = Field(description="what to do about it")
