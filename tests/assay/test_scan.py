"""What looks through bytes without taking them apart, against what takes them apart."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from assay.formats.scan import Grid, Runs


def cut(content: bytes, at: list[int]) -> list[bytes]:
    """Cut bytes into pieces at some places."""
    places = sorted({place % (len(content) + 1) for place in at})
    return [content[start:stop] for start, stop in zip([0, *places], [*places, len(content)], strict=True)]


@given(
    st.lists(st.sampled_from([b"a", b"aaaa", b"\r", b"a\r", b"\n"]), max_size=30).map(b"".join),
    st.lists(st.integers(0, 100), max_size=6),
    st.integers(1, 8),
)
@example(b"\na\raaa\r", [3], 3)
@settings(deadline=None)
def test_a_run_is_found_wherever_the_pieces_are_cut(content: bytes, at: list[int], most: int) -> None:
    runs = Runs((b"\n", b"\r"), most)
    found = next((place for piece in cut(content, at) if (place := runs.feed(piece)) is not None), None)
    long = re.search(rb"a{%d}" % (most + 1), content)
    # A line end counts to the line that it ends.
    assert found == (long.start() if long else None)


def grid_of(xml: str, size: int = 10**6) -> tuple[int, int]:
    grid = Grid()
    content, rest = xml.encode(), b""
    for at in range(0, len(content), size):
        piece = rest + content[at : at + size]
        end = piece.rfind(b">") + 1
        grid.feed(piece[:end])
        rest = piece[end:]
    grid.feed(rest)
    return grid.area()


def letters(column: int) -> str:
    name = ""
    while column:
        column, letter = divmod(column - 1, 26)
        name = chr(65 + letter) + name
    return name


# Rows of cells: the row's own number or none, how far the row is from the last, and of each cell whether it names its
# place, and how far it is from the last.
gaps = st.integers(1, 800)
cells = st.lists(st.tuples(st.booleans(), gaps), max_size=5)
sheets = st.lists(st.tuples(st.booleans(), gaps, cells), max_size=5)


def xml_of(sheet: list[tuple[bool, int, list[tuple[bool, int]]]], prefix: str) -> tuple[str, int, int]:
    """The XML of a sheet, and the last row and column of its cells, as ECMA-376 counts them."""
    parts, row, last_row, last_column = [], 0, 0, 0
    for numbered, row_gap, row_cells in sheet:
        row += row_gap if numbered else 1
        column, inner = 0, []
        for named, gap in row_cells:
            column += gap if named else 1
            at = f' r="{letters(column)}{row}"' if named else ""
            inner.append(f"<{prefix}c{at}><{prefix}v>1</{prefix}v></{prefix}c>")
            last_row, last_column = row, max(last_column, column)
        number = f' r="{row}"' if numbered else ""
        parts.append(f"<{prefix}row{number}>{''.join(inner)}</{prefix}row>")
    return "".join(parts), last_row, last_column


@given(sheets, st.sampled_from(["", "x:"]), st.integers(1, 200))
@settings(deadline=None)
def test_no_grid_is_larger_than_its_bound(
    sheet: list[tuple[bool, int, list[tuple[bool, int]]]], prefix: str, size: int
) -> None:
    xml, last_row, last_column = xml_of(sheet, prefix)
    rows, columns = grid_of(xml, size)
    assert rows >= last_row
    assert columns >= last_column


@given(sheets, st.booleans(), st.integers(1, 200))
@settings(deadline=None)
def test_the_bound_is_exact_where_all_cells_name_their_place_or_none_does(
    sheet: list[tuple[bool, int, list[tuple[bool, int]]]], named: bool, size: int
) -> None:
    alike = [(named, gap, [(named, cell_gap) for _, cell_gap in row]) for _, gap, row in sheet]
    xml, last_row, last_column = xml_of(alike, "")
    rows, columns = grid_of(xml, size)
    assert columns == last_column
    if named or not alike or alike[-1][2]:
        assert rows == last_row


@pytest.mark.parametrize(
    "xml",
    [
        '<pageMargins footer="0.3"/><pageSetup pageOrder="downThenOver"/>',
        '<sheetFormatPr defaultRowHeight="15"/><col min="1" max="16384"/>',
        'xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"',
        '<dimension ref="A1:XFD1048576"/><hyperlink ref="XFD1048576" r:id="rId1"/>',
        '<c r="XFD1048576" s="1"/><c r="XFD1" s=\'1\' />',
    ],
)
def test_what_is_no_filled_cell_does_not_count(xml: str) -> None:
    assert grid_of('<row r="1"><c r="B2"><v>1</v></c></row>' + xml) == (2, 2)
