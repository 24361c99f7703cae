"""Write a table as CSV, in a clean or in an unusual style."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from benchmarks.csv_tables import Clean


@dataclass(frozen=True)
class Style:
    """How a table is written."""

    delimiter: str = ","
    quote: str = '"'
    escape: str | None = None
    end: str = "\r\n"
    quote_all: bool = False


@dataclass(frozen=True)
class Polluted:
    """A file, and the rows that are expected of it, header first."""

    content: bytes
    expected: list[list[str]]


Rows = list[list[str]]
# None where a table can't be polluted so.
Pollution = Callable[[Clean, Random], Polluted | None]


def written(cells: list[str], style: Style) -> str:
    """One record, without its end."""
    found = []
    for cell in cells:
        special = {style.delimiter, style.delimiter.strip() or style.delimiter, style.quote, "\n", "\r"}
        if style.quote_all or any(one in cell for one in special) or (style.delimiter == " " and not cell):
            if style.escape is None:
                inner = cell.replace(style.quote, style.quote * 2)
            else:
                inner = cell.replace("\\", "\\\\") if style.escape == "\\" else cell
                inner = inner.replace(style.quote, style.escape + style.quote)
            found.append(style.quote + inner + style.quote)
        else:
            found.append(cell)
    return style.delimiter.join(found)


def lines(rows: Rows, style: Style) -> list[str]:
    """Records with their ends."""
    return [written(row, style) + style.end for row in rows]


def all_rows(table: Clean) -> Rows:
    """The header and the rows."""
    return [table.header, *table.rows]


def usual_style(table: Clean) -> Style:
    """European numbers come with semicolons."""
    return Style(delimiter=";") if table.kind == "european" else Style()


def polluted(expected: Rows, found: list[str], encoding: str = "utf-8") -> Polluted:
    """A file of lines."""
    return Polluted("".join(found).encode(encoding), expected)
