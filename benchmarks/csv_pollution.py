"""Kinds of faults in CSV files, by name.

They follow what surveys of public files found (Vitagliano and others, "Pollock: A Data Loading Benchmark", VLDB 2023;
van den Burg and others, "Wrangling messy CSV files", 2019). What is expected is always the table before it was
polluted: the first row is its header, where it has one; blank lines are no rows.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from random import Random

from benchmarks.csv_style import Polluted, Pollution, Style, all_rows, lines, polluted, usual_style, written
from benchmarks.csv_tables import Clean


def _styled(**changes: object) -> Pollution:
    def pollute(table: Clean, _random: Random) -> Polluted | None:
        style = replace(usual_style(table), **changes)  # type: ignore[arg-type]
        if style.delimiter == "  " and any("" in row for row in table.rows):
            return None
        return polluted(all_rows(table), lines(all_rows(table), style))

    return pollute


def _encoded(encoding: str, before: bytes = b"") -> Pollution:
    def pollute(table: Clean, _random: Random) -> Polluted | None:
        try:
            return Polluted(
                before + "".join(lines(all_rows(table), usual_style(table))).encode(encoding), all_rows(table)
            )
        except UnicodeEncodeError:
            return None

    return pollute


def _no_trailing_newline(table: Clean, _random: Random) -> Polluted:
    return polluted(all_rows(table), ["".join(lines(all_rows(table), usual_style(table))).removesuffix("\r\n")])


def _double_trailing_newline(table: Clean, _random: Random) -> Polluted:
    return polluted(all_rows(table), [*lines(all_rows(table), usual_style(table)), "\r\n"])


def _empty(_table: Clean, _random: Random) -> Polluted:
    return Polluted(b"", [])


def _header_only(table: Clean, _random: Random) -> Polluted:
    return polluted([table.header], lines([table.header], usual_style(table)))


def _one_row(table: Clean, _random: Random) -> Polluted:
    return polluted(all_rows(table)[:2], lines(all_rows(table)[:2], usual_style(table)))


def _no_header(table: Clean, _random: Random) -> Polluted:
    return polluted(table.rows, lines(table.rows, usual_style(table)))


def _header_rows(times: int) -> Pollution:
    def pollute(table: Clean, _random: Random) -> Polluted:
        rows = [*[table.header] * times, *table.rows]
        return polluted(
            [[" ".join([name] * times) for name in table.header], *table.rows], lines(rows, usual_style(table))
        )

    return pollute


def _units(table: Clean, random: Random) -> Polluted:
    units = [random.choice(["[m]", "[kg]", "(mg/L)", "(EUR)"]) for _ in table.header]
    header = [f"{name} {unit}" for name, unit in zip(table.header, units, strict=True)]
    return polluted([header, *table.rows], lines([table.header, units, *table.rows], usual_style(table)))


def _preamble(table: Clean, _random: Random) -> Polluted:
    above = ["Quarterly report\r\n", "Made by the office, for internal use\r\n", "\r\n"]
    return polluted(all_rows(table), [*above, *lines(all_rows(table), usual_style(table))])


def _preamble_delimited(table: Clean, _random: Random) -> Polluted:
    style, width = usual_style(table), len(table.header)
    above = [["PREAMBLE"] + [""] * (width - 1), [""] * width]
    return polluted(all_rows(table), lines([*above, *all_rows(table)], style))


def _footnote(table: Clean, _random: Random) -> Polluted:
    below = ["\r\n", "Source: own survey, provisional figures\r\n", "* estimated\r\n"]
    return polluted(all_rows(table), [*lines(all_rows(table), usual_style(table)), *below])


def _footnote_delimited(table: Clean, _random: Random) -> Polluted:
    note = ["Note that all figures are provisional"] + [""] * (len(table.header) - 1)
    return polluted(all_rows(table), lines([*all_rows(table), note], usual_style(table)))


def _comments(table: Clean, random: Random) -> Polluted:
    found = lines(all_rows(table), usual_style(table))
    found.insert(random.randint(2, len(found)), "# checked by hand\r\n")
    return polluted(all_rows(table), ["# exported on Monday\r\n", "# by hand, and with care\r\n", *found])


def _other_table(more: int) -> Pollution:
    def pollute(table: Clean, random: Random) -> Polluted | None:
        width = len(table.header) + more
        if width < 2 or len(table.rows) < 8:
            return None
        other = [[f"measure_{n}" for n in range(width)]]
        other += [[str(random.randint(0, 99)) for _ in range(width)] for _ in range(len(table.rows) // 2)]
        style = usual_style(table)
        gap = [] if more else ["\r\n"]
        return polluted(all_rows(table), [*lines(all_rows(table), style), *gap, *lines(other, style)])

    return pollute


def _copied_table(table: Clean, _random: Random) -> Polluted:
    style = usual_style(table)
    return polluted([*all_rows(table), *table.rows], lines([*all_rows(table), *all_rows(table)], style))


def _row_changed(change: Callable[[str, Style, Random], str | None], *, header: bool = False) -> Pollution:
    def pollute(table: Clean, random: Random) -> Polluted | None:
        style = usual_style(table)
        found = lines(all_rows(table), style)
        at = 0 if header else random.randint(1, len(found) - 1)
        changed = change(found[at].removesuffix(style.end), style, random)
        if changed is None:
            return None
        found[at] = changed + style.end
        return polluted(all_rows(table), found)

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
    style = usual_style(table)
    rows = [list(row) for row in all_rows(table)]
    found = lines(rows, style)
    at, column = random.randint(0, len(rows) - 1), random.randint(0, len(table.header) - 1)
    cells = [written([cell], style) for cell in rows[at]]
    inner = cells[column]
    cells[column] = inner[0] + '"' + inner[1:] if inner.startswith('"') else '"' + inner
    rows[at][column] = '"' + rows[at][column]
    found[at] = style.delimiter.join(cells) + style.end
    return polluted(rows, found)


def _other_row_delimiter(table: Clean, random: Random) -> Polluted:
    style = usual_style(table)
    found = lines(all_rows(table), style)
    at = random.randint(1, len(found) - 1)
    cells = [written([cell], style) for cell in all_rows(table)[at]]
    found[at] = " ".join(cells) + style.end
    return polluted(all_rows(table), found)


def _short_rows(table: Clean, random: Random) -> Polluted:
    """Rows whose last cells are blank end early."""
    rows = [list(row) for row in table.rows]
    found = [written(table.header, usual_style(table)) + "\r\n"]
    for row in rows:
        if random.random() < 0.1:
            row[-1] = ""
            found.append(written(row[:-1], usual_style(table)) + "\r\n")
        else:
            found.append(written(row, usual_style(table)) + "\r\n")
    return polluted([table.header, *rows], found)


def _trailing_delimiters(table: Clean, _random: Random) -> Polluted:
    style = usual_style(table)
    return polluted(all_rows(table), [written(row, style) + style.delimiter + style.end for row in all_rows(table)])


def _blank_lines(table: Clean, random: Random) -> Polluted:
    found = lines(all_rows(table), usual_style(table))
    for _ in range(4):
        found.insert(random.randint(1, len(found)), "\r\n")
    return polluted(all_rows(table), found)


def _mixed_ends(table: Clean, random: Random) -> Polluted:
    found = [written(row, usual_style(table)) + random.choice(["\r\n", "\n", "\r"]) for row in all_rows(table)]
    return polluted(all_rows(table), found)


def _nuls(table: Clean, random: Random) -> Polluted:
    text = "".join(lines(all_rows(table), usual_style(table)))
    for _ in range(2):
        at = random.randint(len(text) // 4, len(text) - 1)
        text = text[:at] + "\0" + text[at:]
    return Polluted(text.encode(), all_rows(table))


POLLUTIONS: dict[str, Pollution] = {
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
