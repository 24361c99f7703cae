"""Ways in which files of delimited text are not as they should be, each by its name.

They follow what surveys of public files found (Vitagliano and others, "Pollock: A Data Loading Benchmark", VLDB 2023;
van den Burg and others, "Wrangling messy CSV files", 2019). What is expected is always the table before it was
polluted: the first row is its header, where it has one; blank lines are no rows.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
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


def _all(table: Clean) -> Rows:
    return [table.header, *table.rows]


def _base(table: Clean) -> Style:
    """European numbers come with semicolons."""
    return Style(delimiter=";") if table.kind == "european" else Style()


def _plain(expected: Rows, found: list[str], encoding: str = "utf-8") -> Polluted:
    return Polluted("".join(found).encode(encoding), expected)


def _styled(**changes: object) -> Callable[[Clean, Random], Polluted | None]:
    def pollute(table: Clean, _random: Random) -> Polluted | None:
        style = replace(_base(table), **changes)  # type: ignore[arg-type]
        if style.delimiter == "  " and any("" in row for row in table.rows):
            return None
        return _plain(_all(table), lines(_all(table), style))

    return pollute


def _encoded(encoding: str, before: bytes = b"") -> Callable[[Clean, Random], Polluted | None]:
    def pollute(table: Clean, _random: Random) -> Polluted | None:
        try:
            return Polluted(before + "".join(lines(_all(table), _base(table))).encode(encoding), _all(table))
        except UnicodeEncodeError:
            return None

    return pollute


def _no_trailing_newline(table: Clean, _random: Random) -> Polluted:
    return _plain(_all(table), ["".join(lines(_all(table), _base(table))).removesuffix("\r\n")])


def _double_trailing_newline(table: Clean, _random: Random) -> Polluted:
    return _plain(_all(table), [*lines(_all(table), _base(table)), "\r\n"])


def _empty(_table: Clean, _random: Random) -> Polluted:
    return Polluted(b"", [])


def _header_only(table: Clean, _random: Random) -> Polluted:
    return _plain([table.header], lines([table.header], _base(table)))


def _one_row(table: Clean, _random: Random) -> Polluted:
    return _plain(_all(table)[:2], lines(_all(table)[:2], _base(table)))


def _no_header(table: Clean, _random: Random) -> Polluted:
    return _plain(table.rows, lines(table.rows, _base(table)))


def _header_rows(times: int) -> Callable[[Clean, Random], Polluted | None]:
    def pollute(table: Clean, _random: Random) -> Polluted:
        rows = [*[table.header] * times, *table.rows]
        return _plain([[" ".join([name] * times) for name in table.header], *table.rows], lines(rows, _base(table)))

    return pollute


def _units(table: Clean, random: Random) -> Polluted:
    units = [random.choice(["[m]", "[kg]", "(mg/L)", "(EUR)"]) for _ in table.header]
    header = [f"{name} {unit}" for name, unit in zip(table.header, units, strict=True)]
    return _plain([header, *table.rows], lines([table.header, units, *table.rows], _base(table)))


def _preamble(table: Clean, _random: Random) -> Polluted:
    above = ["Quarterly report\r\n", "Made by the office, for internal use\r\n", "\r\n"]
    return _plain(_all(table), [*above, *lines(_all(table), _base(table))])


def _preamble_delimited(table: Clean, _random: Random) -> Polluted:
    style, width = _base(table), len(table.header)
    above = [["PREAMBLE"] + [""] * (width - 1), [""] * width]
    return _plain(_all(table), lines([*above, *_all(table)], style))


def _footnote(table: Clean, _random: Random) -> Polluted:
    below = ["\r\n", "Source: own survey, provisional figures\r\n", "* estimated\r\n"]
    return _plain(_all(table), [*lines(_all(table), _base(table)), *below])


def _footnote_delimited(table: Clean, _random: Random) -> Polluted:
    note = ["Note that all figures are provisional"] + [""] * (len(table.header) - 1)
    return _plain(_all(table), lines([*_all(table), note], _base(table)))


def _comments(table: Clean, random: Random) -> Polluted:
    found = lines(_all(table), _base(table))
    found.insert(random.randint(2, len(found)), "# checked by hand\r\n")
    return _plain(_all(table), ["# exported on Monday\r\n", "# by hand, and with care\r\n", *found])


def _other_table(more: int) -> Callable[[Clean, Random], Polluted | None]:
    def pollute(table: Clean, random: Random) -> Polluted | None:
        width = len(table.header) + more
        if width < 2 or len(table.rows) < 8:
            return None
        other = [[f"measure_{n}" for n in range(width)]]
        other += [[str(random.randint(0, 99)) for _ in range(width)] for _ in range(len(table.rows) // 2)]
        style = _base(table)
        gap = [] if more else ["\r\n"]
        return _plain(_all(table), [*lines(_all(table), style), *gap, *lines(other, style)])

    return pollute


def _copied_table(table: Clean, _random: Random) -> Polluted:
    style = _base(table)
    return _plain([*_all(table), *table.rows], lines([*_all(table), *_all(table)], style))


def _row_changed(
    change: Callable[[str, Style, Random], str | None], *, header: bool = False
) -> Callable[[Clean, Random], Polluted | None]:
    def pollute(table: Clean, random: Random) -> Polluted | None:
        style = _base(table)
        found = lines(_all(table), style)
        at = 0 if header else random.randint(1, len(found) - 1)
        changed = change(found[at].removesuffix(style.end), style, random)
        if changed is None:
            return None
        found[at] = changed + style.end
        return _plain(_all(table), found)

    return pollute


def _outside(line: str, style: Style) -> list[int]:
    """Where delimiters stand that part cells."""
    places, quoted = [], False
    for at, letter in enumerate(line):
        if letter == style.quote:
            quoted = not quoted
        elif letter == style.delimiter and not quoted:
            places.append(at)
    return places


def _less(line: str, style: Style, random: Random) -> str | None:
    places = _outside(line, style)
    if not places:
        return None
    at = random.choice(places)
    return line[:at] + line[at + 1 :]


def _more(line: str, style: Style, random: Random) -> str | None:
    places = [-1, *_outside(line, style), len(line)]
    at = random.choice(places)
    at = max(at, 0)
    return line[:at] + style.delimiter + line[at:]


def _extra_quote(table: Clean, random: Random) -> Polluted:
    style = _base(table)
    rows = [list(row) for row in _all(table)]
    found = lines(rows, style)
    at, column = random.randint(0, len(rows) - 1), random.randint(0, len(table.header) - 1)
    cells = [written([cell], style) for cell in rows[at]]
    inner = cells[column]
    cells[column] = inner[0] + '"' + inner[1:] if inner.startswith('"') else '"' + inner
    rows[at][column] = '"' + rows[at][column]
    found[at] = style.delimiter.join(cells) + style.end
    return _plain(rows, found)


def _other_row_delimiter(table: Clean, random: Random) -> Polluted:
    style = _base(table)
    found = lines(_all(table), style)
    at = random.randint(1, len(found) - 1)
    cells = [written([cell], style) for cell in _all(table)[at]]
    found[at] = " ".join(cells) + style.end
    return _plain(_all(table), found)


def _short_rows(table: Clean, random: Random) -> Polluted:
    """Rows whose last cells are blank end early."""
    rows = [list(row) for row in table.rows]
    found = [written(table.header, _base(table)) + "\r\n"]
    for row in rows:
        if random.random() < 0.1:
            row[-1] = ""
            found.append(written(row[:-1], _base(table)) + "\r\n")
        else:
            found.append(written(row, _base(table)) + "\r\n")
    return _plain([table.header, *rows], found)


def _trailing_delimiters(table: Clean, _random: Random) -> Polluted:
    style = _base(table)
    return _plain(_all(table), [written(row, style) + style.delimiter + style.end for row in _all(table)])


def _blank_lines(table: Clean, random: Random) -> Polluted:
    found = lines(_all(table), _base(table))
    for _ in range(4):
        found.insert(random.randint(1, len(found)), "\r\n")
    return _plain(_all(table), found)


def _mixed_ends(table: Clean, random: Random) -> Polluted:
    found = [written(row, _base(table)) + random.choice(["\r\n", "\n", "\r"]) for row in _all(table)]
    return _plain(_all(table), found)


def _nuls(table: Clean, random: Random) -> Polluted:
    text = "".join(lines(_all(table), _base(table)))
    for _ in range(2):
        at = random.randint(len(text) // 4, len(text) - 1)
        text = text[:at] + "\0" + text[at:]
    return Polluted(text.encode(), _all(table))


POLLUTIONS: dict[str, Callable[[Clean, Random], Polluted | None]] = {
    "none": _styled(),
    "no bytes": _empty,
    "no trailing newline": _no_trailing_newline,
    "double trailing newline": _double_trailing_newline,
    "header only": _header_only,
    "one data row": _one_row,
    "no header": _no_header,
    "header in two rows": _header_rows(2),
    "header in three rows": _header_rows(3),
    "row of units": _units,
    "preamble": _preamble,
    "preamble, delimited": _preamble_delimited,
    "footnotes": _footnote,
    "footnote, delimited": _footnote_delimited,
    "comment lines": _comments,
    "second table, fewer columns": _other_table(-1),
    "second table, other names": _other_table(0),
    "second table, more columns": _other_table(1),
    "the same table again": _copied_table,
    "delimiter ;": _styled(delimiter=";"),
    "delimiter tab": _styled(delimiter="\t"),
    "delimiter |": _styled(delimiter="|"),
    "delimiter blank": _styled(delimiter=" "),
    "delimiter comma and blank": _styled(delimiter=", "),
    "delimiter two blanks": _styled(delimiter="  "),
    "delimiter :": _styled(delimiter=":"),
    "delimiter ^": _styled(delimiter="^"),
    "all quoted": _styled(quote_all=True),
    "apostrophes for quotes": _styled(quote="'"),
    "escaped by backslash": _styled(escape="\\"),
    "quotes not escaped": _styled(escape=""),
    "line ends LF": _styled(end="\n"),
    "line ends CR": _styled(end="\r"),
    "line ends mixed": _mixed_ends,
    "a row lacks a delimiter": _row_changed(_less),
    "a row has a delimiter more": _row_changed(_more),
    "the header has a delimiter more": _row_changed(_more, header=True),
    "a cell has a stray quote": _extra_quote,
    "a row is parted by blanks": _other_row_delimiter,
    "rows end early": _short_rows,
    "delimiter at each end": _trailing_delimiters,
    "blank lines": _blank_lines,
    "UTF-8 with a mark": _encoded("utf-8-sig"),
    "UTF-16 with a mark": _encoded("utf-16"),
    "UTF-16 without": _encoded("utf-16-le"),
    "Windows-1252": _encoded("cp1252"),
    "Windows-1250": _encoded("cp1250"),
    "NUL bytes": _nuls,
}
