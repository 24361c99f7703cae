"""What a reader of the results must know of how a file was read: what was left unread, and what has no name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import polars as pl
from pydantic import JsonValue

from assay.errors import Unprocessable
from assay.formats.header_rank import Cells
from assay.formats.problems import listed, shown
from assay.reading import Reading

ABOUT = {"meta", "metadata", "schema", "fields", "columns", "links", "errors", "pagination"}
"""What stands on the way to tables in JSON that tell about others."""

# A column that has a cell in so many of the rows is part of them.
_MOST_ROWS = 0.5


def unread(facts: Mapping[str, JsonValue]) -> list[str]:
    """Say which sheets, files, tables and lines were not read, and which sheets were read as one."""
    said: list[str] = []
    sheets = [str(name) for name in _list(facts, "sheets")]
    if len(sheets) > 1:
        said.append(
            f"{len(sheets):,} sheets with the same columns were read as one table: {listed(sheets)}. "
            "A row that stands in two of them counts twice."
        )
    if other_sheets := [str(name) for name in _list(facts, "sheets_not_read")]:
        said.append(f"Sheets that were not read: {listed(other_sheets)}.")
    if members := [*map(str, _list(facts, "data_not_read"))]:
        said.append(f"Files in the archive that were not read: {listed(members)}. {facts['member']} was read.")
    arrays = [one for one in _list(facts, "tables_not_read") if isinstance(one, dict)]
    if tables := [_table(one) for one in arrays if not ABOUT & {*str(one["array"]).lower().split(".")}]:
        read = shown(str(facts.get("array") or "the outer one"))
        said.append(f"Tables in the JSON that were not read: {listed(tables)}. The one that was read: {read}.")
    blocks = [one for one in _list(facts, "other_tables") if isinstance(one, dict)]
    if lines := [_lines(one) for one in blocks]:
        said.append(f"Other tables in the file that were not read: {listed(lines)}.")
    return said


def nameless(columns: Cells, frame: pl.LazyFrame, facts: Mapping[str, JsonValue], reading: Reading) -> list[str]:
    """Say which columns hold something and have no name, but the first, which may well name the rows.

    Raises Unprocessable, decimal_commas, where a comma parts the cells and the last of them are the decimals of amounts
    such as 100,50: only `decimal` says that they are not.
    """
    blank = [at for at in range(1, len(columns)) if not columns[at]]
    if not blank:
        return []
    filled = {str(at): (pl.col(str(at)).str.strip_chars() != "").sum() for at in blank}
    found = frame.select(rows=pl.len(), **filled).collect(engine="streaming").row(0, named=True)
    said = [at for at in blank if found[str(at)]]
    if not said:
        return []
    beyond = [at for at in said if not any(columns[at:])]
    often = [at for at in beyond if found[str(at)] >= _MOST_ROWS * found["rows"]]
    if facts.get("delimiter") == "comma" and reading.decimal is None and often and often == beyond:
        _refuse_decimals(columns, frame, len(beyond))
    counts = listed([f"column {at + 1:,} in {found[str(at)]:,} of {found['rows']:,} rows" for at in said])
    if len(said) == 1:
        return [f"A column without a name holds something: {counts}. Check that the header fits the rows."]
    return [f"Columns without a name hold something: {counts}. Check that the header fits the rows."]


def _refuse_decimals(columns: Cells, frame: pl.LazyFrame, pairs: int) -> None:
    """Raise Unprocessable where the last cells of all full rows are pairs of a whole number and of a few digits."""
    first = len(columns) - 2 * pairs
    if first < 0:
        return
    cells = [pl.col(str(at)).str.strip_chars() for at in range(first, len(columns))]
    whole, behind = cells[::2], cells[1::2]
    full = pl.all_horizontal(one != "" for one in behind)
    are_whole = [one.str.contains(r"^[^\d,.]{0,4}\d{1,9}$") for one in whole]
    are_digits = [one.str.contains(r"^\d{1,2}[^\d,.]{0,4}$") for one in behind]
    fits = pl.all_horizontal(*are_whole, *are_digits)
    asked = frame.filter(full.fill_null(value=False)).select(fit=fits.fill_null(value=False).all(), rows=pl.len())
    all_fit, rows = asked.collect(engine="streaming").row(0)
    if not all_fit or not rows:
        return
    example = frame.filter(full).select(cells[:2]).head(1).collect().row(0)
    name = columns[first] or columns[len(columns) - pairs - 1]
    raise Unprocessable(
        "decimal_commas",
        f"Commas part the cells, and rows have {pairs:,} more than the header: {shown(','.join(example))} in "
        f"{shown(name)} looks like one number with a decimal comma.",
        "Put such numbers into quotes, part the cells by semicolons, or write decimal points. Where the last cells are "
        'no decimals, give their columns a name, or read the file with decimal ".".',
    )


def _list(facts: Mapping[str, JsonValue], name: str) -> Sequence[JsonValue]:
    found = facts.get(name)
    return found if isinstance(found, list) else []


def _table(one: Mapping[str, JsonValue]) -> str:
    name = str(one["array"]) or "the outer one"
    return f"{name} ({one['rows']:,} rows)" if "rows" in one else name


def _lines(one: Mapping[str, JsonValue]) -> str:
    where = f"lines {one['first_line']:,} to {one['last_line']:,}"
    return f"{where} of {one['sheet']}" if "sheet" in one else where
