"""One way in for every kind of table: a look at its head, and the whole of it, lazily."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import BinaryIO, cast

import polars as pl
from pydantic import JsonValue

from assay.contract import Source
from assay.errors import Unprocessable
from assay.formats.doubts import nameless, unread
from assay.formats.header_rank import Cells, Scorer
from assay.formats.recognise import recognise
from assay.formats.registry import Container, Flags, Format, Opening, Tick
from assay.reading import Reading

__all__ = ["Preview", "Scorer", "Table", "open_table", "preview"]

_PREVIEW_ROWS = 1000
_AS_FOUND = Reading()


@dataclass(frozen=True)
class Preview:
    """The head of a table: the header's cells and up to 1,000 rows, trimmed, None where blank."""

    columns: Cells
    rows: list[list[str | None]]

    def column(self, position: int) -> list[str | None]:
        """The cells of one column, as many as there are rows."""
        return [row[position] if position < len(row) else None for row in self.rows]


@dataclass(frozen=True)
class Table:
    """A whole table, read lazily.

    `frame` has the columns `row` (Int64, 1 is the first record under the header, blank ones counted), `fault` (String:
    what is wrong with the shape of a row, `too_many_fields` or `broken_quotes`, else null), and `0`, `1`, ... (String,
    as they stand in the file, null where `missing_values` names them), one for each of `columns`. `facts` say how the
    file was read, for people; their `warnings` are sentences for every page. `verbatim` writes what stands above the
    rows, and the rows that are wanted, as they stand in the file; None where a row is no piece of the file.
    """

    columns: Cells
    frame: pl.LazyFrame
    facts: dict[str, JsonValue]
    verbatim: Callable[[Flags, BinaryIO], None] | None = None

    @property
    def holds_something(self) -> pl.Expr:
        """Whether a row has a cell that holds something, or a fault: blank lines are no rows."""
        filled = [pl.col(str(position)).str.strip_chars() != "" for position in range(len(self.columns))]
        return pl.any_horizontal(filled).fill_null(value=False) | pl.col("fault").is_not_null()


def preview(source: Source, score: Scorer, reading: Reading = _AS_FOUND) -> Preview:
    """Read the header and the first rows.

    `score` says how much a row of cells looks like a header that somebody wants; where it is 0 for all of them, the
    most header-like row of the first 20 lines is taken. Raises Unprocessable where the file can't be read as a table.
    """
    with TemporaryDirectory() as folder:
        recognised, opening, _ = _opened(source, score, Path(folder), lambda _done: None, reading, head_only=True)
        columns, rows = recognised.preview(opening, _PREVIEW_ROWS)
    missing = {"", *(reading.missing_values or ())}
    trimmed = ([(cell or "").strip() for cell in row] for row in rows)
    return Preview(columns, [[None if cell in missing else cell for cell in row] for row in trimmed])


def open_table(source: Source, score: Scorer, folder: Path, tick: Tick, reading: Reading = _AS_FOUND) -> Table:
    """Open the whole table.

    `folder` takes what an archive unpacks to and the copy that a dirty file is rewritten to; it must outlive the
    table. `tick` is called with the fraction read while that goes on, and may raise. Raises Unprocessable as
    `preview` does.
    """
    recognised, opening, packed = _opened(source, score, folder, tick, reading, head_only=False)
    columns, frame, facts = recognised.open_table(opening)
    warnings = [*cast("list[JsonValue]", facts.get("warnings") or []), *nameless(columns, frame, facts, reading)]
    if reading.missing_values:
        cells = [pl.col(str(at)) for at in range(len(columns))]
        given = [*reading.missing_values]
        frame = frame.with_columns(pl.when(~cell.str.strip_chars().is_in(given)).then(cell) for cell in cells)
    verbatim = (
        None if recognised.verbatim is None else partial(recognised.verbatim, opening, bool(facts.get("repaired")))
    )
    facts |= packed
    if warnings := [*unread(facts), *warnings]:
        facts["warnings"] = warnings
    return Table(columns, frame, facts, verbatim)


def _plainly_named(source: Source, folder: Path) -> Source:
    """Link a file whose path is no UTF-8 into the folder: the engines take no such path."""
    try:
        str(source.path).encode()
    except UnicodeEncodeError:
        link = folder / "named-otherwise"
        link.symlink_to(source.path.absolute())
        return replace(source, path=link)
    return source


def _opened(
    source: Source, score: Scorer, folder: Path, tick: Tick, reading: Reading, *, head_only: bool
) -> tuple[Format, Opening, dict[str, JsonValue]]:
    """Recognise the file, or the one that is packed in it; return its format and what that is given.

    Raises Unprocessable, nested_archive for an archive within an archive.
    """
    source = _plainly_named(source, folder)
    recognised = recognise(source)
    packed: dict[str, JsonValue] = {}
    if isinstance(recognised.format, Container):
        outer = recognised.kind
        source, packed = recognised.format.unpack(source, outer, folder, tick, head_only)
        recognised = recognise(source)
        if isinstance(recognised.format, Container):
            raise Unprocessable(
                "nested_archive",
                f"The {outer} archive holds another archive ({recognised.kind}), which is not unpacked.",
                "Unpack it and send the table that is in it.",
            )
    return recognised.format, Opening(source, recognised.kind, score, reading, folder, tick), packed
