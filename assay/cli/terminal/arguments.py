"""Parse command-line arguments: files, job ids, and parameters."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import typer
from pydantic import JsonValue


def regular(file: Path) -> Path:
    """Return the file.

    Raises typer.BadParameter for a device or a pipe, which may never end and can't be read twice.
    """
    if not file.is_file():
        raise typer.BadParameter(f"{file} is not a regular file; save its data to a file first.")
    return file


def id_prefix(text: str) -> str:
    """Return the hex digits of an id or of its prefix. Raises typer.BadParameter for any other text."""
    digits = text.replace("-", "").lower()
    if not re.fullmatch("[0-9a-f]{4,32}", digits):
        raise typer.BadParameter(f"{text!r} is not an id, nor the first 4 or more hex digits of one.")
    return digits


def parameters(arguments: Sequence[str] | None, columns: Sequence[str] | None = None) -> dict[str, JsonValue]:
    """Parse KEY=VALUE, and ROLE=HEADER of columns. A value that is valid JSON is parsed as JSON, any other is text.

    Raises typer.BadParameter.
    """
    parsed: dict[str, JsonValue] = {}
    for argument in arguments or []:
        key, equals, value = argument.partition("=")
        if not key or not equals:
            raise typer.BadParameter(f"{argument!r} is not KEY=VALUE.", param_hint="--param")
        if key in parsed:
            raise typer.BadParameter(f"{key} is given twice.", param_hint="--param")
        try:
            parsed[key] = json.loads(value, parse_constant=_finite, parse_float=_finite)
        except ValueError:
            parsed[key] = value
    if columns:
        if "columns" in parsed:
            raise typer.BadParameter("columns is given by --param, too.", param_hint="--column")
        parsed["columns"] = {**columns_of(columns)}
    return parsed


def columns_of(arguments: Sequence[str]) -> dict[str, str | None]:
    """Parse ROLE=HEADER. Without a header the value is None: there is no such column.

    Raises typer.BadParameter.
    """
    columns: dict[str, str | None] = {}
    for argument in arguments:
        role, equals, header = argument.partition("=")
        role = role.strip()
        if not role or not equals:
            raise typer.BadParameter(f"{argument!r} is not ROLE=HEADER.", param_hint="--column")
        if role in columns:
            raise typer.BadParameter(f"{role} is given twice.", param_hint="--column")
        columns[role] = header.strip() or None
    return columns


def as_options(given: Mapping[str, JsonValue]) -> list[str]:
    """Return the words of a command that give these parameters; `parameters` parses them."""
    return [
        word for name, value in given.items() for word in ("--param", f"{name}={json.dumps(value, ensure_ascii=False)}")
    ]


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise typer.BadParameter(f"{text} is not a valid JSON number.", param_hint="--param")
    return value
