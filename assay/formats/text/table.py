"""Delimited text to tables: find the marks and the table, mend what is broken, then the fast engine."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import polars as pl
from pydantic import JsonValue

from assay.contract import Source
from assay.formats.head import read_head, wide
from assay.formats.header_rank import Scorer, no_rows
from assay.formats.heading import Row, has_header
from assay.formats.limits import HEAD_BYTES, HEAD_LINES
from assay.formats.locate import Block, locate_table
from assay.formats.problems import check_cells
from assay.formats.registry import Head, Opening, Whole
from assay.formats.text import encoding
from assay.formats.text.dialect import BLANKS, Dialect, named
from assay.formats.text.records import Record, records
from assay.formats.text.repair import Found, Mender, header_of, rewrite, without_controls
from assay.formats.text.sniff import detect_dialect
from assay.reading import Reading

# A separator that no text has, to take a line as one field.
_UNIT = "\x1f"
# So many rows show whether a comment is the header of them.
_HEADER_ROWS = 20


@dataclass(frozen=True)
class Beginning:
    """The beginning of a text, and what it tells of the rest; `whole` is whether there is no rest."""

    encoding: str
    whole: bool
    dialect: Dialect
    block: Block
    rows: list[Row]
    records: list[Record]
    other_encodings: tuple[str, ...] = ()


def preview(opening: Opening, limit: int) -> Head:
    """The header and up to `limit` rows, from the first MiB. Raises Unprocessable."""
    head = look(opening.source, opening.score, opening.reading)
    block = head.block
    mender = Mender(head.dialect, block.width, block.columns)
    below = [
        record
        for row, record in zip(head.rows, head.records, strict=True)
        if row.line >= block.through and (block.stop is None or row.line < block.stop)
    ]
    rows: list[list[str | None]] = [
        list(mender.mended(record)[1][: len(block.names)]) for record in islice(below, limit)
    ]
    if not any(cell and cell.strip() for row in rows for cell in row):
        raise no_rows()
    return block.names, rows


def open_table(opening: Opening) -> Whole:
    """The whole table, lazily: straight from the file where that is safe, else from a clean copy in the folder.

    Raises Unprocessable.
    """
    source, reading = opening.source, opening.reading
    head = look(source, opening.score, reading)
    block, dialect = head.block, head.dialect
    codec, others, seen = codec_of(source, reading, head)
    positions = [str(i) for i in range(block.width)]
    found: Found | None = None
    if seen is not None and not seen.has_double_quotes:
        check_cells(seen.lines - block.through, block.width, source.size_bytes)
    clean = seen is not None and codec == "utf-8" and not seen.has_lone_cr and not seen.nuls and dialect.is_plain
    if clean and seen is not None and block.stop is None and _is_regular(source.path, head, seen.has_double_quotes):
        check_cells(seen.lines - block.through, block.width, source.size_bytes)
        frame = _scan(source.path, dialect, block.through, positions)
        frame = frame.with_columns(pl.lit(None, pl.String).alias("fault"))
    else:
        path = opening.folder / "clean.csv"
        found = rewrite(
            source.path, "utf-8-sig" if codec == "utf-8" else codec, (block.through, block.stop), dialect,
            header_of(block), block.columns, block.width, path, opening.tick,
        )  # fmt: skip
        check_cells(found.rows, block.width, source.size_bytes)
        frame = _scan(path, Dialect(), 0, ["fault", *positions])
    held = _held(frame, positions, len(block.names))
    names = (*block.names, *[""] * (held - len(block.names)))
    facts = _facts(head, (codec, *others), found, seen)
    return names, frame.select(pl.col("row").cast(pl.Int64), "fault", *positions[: len(names)]), facts


def codec_of(source: Source, reading: Reading, head: Beginning) -> tuple[str, tuple[str, ...], encoding.Bytes | None]:
    """The encoding of the whole text, others that would do as well, and what one look at all its bytes found.

    No look is taken at UTF-16 and UTF-32.
    """
    if head.encoding.startswith(("utf-16", "utf-32")):
        return head.encoding, head.other_encodings, None
    seen = encoding.look_through(source.path)
    if reading.encoding is None and seen.bad_utf8_at is not None and head.encoding == "utf-8":
        guess = encoding.encoding_of(source.path, seen.bad_utf8_at)
        return guess.encoding, guess.others, seen
    return head.encoding, head.other_encodings, seen


def _held(frame: pl.LazyFrame, positions: Sequence[str], named: int) -> int:
    """How many columns there are to the last that has a name or a cell that holds something."""
    if len(positions) == named:
        return named
    beyond = [(pl.col(at).str.strip_chars() != "").any() for at in positions[named:]]
    held = frame.select(beyond).collect(engine="streaming").row(0)
    return max((named + number for number, any_held in enumerate(held, 1) if any_held), default=named)


def look(source: Source, score: Scorer, reading: Reading) -> Beginning:
    """Find encoding, marks and table from the first MiB, or the first 100,000 lines of it."""
    head = read_head(source.path)
    whole = len(head) < HEAD_BYTES
    codec = encoding.known(reading.encoding) if reading.encoding is not None else wide(head) or "utf-8"
    others: tuple[str, ...] = ()
    try:
        text = encoding.head_text(head, codec)
    except UnicodeDecodeError as error:
        if reading.encoding is not None or codec != "utf-8":
            raise encoding.decode_problem(codec, error) from error
        guess = encoding.encoding_of(source.path, error.start)
        codec, others = guess.encoding, guess.others
        text = head.decode(codec, "replace")
    lines = list(io.StringIO(without_controls(text).lstrip("\ufeff"), newline=""))
    if not whole and len(lines) > 1:
        # The last line of a head is cut somewhere.
        lines.pop()
    if len(lines) > HEAD_LINES:
        whole = False
        del lines[HEAD_LINES:]
    dialect = detect_dialect(lines, score, reading)
    _uncomment(lines, dialect)
    at = 0
    rows: list[Row] = []
    # The width of rows is not known yet; without it rows that stray quotes swallowed are not seen.
    first = list(records(lines, dialect, 0))
    ((width, _),) = Counter(len(one.cells) for one in first).most_common(1) or [(0, 0)]
    are_even = all(len(one.cells) == width and len(one.lines) == 1 and not one.broken for one in first)
    taken = first if are_even else list(records(lines, dialect, width))
    for record in taken:
        # Comments between records are in none of them.
        while lines[at] is not record.lines[0]:
            at += 1
        after = at + len(record.lines)
        rows.append(Row(at, after, record.cells, quoted=lines[at].lstrip().startswith(("'", '"'))))
        at = after
    block = locate_table(rows, score, reading, whole=whole)
    return Beginning(codec, whole, dialect, block, rows, taken, others)


def _uncomment(lines: list[str], dialect: Dialect) -> None:
    """Take the mark off the last comment above the rows where it names their columns."""
    mark = dialect.comment
    first = next((at for at, line in enumerate(lines) if line.strip() and not dialect.passes_over(line)), 0)
    above = max((at for at in range(first) if lines[at].strip()), default=None)
    if not mark or above is None or not lines[above].startswith(mark):
        return
    line = lines[above].lstrip(mark).lstrip(BLANKS)
    cells, *body = [one.cells for one in islice(records([line, *lines[first:]], dialect, 0), _HEADER_ROWS)] or [[]]
    width = len(cells)
    if width > 1 and all(len(row) == width for row in body) and not has_header(body[0], body[1:], width):
        lines[above] = line if has_header(cells, body, width) else lines[above]


def _is_regular(path: Path, head: Beginning, has_quotes: bool) -> bool:
    """Whether every line is blank or stands for itself: quotes only around whole cells, as many cells as the header.

    Polars refuses a whole file for one longer row, and takes stray quotes for the start of something.
    """
    block, dialect = head.block, head.dialect
    line = pl.col("line").str.strip_chars_end("\r")
    mark = dialect.delimiter
    separator = f"\\x{ord(mark):02x}"
    bare = line.str.replace_all('"[^"]*"', "") if has_quotes else line
    separators = bare.str.count_matches(mark, literal=True)
    filled = line != ""
    checks = [
        separators.max().alias("most"),
        pl.when(filled).then(separators).min().alias("least"),
    ]
    if block.has_header:
        first = head.records[0].lines[0] if head.records else ""
        placed = zip(head.rows, head.records, strict=True)
        header = next((record.lines[0] for row, record in placed if row.line == block.header_at), first)
        checks.append((line == header.rstrip("\r\n")).any().alias("repeated"))
    if has_quotes:
        field = f'(?:"[^"]*"|[^"{separator}]*)'
        checks.append(line.str.contains(f"^{field}(?:{separator}{field})*$").all().alias("quotes"))
    lines = pl.scan_csv(
        path, separator=_UNIT, quote_char=None, has_header=False, infer_schema=False, skip_lines=block.through,
        schema={"line": pl.String}, glob=False,
    )  # fmt: skip
    try:
        found = lines.select(checks).collect(engine="streaming").row(0, named=True)
    except pl.exceptions.PolarsError:
        return False
    even = found["most"] is None or (found["most"] < block.width and (found["least"] or 0) >= block.width - 1)
    return even and not found.get("repeated", False) and found.get("quotes", True)


def _scan(path: Path, dialect: Dialect, skip: int, names: list[str]) -> pl.LazyFrame:
    return pl.scan_csv(
        path,
        separator=dialect.delimiter,
        quote_char=dialect.quote or None,
        has_header=False,
        infer_schema=False,
        skip_lines=skip,
        schema=dict.fromkeys(names, pl.String),
        glob=False,
        # Without it a short first line is taken for the width of all.
        missing_columns="insert",
        row_index_name="row",
        row_index_offset=1,
    )


def _facts(
    head: Beginning, encodings: Sequence[str], found: Found | None, seen: encoding.Bytes | None
) -> dict[str, JsonValue]:
    block, dialect = head.block, head.dialect
    facts: dict[str, JsonValue] = {
        "format": "text",
        "encoding": encodings[0],
        "delimiter": named(dialect.delimiter),
        "quote": named(dialect.quote),
        "escape": named(dialect.escape) if dialect.escape else "doubled",
        "header_line": block.header_at + 1 if block.has_header else None,
        "repaired": found is not None,
        "multi_line_records": found.multi_line if found else 0,
    }
    # Only what is so is told.
    told: dict[str, JsonValue] = {
        "other_encodings": [*encodings[1:]],
        "units": {name: unit for name, unit in zip(block.names, block.units, strict=False) if unit},
        "header_rows": block.header_rows if block.header_rows > 1 else 0,
        "blanks_around_delimiter": dialect.trims,
        "lines_quoted": dialect.wrapped,
        "drawn": dialect.framed or dialect.ruled,
        "comment": dialect.comment,
        "lines_above": block.notes_above,
        "lines_below": block.notes_below,
        "other_tables": [{"first_line": first, "last_line": last} for first, last in block.others],
        "nul_bytes_removed": seen.nuls if seen is not None else 0,
        "repeated_headers": found.repeated_headers if found is not None else 0,
    }
    facts.update({name: value for name, value in told.items() if value})
    if found is not None and (found.short or found.long):
        facts["rows_too_short"], facts["rows_too_long"] = found.short, found.long
    if found is not None and found.unequal:
        unequal: list[JsonValue] = []
        for row, why, surplus in found.unequal:
            unequal.append({"row": row, "reason": why, **({"surplus": [*surplus]} if surplus else {})})
        facts["unequal_rows"] = unequal
    return facts
