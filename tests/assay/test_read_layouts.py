"""Tables in text that are laid out otherwise than as plain delimited text: drawn, padded, quoted as a whole."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assay.formats import Table, open_table
from assay.formats.text.dialect import Dialect
from assay.reading import Reading
from tests.assay.analyses import MakeSource

NAMES = ["day", "code", "price", "thing"]
ROWS = [
    [f"2024-01-{n:02}", f"AB-{n}234", f"${n}.50", thing] for n, thing in enumerate(["Boots", "Hat", "Old lamp"] * 3, 1)
]
WHOLE = [NAMES, *ROWS]
WIDTHS = [max(len(row[at]) for row in WHOLE) for at in range(4)]

Read = Callable[[str], tuple[list[list[str]], Table]]


@pytest.fixture
def read(tmp_path: Path, make_source: MakeSource) -> Read:
    def call(content: str) -> tuple[list[list[str]], Table]:
        table = open_table(make_source(content), lambda _names: 0.0, tmp_path, lambda _done: None, Reading())
        rows = [[cell or "" for cell in row] for row in table.frame.drop("row", "fault").collect().iter_rows()]
        return [[*table.columns], *(row for row in rows if any(row))], table

    return call


def joined(delimiter: str, rows: list[list[str]] = WHOLE) -> str:
    return "".join(delimiter.join(row) + "\n" for row in rows)


def padded(delimiter: str) -> str:
    return joined(delimiter, [[cell.ljust(width) for cell, width in zip(row, WIDTHS, strict=True)] for row in WHOLE])


def quoted(row: list[str]) -> str:
    return ",".join(f'"{cell}"' for cell in row)


RULE = "-+-".join("-" * width for width in WIDTHS)
LAYOUTS = {
    "Markdown": "".join(f"| {line} |\n" for line in ["day | code | price | thing", "-- | ---- | ----: | -----"])
    + "".join(f"| {' | '.join(row)} |\n" for row in ROWS),
    "psql": padded(" | ").replace("\n", f"\n{RULE}\n", 1) + "\n(9 rows)\n",
    "MySQL": f"+-{RULE}-+\n" + "".join(f"| {line} |\n" for line in padded(" | ").splitlines()) + f"+-{RULE}-+\n",
    "bars at both ends": "".join(f"|{'|'.join(row)}|\n" for row in WHOLE),
    "padded to columns": padded(","),
    "a blank before and behind": joined(" ; "),
    "a tab behind": joined(",\t").replace("\t", " \u00a0"),
    "quotes apart": "".join(" , ".join(f'"{cell}"' for cell in row) + "\n" for row in WHOLE),
    "in columns of blanks": padded("  "),
    "indented": "".join(f"    {line}\n" for line in padded(";").splitlines()),
    "lines quoted as a whole": "".join('"' + quoted(row).replace('"', '""') + '"\n' for row in WHOLE),
    "but for the header": joined(",", [NAMES]) + "".join('"' + quoted(row).replace('"', '""') + '"\n' for row in ROWS),
    "backticks": "".join(",".join(f"`{cell}`" for cell in row) + "\n" for row in WHOLE),
    "circumflexes": "".join(",".join(f"^{cell}^" for cell in row) + "\n" for row in WHOLE),
    "doubled semicolons": joined(";;"),
    "what Hive writes": joined("\x01"),
    "a delimiter at each row's end": joined(",", [NAMES]) + "".join(",".join(row) + ",\n" for row in ROWS),
    "header behind a comment mark": "# made on Monday\n# by hand\n# " + joined(","),
    "remarks between rows": joined(",", WHOLE[:4]) + "-- a pause, at noon\n" + joined(",", WHOLE[4:]) + "-- the end\n",
    "header by another delimiter": joined(";", [NAMES]) + joined(",", ROWS),
    "two byte order marks": "\ufeff\ufeff" + joined(","),
    "an end of file from DOS": joined(",") + "\x1a",
    "a quote that opens at the end": joined(",") + '"  ',
}  # fmt: skip


@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_table_is_what_it_was(layout: str, read: Read) -> None:
    rows, table = read(LAYOUTS[layout])
    assert rows == WHOLE
    assert [fault for fault in table.frame.collect()["fault"].to_list() if fault] == []


TOLD = {
    "Markdown": "drawn", "padded to columns": "blanks_around_delimiter", "lines quoted as a whole": "lines_quoted",
}  # fmt: skip


@pytest.mark.parametrize("layout", TOLD)
def test_what_was_taken_off_is_told(layout: str, read: Read) -> None:
    assert read(LAYOUTS[layout])[1].facts[TOLD[layout]] is True


@pytest.mark.parametrize("delimiter", [";", "\t", "|"])
def test_a_row_by_another_delimiter_is_put_right_and_marked(delimiter: str, read: Read) -> None:
    rows, table = read(joined(",", WHOLE[:4]) + joined(delimiter, WHOLE[4:5]) + joined(",", WHOLE[5:]))
    assert rows == WHOLE
    assert table.frame.collect()["fault"].to_list() == [None] * 3 + ["too_few_fields"] + [None] * 5


@pytest.mark.parametrize("keys", [[str(n) for n in range(1, 10)], list("abcdefghi")])
def test_r_leaves_the_name_of_the_rows_names_out(keys: list[str], read: Read) -> None:
    rows, _ = read(joined(",", [NAMES, *([key, *row] for key, row in zip(keys, ROWS, strict=True))]))
    assert rows == [["", *NAMES], *([key, *row] for key, row in zip(keys, ROWS, strict=True))]


def test_a_note_behind_each_row_has_no_name(read: Read) -> None:
    numbered = [["no", *NAMES], *([str(n), *row, "seen"] for n, row in enumerate(ROWS))]
    assert read(joined(",", numbered))[0] == [["no", *NAMES, ""], *numbered[1:]]


def test_most_rows_may_end_before_the_header_does(read: Read) -> None:
    rows = [row[: 2 if at % 3 else 4] for at, row in enumerate(ROWS)]
    assert read(joined(",", [NAMES, *rows]))[0] == [NAMES, *([*row, *[""] * (4 - len(row))] for row in rows)]


# Here blanks, rules and whole quoted lines are what they are.
PLAIN = {
    "a column that is padded": "id,name,note\n" + "".join(f"{n},Ann  ,fine\n" for n in range(5, 15)),
    "sentences": "id,said\n" + "".join(f'{n},"well, {n} times, I think"\n' for n in range(9)),
    "one column of names": '"name"\n' + "".join(f'"Smith, {first}"\n' for first in ("Ann", "Bob", "Cid", "Dora")),
    "dashes for what is missing": "id;low;high\n" + "".join(f"{n};---;---\n" for n in range(9)),
}


@pytest.mark.parametrize("text", PLAIN.values(), ids=PLAIN)
def test_nothing_is_taken_off_what_is_plain(text: str, read: Read) -> None:
    _, table = read(text)
    assert not {"blanks_around_delimiter", "lines_quoted", "drawn", "comment"} & table.facts.keys()


# Within quotes blanks and delimiters belong to the cell, wherever the lines end.
cell = st.text(st.sampled_from('ab ,"\n'), max_size=8)


@given(rows=st.lists(st.lists(cell, min_size=3, max_size=3), min_size=1, max_size=4))
@settings(suppress_health_check=[HealthCheck.too_slow])
def test_blanks_are_taken_off_outside_quotes_alone(rows: list[list[str]]) -> None:
    text = "".join(" , ".join('"' + one.replace('"', '""') + '"' for one in row) + " \n" for row in rows)
    dialect, encoded, quotes = Dialect(trims=True), [], 0
    for line in text.splitlines(keepends=True):
        encoded.append(dialect.encoded(line, inside=quotes % 2 == 1))
        quotes += line.count('"')
    assert [*dialect.strict(encoded)] == rows
