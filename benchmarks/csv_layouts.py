"""Tables in text with layouts other than plain CSV, by name.

The ways are those of programs that print tables, of spreadsheets and editors, and of people. What is expected is the
table itself, without what was drawn, padded or put around it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from random import Random

from benchmarks.csv_style import Polluted, Pollution, Rows, all_rows, lines, polluted, usual_style
from benchmarks.csv_tables import Clean


def _text(lay: Callable[[Rows], str]) -> Pollution:
    """Tables whose cells hold no line ends, bars, quotes and delimiters, so that nothing needs to be quoted."""

    def pollute(table: Clean, _random: Random) -> Polluted | None:
        rows = all_rows(table)
        if any(one in cell for row in rows for cell in row for one in '|"\n' + usual_style(table).delimiter):
            return None
        return Polluted(lay(rows).encode(), rows)

    return pollute


def _around(change: Callable[[list[str], Clean], str]) -> Pollution:
    """The usual text, with something done to its lines."""

    def pollute(table: Clean, _random: Random) -> Polluted:
        return Polluted(change(lines(all_rows(table), usual_style(table)), table).encode(), all_rows(table))

    return pollute


def _padded(rows: Rows) -> Rows:
    widths = [max(len(row[at]) for row in rows) for at in range(len(rows[0]))]
    return [[cell.ljust(width) for cell, width in zip(row, widths, strict=True)] for row in rows]


def _joined(rows: Rows, delimiter: str) -> str:
    return "".join(delimiter.join(row) + "\n" for row in rows)


def _markdown(rows: Rows) -> str:
    drawn = [f"| {' | '.join(row)} |\n" for row in rows]
    return "".join([drawn[0], "|" + "---|" * len(rows[0]) + "\n", *drawn[1:]])


def _printed(rows: Rows) -> str:
    first, *others = (" | ".join(row) + "\n" for row in _padded(rows))
    rule = "".join("+" if one == "|" else "-" for one in first.rstrip("\n"))
    return "".join([first, rule, "\n", *others, f"({len(rows) - 1} rows)\n"])


def _quoted(table: Clean, _random: Random) -> Polluted:
    style = usual_style(table)
    rows = (
        f" {style.delimiter} ".join('"' + cell.replace('"', '""') + '"' for cell in row) + style.end
        for row in all_rows(table)
    )
    return polluted(all_rows(table), [*rows])


def _whole_lines_quoted(found: list[str], table: Clean) -> str:
    end = usual_style(table).end
    return "".join('"' + line.removesuffix(end).replace('"', '""') + '"' + end for line in found)


def _other_quote(mark: str) -> Pollution:
    def pollute(table: Clean, _random: Random) -> Polluted | None:
        if any(mark in cell for row in all_rows(table) for cell in row):
            return None
        return polluted(
            all_rows(table), lines(all_rows(table), replace(usual_style(table), quote=mark, quote_all=True))
        )

    return pollute


def _other_delimiter(mark: str) -> Pollution:
    def pollute(table: Clean, _random: Random) -> Polluted:
        return polluted(all_rows(table), lines(all_rows(table), replace(usual_style(table), delimiter=mark)))

    return pollute


def _row_names(table: Clean, _random: Random) -> Polluted:
    rows = [[f"r{number}", *row] for number, row in enumerate(table.rows, 1)]
    return polluted([["", *table.header], *rows], lines([table.header, *rows], usual_style(table)))


def _without_name(table: Clean, _random: Random) -> Polluted:
    rows = [[*table.header[:-1], ""], *table.rows]
    return polluted(rows, lines(rows, usual_style(table)))


def _mixed(choose: Callable[[int, Random], bool]) -> Pollution:
    def pollute(table: Clean, random: Random) -> Polluted:
        style = usual_style(table)
        other = lines(all_rows(table), replace(style, delimiter="," if style.delimiter == ";" else ";"))
        usual = lines(all_rows(table), style)
        return polluted(
            all_rows(table),
            [other[at] if choose(at, random) else line for at, line in enumerate(usual)],
        )

    return pollute


def _one_row(table: Clean, random: Random) -> Polluted | None:
    chosen = random.randint(1, len(table.rows))
    return _mixed(lambda at, _random: at == chosen)(table, random)


def _noted(table: Clean, random: Random) -> Polluted | None:
    rows = [row + ["seen"] * (random.random() < 0.2) for row in table.rows]
    if not any(len(row) > len(table.header) for row in rows):
        return None
    return polluted([table.header, *rows], lines([table.header, *rows], usual_style(table)))


def _short(table: Clean, random: Random) -> Polluted | None:
    if len(table.header) < 4:
        return None
    rows = [row[:-2] if random.random() < 0.5 else row for row in table.rows]
    return polluted([table.header, *rows], lines([table.header, *rows], usual_style(table)))


LAYOUTS: dict[str, Pollution] = {
    "drawn in Markdown": _text(_markdown),
    "as psql prints": _text(_printed),
    "in columns of blanks": _text(lambda rows: _joined(_padded(rows), "  ")),
    "padded to columns": _text(lambda rows: _joined(_padded(rows), ";")),
    "blanks around delimiters": _text(lambda rows: _joined(rows, " ; ")),
    "no-break blanks behind cells": _text(lambda rows: _joined(rows, "\u00a0;")),
    "zero-width marks": _text(lambda rows: _joined(rows, "\u200b;\u200b")),
    "indented": _text(lambda rows: "".join(f"    {line}\n" for line in _joined(rows, ";").splitlines())),
    "quotes apart from delimiters": _quoted,
    "lines quoted as a whole": _around(_whole_lines_quoted),
    "quoted by `": _other_quote("`"),
    "quoted by ^": _other_quote("^"),
    "quoted by ~": _other_quote("~"),
    "delimiter ||": _other_delimiter("||"),
    "delimiter ;;": _other_delimiter(";;"),
    "delimiter U+0001": _other_delimiter("\x01"),
    "delimiter U+001F": _other_delimiter("\x1f"),
    "delimiter ~": _other_delimiter("~"),
    "names of rows without a name": _row_names,
    "last column without a name": _without_name,
    "delimiter behind every row": _around(
        lambda found, table: found[0] + "".join(
            line.removesuffix("\r\n") + usual_style(table).delimiter + "\r\n" for line in found[1:]
        )
    ),
    "header behind a comment mark": _around(lambda found, _table: "".join(["# a log\r\n# of a day\r\n# ", *found])),
    "remarks of two dashes": _around(
        lambda found, _table: "".join(["-- a log\r\n", *found[:2], "-- a pause, at noon\r\n", *found[2:]])
    ),
    "a line that names the delimiter": _around(
        lambda found, table: "".join([f"sep={usual_style(table).delimiter}\r\n", *found])
    ),
    "keys and values above": _around(
        lambda found, table: "".join([f"{key}{usual_style(table).delimiter}{value}\r\n" for key, value in
                                      (("Station", "Nord"), ("Date", "2020-01-01"))] + ["\r\n", *found])
    ),
    "header by another delimiter": _mixed(lambda at, _random: at == 0),
    "a row by another delimiter": _one_row,
    "rows by two delimiters": _mixed(lambda _at, random: random.random() < 0.3),
    "a fifth of the rows longer": _noted,
    "half of the rows shorter": _short,
    "two byte order marks": _around(lambda found, _table: "\ufeff\ufeff" + "".join(found)),
    "end of file from DOS": _around(lambda found, _table: "".join(found) + "\x1a"),
    "a quote opened at the end": _around(lambda found, _table: "".join(found) + '"  '),
}  # fmt: skip
