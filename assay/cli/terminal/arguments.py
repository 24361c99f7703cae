"""What the command line takes: files, and parameters of an analysis."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Sequence
from pathlib import Path

import typer
from pydantic import JsonValue


def regular(file: Path) -> Path:
    """Return the file. Raises typer.BadParameter for a device or a pipe: it may never end, and is not read twice."""
    if not file.is_file():
        raise typer.BadParameter(f"{file} is not a regular file; save what it gives into one first.")
    return file


def job_prefix(text: str) -> str:
    """Return the hex digits that a job's id begins with. Raises typer.BadParameter for what no id begins with."""
    digits = text.replace("-", "").lower()
    if not re.fullmatch("[0-9a-f]{4,32}", digits):
        raise typer.BadParameter(f"{text!r} is not a job's id, nor at least 4 hex digits that one begins with.")
    return digits


def parameters(given: Sequence[str] | None, columns: Sequence[str] | None = None) -> dict[str, JsonValue]:
    """Read KEY=VALUE: a value that is JSON is taken as such, any other as text; and ROLE=HEADER of columns.

    Raises typer.BadParameter.
    """
    found: dict[str, JsonValue] = {}
    for one in given or []:
        key, equals, value = one.partition("=")
        if not key or not equals:
            raise typer.BadParameter(f"{one!r} is not KEY=VALUE.", param_hint="--param")
        if key in found:
            raise typer.BadParameter(f"{key} is given twice.", param_hint="--param")
        try:
            found[key] = json.loads(value, parse_constant=_finite, parse_float=_finite)
        except ValueError:
            found[key] = value
    if columns:
        if "columns" in found:
            raise typer.BadParameter("columns is given by --param, too.", param_hint="--column")
        found["columns"] = {**columns_of(columns)}
    return found


def columns_of(given: Sequence[str]) -> dict[str, str | None]:
    """Read ROLE=HEADER; None where no header follows, which says that there is no such column.

    Raises typer.BadParameter.
    """
    found: dict[str, str | None] = {}
    for one in given:
        role, equals, header = one.partition("=")
        role = role.strip()
        if not role or not equals:
            raise typer.BadParameter(f"{one!r} is not ROLE=HEADER.", param_hint="--column")
        if role in found:
            raise typer.BadParameter(f"{role} is given twice.", param_hint="--column")
        found[role] = header.strip() or None
    return found


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise typer.BadParameter(f"{text} is not a number that JSON has.", param_hint="--param")
    return value
