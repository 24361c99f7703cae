"""Reads what a run wrote."""

from __future__ import annotations

import csv
import html
import json
import zipfile
from pathlib import Path
from typing import Any

import polars as pl

from assay.run import Analysis


def path_of(found: Analysis, name: str) -> Path:
    (path,) = (output.path for output in found.outputs if output.name == name)
    return path


def table_of(found: Analysis, name: str) -> list[list[str]]:
    with path_of(found, name).open(newline="", encoding="utf-8") as file:
        return list(csv.reader(file))


def json_of(found: Analysis, name: str) -> Any:  # whatever JSON holds: the tests look into it
    return json.loads(path_of(found, name).read_bytes())


def unpacked(path: Path) -> bytes:
    """All that a file holds, as bytes that can be searched: the parts of a workbook, the cells of a Parquet file."""
    if path.suffix == ".xlsx":
        with zipfile.ZipFile(path) as book:
            return b"\n".join(name.encode() + b"\n" + book.read(name) for name in book.namelist())
    if path.suffix == ".parquet":
        cells = pl.read_parquet(path).select(pl.all().cast(pl.String)).write_csv().encode()
        return cells + repr(pl.read_parquet_metadata(path)).encode()
    return path.read_bytes()


def hashes(found: Analysis) -> dict[str, str]:
    return {output.name: output.sha256 for output in found.outputs}


def findings_of(found: Analysis) -> str:
    """The findings of the page, as they stand in its list."""
    page = path_of(found, "dashboard.html").read_text(encoding="utf-8")
    start = page.index('<ul class="findings">')
    return html.unescape(page[start : page.index("</ul>", start)])
