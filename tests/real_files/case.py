"""What a kind of real file holds, and how Assay's reading of it is judged: right, refused or wrong."""

from __future__ import annotations

import csv
import io
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from assay.cli.offline.read import write_table
from assay.errors import Unprocessable
from assay.files import open_file
from assay.reading import Reading
from assay.types import infer_types

Verdict = Literal["right", "refused", "wrong"]


@dataclass(frozen=True)
class Case:
    """A small file of a kind that people have, and the table that it holds.

    `content` is the file's bytes, or a function that writes it. `table` is the table as CSV, each cell as its text;
    None where Assay must refuse the file. `types` are the types of some of its columns. `facts` are some of what
    `assay read` says of how it read the file.
    """

    kind: str
    filename: str
    content: bytes | Callable[[Path], None]
    table: str | None
    types: dict[str, str] = field(default_factory=dict)
    facts: dict[str, object] = field(default_factory=dict)
    reading: dict[str, object] = field(default_factory=dict)

    def judge(self) -> tuple[Verdict, str]:
        """Read the file; return the verdict, and what differs where it is wrong."""
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, self.filename)
            if callable(self.content):
                self.content(path)
            else:
                path.write_bytes(self.content)
            try:
                difference = self._difference(path, Path(folder, "work"))
            except Unprocessable as error:
                return "wrong" if self.table else "refused", f"{error.code}: {error.detail}"
        return ("wrong", difference) if difference else ("right", "")

    def _difference(self, path: Path, work: Path) -> str:
        work.mkdir()
        reading = Reading.model_validate(self.reading)
        table = open_file(path, reading, work, lambda _done: None)
        if self.table is None:
            return "the file was read, and should have been refused"
        types = infer_types(table, reading)
        out = work / "out.csv"
        write_table(table, table.frame.filter(table.holds_something), out)
        read = list(csv.reader(io.StringIO(out.read_text(encoding="utf-8"), newline="")))
        expected = list(csv.reader(io.StringIO(self.table)))
        if read != expected:
            return f"read as {read[:4]} ({len(read)} rows), expected {expected[:4]} ({len(expected)} rows)"
        kinds = {name: type_.kind for name, type_ in zip(table.columns, types, strict=True)}
        for name, kind in self.types.items():
            if kinds[name] != kind:
                return f"{name} is {kinds[name]}, expected {kind}"
        for name, fact in self.facts.items():
            if table.facts.get(name) != fact:
                return f"{name} is {table.facts.get(name)!r}, expected {fact!r}"
        return ""
