"""The problems of files that can't be read, each with what was found and what to do about it."""

from __future__ import annotations

from dataclasses import dataclass

from assay.errors import Unprocessable
from assay.formats.limits import MAX_CELLS, MAX_CELLS_A_BYTE

_SHOWN = 60


def shown(text: str, most: int = _SHOWN) -> str:
    """Cut a text from a file short, and replace what a terminal would obey or nobody see."""
    cut = text if len(text) <= most else text[: most - 1] + "…"
    return "".join(character if character.isprintable() else "\ufffd" for character in cut)


def listed(names: list[str] | tuple[str, ...], most: int = 20) -> str:
    """Name a few, and say how many more there are: a hostile header has ten thousand."""
    few = ", ".join(shown(name) or "(no name)" for name in names[:most])
    return few + (f" and {len(names) - most:,} more" if len(names) > most else "")


@dataclass(frozen=True)
class Packed:
    """The problems of what comes packed: a workbook, an archive or a Parquet file. `noun` is what it is called.

    `codes` are those of one that can't be opened, of one that is made to harm who opens it, or might as well be, and of
    one that would take more memory or disk than there is; `advice` says for each what to do.
    """

    noun: str
    codes: tuple[str, str, str]
    advice: tuple[str, str, str]

    def unreadable(self, why: str) -> Unprocessable:
        """The problem of one that can't be opened."""
        return Unprocessable(self.codes[0], f"The {self.noun} can't be read: {why}.", self.advice[0])

    def unsafe(self, why: str) -> Unprocessable:
        """The problem of one that is made to harm who opens it, or might as well be."""
        return Unprocessable(self.codes[1], f"The {self.noun} is not opened, because {why}.", self.advice[1])

    def too_large(self, what: str) -> Unprocessable:
        """The problem of one that would take more memory or disk than there is."""
        return Unprocessable(self.codes[2], f"The {self.noun} is too large: {what}.", self.advice[2])


_UNPACK = "Unpack it and send the table that is in it."
_WRITE = "Write it again with row groups of a million rows or fewer, or send the table as CSV."
WORKBOOK = Packed(
    "workbook",
    ("unreadable_spreadsheet", "unsafe_spreadsheet", "spreadsheet_too_large"),
    (
        "Open it in a spreadsheet program, save it as XLSX without a password, and send that.",
        "No spreadsheet program writes such a file: open it in one, save it as XLSX anew, and send that.",
        "Delete what stands far from the table, and sheets that hold no data; or send the table as CSV.",
    ),
)
ARCHIVE = Packed("archive", ("unreadable_archive", "unsafe_archive", "archive_too_large"), (_UNPACK, _UNPACK, _UNPACK))
PARQUET = Packed(
    "Parquet file", ("unreadable_parquet", "unsafe_parquet", "parquet_too_large"), (_WRITE, _WRITE, _WRITE)
)
unreadable, unsafe, too_large = WORKBOOK.unreadable, WORKBOOK.unsafe, WORKBOOK.too_large


def check_cells(rows: int, columns: int, size: int) -> None:
    """Raise Unprocessable where a text of `size` bytes stands for a table of blanks that no engine can hold."""
    most = max(MAX_CELLS, MAX_CELLS_A_BYTE * size)
    if rows * columns > most:
        raise Unprocessable(
            "too_many_cells",
            f"The file's {size:,} bytes stand for {rows:,} lines of {columns:,} columns, nearly all of them blank: "
            f"{rows * columns:,} cells; at most {most:,} are read.",
            "Delete the columns that hold nothing, and blank lines.",
        )


def line_too_long(line: str, most: int) -> Unprocessable:
    """The problem of a text in which a line does not end; `line` says which."""
    return Unprocessable(
        "line_too_long",
        f"{line} has no end within {most:,} bytes.",
        "Check that the file's line endings are those of a text file, and give one measurement a row.",
    )


def broken_quotes(line: int) -> Unprocessable:
    """The problem of a text of which line upon line opens a quote that never closes."""
    return Unprocessable(
        "broken_quotes",
        f"Up to line {line:,} below the header so many quotes open and never close that the rows can't be told apart.",
        "Save the file again with quotes around whole fields only, and quotes within a field doubled.",
    )


def binary(what: str) -> Unprocessable:
    """The problem of a file that is neither text nor a known kind of table."""
    return Unprocessable(
        "binary_content",
        f"The file is not text and no known kind of table: it has {what}.",
        "Send the table as CSV, TSV or XLSX.",
    )


def no_table(what: str, advice: str = "") -> Unprocessable:
    """The problem of a file of a known kind that is no table."""
    suggestion = f"{advice} Send the table as CSV, TSV, XLSX, JSON or Parquet.".lstrip()
    return Unprocessable("binary_content", f"The file is {what}.", suggestion)
