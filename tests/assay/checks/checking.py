"""Checks of small tables, and what came of them."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from assay.checks.run import Checked, check_table
from assay.contract import Outputs
from assay.files import open_file
from assay.reading import Reading
from assay.schema import TableSchema

_AS_FOUND = Reading()


@dataclass(frozen=True)
class Found:
    """What was found, and the folder of the outputs."""

    checked: Checked
    folder: Path

    @property
    def violations(self) -> list[tuple[int | None, str, str]]:
        """Row, column and check of each violation."""
        return pl.read_parquet(self.folder / "violations.parquet").select("row", "column", "check").rows()

    @property
    def refused(self) -> bytes:
        """The refused rows, as they were written."""
        return (self.folder / "refused.csv").read_bytes()


def checked(
    folder: Path, content: bytes, schema: dict[str, Any], name: str = "rows.csv", reading: Reading = _AS_FOUND
) -> Found:
    """Check a file with this content."""
    path, out, between = folder / name, folder / "out", folder / "between"
    path.write_bytes(content)
    for one in (out, between):
        one.mkdir(exist_ok=True)
        for old in one.iterdir():
            old.unlink()
    rules = TableSchema.model_validate(schema)
    table = open_file(path, reading, between, lambda _done: None, rules)
    return Found(check_table(table, rules, Outputs(out), between, lambda _done: None), out)


def as_csv(rows: list[list[str]]) -> bytes:
    """Write rows as CSV."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue().encode()
