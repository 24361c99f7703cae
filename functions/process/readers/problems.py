"""The problems of files that can't be read, each with what was found and what to do about it."""

from __future__ import annotations

from shared.errors import Unprocessable

_SHOWN = 60


def shown(text: str, most: int = _SHOWN) -> str:
    """Cut a text from a file short, and replace what a terminal would obey or nobody see."""
    cut = text if len(text) <= most else text[: most - 1] + "…"
    return "".join(character if character.isprintable() else "\ufffd" for character in cut)


def listed(names: list[str] | tuple[str, ...], most: int = 20) -> str:
    """Name a few, and say how many more there are: a hostile header has ten thousand."""
    few = ", ".join(shown(name) or "(no name)" for name in names[:most])
    return few + (f" and {len(names) - most:,} more" if len(names) > most else "")


def unreadable(why: str) -> Unprocessable:
    """The problem of a workbook that can't be opened."""
    return Unprocessable(
        "unreadable_spreadsheet",
        f"The workbook can't be read: {why}.",
        "Open it in a spreadsheet program, save it as XLSX without a password, and send that.",
    )


def unsafe(why: str) -> Unprocessable:
    """The problem of a workbook that is made to harm who opens it, or might as well be."""
    return Unprocessable(
        "unsafe_spreadsheet",
        f"The workbook is not opened, because {why}.",
        "No spreadsheet program writes such a file: open it in one, save it as XLSX anew, and send that.",
    )


def too_large(what: str) -> Unprocessable:
    """The problem of a workbook that would take more memory than there is."""
    return Unprocessable(
        "spreadsheet_too_large",
        f"The workbook is too large: {what}.",
        "Delete what stands far from the table, and sheets that hold no data; or send the table as CSV.",
    )


def too_many_cells(rows: int, columns: int, size: int, most: int) -> Unprocessable:
    """The problem of a text that stands for a table of blanks which no machine holds."""
    return Unprocessable(
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
