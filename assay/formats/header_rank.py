"""Which of the first lines is the header?"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from assay.errors import Unprocessable
from assay.formats.cells import Looks, looks
from assay.formats.limits import MAX_COLUMNS

Cells = tuple[str, ...]
# How much a row of cells looks like a header that somebody wants: 0 for not at all.
Scorer = Callable[[Sequence[str]], float]

HEADER_LINES = 20

_VALUES = (Looks.NUMBER, Looks.DATE, Looks.TIME)


def header_cells(cells: Sequence[str | None]) -> Cells:
    """Trim a header's cells and drop the blank ones at its end."""
    names = [(cell or "").strip() for cell in cells]
    while names and not names[-1]:
        names.pop()
    return tuple(names)


def header_rank(cells: Sequence[str | None], score: Scorer) -> tuple[float, int]:
    """How well a row serves as a header: what `score` says, then the number of named columns; (0, 0) for not at all.

    A row that nobody wants counts only when it names two columns or more and is mostly words, not values; one of more
    than 10,000 cells never does.
    """
    names = header_cells(cells)
    if len(names) > MAX_COLUMNS:
        return (0, 0)
    wanted = score(names)
    filled = [name for name in names if name]
    values = sum(looks(name) in _VALUES for name in filled)
    if wanted <= 0 and (len(filled) < 2 or 2 * values >= len(filled)):
        return (0, 0)
    return (max(wanted, 0), len(filled))


def no_header(what: str, widest: int) -> Unprocessable:
    """The problem of a table without a header; `what` names what was looked at, `widest` is its longest row there."""
    if widest > MAX_COLUMNS:
        return Unprocessable(
            "too_many_columns",
            f"A line where the header should be has {widest:,} cells; at most {MAX_COLUMNS:,} columns are taken.",
            "Give one measurement a row, and check that the file's line endings are those of a text file.",
        )
    return Unprocessable(
        "no_header",
        f"None of the first {HEADER_LINES} lines of {what} looks like a header.",
        "Put the names of the columns in one line above the data, such as Station_ID,Date_Time,PCode,Result.",
    )


def no_rows() -> Unprocessable:
    """The problem of a table with a header and nothing under it."""
    return Unprocessable(
        "no_rows", "The file has a header and no row under it.", "Send the file with its data rows below the header."
    )
