"""The parameters of a pipeline in a request."""

from __future__ import annotations

import json
import math
import unicodedata
from collections.abc import Iterator, Mapping
from typing import Annotated, TypeVar

from pydantic import AfterValidator, Field, JsonValue
from pydantic_core import PydanticCustomError

MAX_PARAMETERS_BYTES = 64 * 1024

_Object = TypeVar("_Object", bound=Mapping[str, JsonValue])


def _is_parameters(value: _Object) -> _Object:
    size = len(json.dumps(value, ensure_ascii=False).encode(errors="surrogatepass"))
    if size > MAX_PARAMETERS_BYTES:
        raise refused(
            "invalid_parameters",
            f"The parameters have {size} bytes; at most {MAX_PARAMETERS_BYTES} are allowed.",
            "Send a shorter list of columns.",
        )
    for leaf in _leaves({**value}):
        if isinstance(leaf, float) and not math.isfinite(leaf):
            raise refused("invalid_parameters", "A value is NaN or Infinity.", "Send finite numbers.")
        if isinstance(leaf, str) and any(
            unicodedata.category(character) == "Cs" or character == "\0" for character in leaf
        ):
            raise refused(
                "invalid_parameters",
                "A name or value contains a NUL character or a lone surrogate.",
                "Send text that is valid Unicode, without NUL.",
            )
    return value


def _leaves(value: JsonValue) -> Iterator[JsonValue]:
    if isinstance(value, dict):
        for name, inner in value.items():
            yield name
            yield from _leaves(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _leaves(inner)
    else:
        yield value


def refused(code: str, detail: str, suggestion: str) -> PydanticCustomError:
    """Return a validation error with a code and a suggestion, which becomes a problem."""
    return PydanticCustomError(code, detail, {"suggestion": suggestion})


Parameters = Annotated[dict[str, JsonValue], AfterValidator(_is_parameters)]
Columns = Annotated[dict[str, str | None], Field(max_length=100), AfterValidator(_is_parameters)]
