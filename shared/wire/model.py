"""The base of all requests and responses."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Model(BaseModel):
    """A request or response, or a part of one. Instances are immutable."""

    model_config = ConfigDict(frozen=True)
