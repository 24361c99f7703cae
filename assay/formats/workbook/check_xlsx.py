"""Looks through a workbook before a reader opens it: what its parts unpack to, and the grids that its cells span."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import BinaryIO
from xml.parsers import expat

from assay.contract import Source
from assay.formats.archive import members, unpack
from assay.formats.limits import (
    MAX_CELL_BYTES,
    MAX_MEMBERS,
    MAX_RATIO,
    MAX_SHARED_BYTES,
    MAX_SHEETS,
    MAX_TEXT_BYTES,
    MAX_UNPACKED_BYTES,
    MAX_WORKBOOK_CELLS,
    RATIO_FREE_BYTES,
)
from assay.formats.problems import shown, too_large, unreadable, unsafe
from assay.formats.scan import Formulas, Grid, Runs
from assay.formats.workbook.shared_texts import Texts, local_name, longest

WORKBOOK = "xl/workbook.xml"
BINARY_WORKBOOK = "xl/workbook.bin"
ROOT_RELATIONS = "_rels/.rels"
_RELATIONS = "xl/_rels/workbook.xml.rels"
_SHARED = "xl/sharedstrings.xml"
_CELLS = b"sheetData"

_Start = Callable[[str, dict[str, str]], None]


# Asked for each time that the file at hand is opened.
@lru_cache(maxsize=1)
def check_workbook(source: Source) -> dict[str, int]:
    """Look through every part that a reader may read, unpacking it piece by piece and keeping none of it.

    Returns how many cells of each sheet have a formula and no value, by the sheet's name, where there are any. Raises
    Unprocessable: spreadsheet_too_large, unsafe_spreadsheet, unreadable_spreadsheet.
    """
    with source.path.open("rb") as file:
        parts = Parts(file, {part_name(info): info for info in members(source.path)}, (".xml", ".rels"), "xl/")
        parts.check_sizes()
        names = parts.sheet_names()
        sheets: dict[str, Grid] = {}
        uncomputed: dict[str, int] = {}
        longest_text = 0
        for name in parts.read:
            if name == _SHARED:
                longest_text = longest(parts.pieces(name))
                continue
            grid, formulas = _grid(parts.pieces(name))
            if grid is not None:
                sheets[name] = grid
                _check_area(sheets, names.get(name, name))
            if formulas:
                uncomputed[names.get(name, name)] = formulas
        # As many cells with the longest text are the most there can be; it is seldom that one has to count.
        if longest_text * sum(grid.cells for grid in sheets.values()) > MAX_TEXT_BYTES:
            parts.check_texts(list(sheets))
    return uncomputed


def part_name(info: zipfile.ZipInfo) -> str:
    """Return the name by which a reader finds a part: it passes over the case, and over which slash it is."""
    return info.filename.replace("\\", "/").casefold()


class Parts:
    """The parts of a workbook by their names; `read` are those that a reader may read."""

    def __init__(self, file: BinaryIO, parts: dict[str, zipfile.ZipInfo], endings: tuple[str, ...], root: str) -> None:
        self._file = file
        self._parts = parts
        self.names = set(parts)
        self.read = [
            name for name in parts if name == ROOT_RELATIONS or (name.startswith(root) and name.endswith(endings))
        ]

    def check_sizes(self, shared: str = _SHARED) -> None:
        """Look at what the directory claims; `unpack` holds every part to it. Raises Unprocessable."""
        unpacked = sum(self._parts[name].file_size for name in self.read)
        packed = sum(self._parts[name].compress_size for name in self.read)
        if unpacked > MAX_UNPACKED_BYTES:
            raise too_large(f"it unpacks to {unpacked:,} bytes; at most {MAX_UNPACKED_BYTES:,} are taken")
        if unpacked > RATIO_FREE_BYTES and unpacked > packed * MAX_RATIO:
            raise unsafe(
                f"its {packed:,} bytes unpack to {unpacked:,}: more than {MAX_RATIO} times as much, where 20 is usual"
            )
        if shared in self._parts and (size := self._parts[shared].file_size) > MAX_SHARED_BYTES:
            raise too_large(f"the texts of its cells have {size:,} bytes; at most {MAX_SHARED_BYTES:,} are read")

    def sheet_names(self) -> dict[str, str]:
        """Return the name of each sheet by the name of its part.

        Raises Unprocessable where a reader would find the workbook, or a sheet of it, in a part that is not looked at.
        """
        for _, kind, target in self.relations(ROOT_RELATIONS):
            if kind.endswith("/officeDocument") and target.removeprefix("/") != WORKBOOK:
                raise unsafe("it is a workbook besides the one in its place")
        targets = {relation: target for relation, _, target in self.relations(_RELATIONS)}
        named: list[tuple[str, str]] = []

        def sheet(tag: str, attributes: dict[str, str]) -> None:
            if local_name(tag) == "sheet":
                named.append((attributes.get("name", ""), attributes.get("r:id") or _prefixed_id(attributes)))
                if len(named) > MAX_SHEETS:
                    raise too_large(f"it has more than {MAX_SHEETS:,} sheets")

        self.parse(WORKBOOK, sheet)
        found: dict[str, str] = {}
        for name, relation in named:
            target = targets.get(relation, "")
            if not target.endswith(".xml") or ".." in target or (target.startswith("/") and target[:4] != "/xl/"):
                raise unsafe(f"its sheet {shown(name)} stands where no sheet does")
            part = f"xl/{target.removeprefix('/').removeprefix('xl/')}"
            if part in found:
                raise unsafe(f"its sheets {shown(found[part])} and {shown(name)} are one and the same part")
            found[part] = name
        return found

    def raw(self, name: str) -> Iterator[bytes]:
        """Unpack a part of no XML."""
        return unpack(self._file, self._parts[name])

    def pieces(self, name: str) -> Iterator[bytes]:
        """Unpack a part of XML in pieces that end where a tag does.

        Raises Unprocessable for a document type, which could define entities, for an encoding in which one could hide,
        and for a text that is longer than any cell's.
        """
        runs = Runs((b">",), MAX_CELL_BYTES)
        rest = b""
        for unpacked in unpack(self._file, self._parts[name]):
            if runs.feed(unpacked) is not None:
                raise too_large(
                    f"one of its texts has more than {MAX_CELL_BYTES:,} bytes; a cell has 32,767 characters"
                )
            whole = rest + unpacked
            end = whole.rfind(b">") + 1
            piece, rest = whole[:end], whole[end:]
            _check_piece(piece)
            yield piece
        _check_piece(rest)
        yield rest

    def check_texts(self, sheets: list[str]) -> None:
        """Add up the texts of all cells. Raises Unprocessable where they come to more than a machine holds."""
        texts = Texts()

        def end(tag: str) -> None:
            texts.end_cell(tag)
            if texts.total > MAX_TEXT_BYTES:
                raise too_large(
                    f"the texts of its cells have more than {MAX_TEXT_BYTES:,} bytes, each cell with its own"
                )

        self.parse(_SHARED, texts.start_text, texts.measure)
        for name in sheets:
            self.parse(name, texts.start_cell, texts.read, end)

    def relations(self, name: str) -> list[tuple[str, str, str]]:
        """Return the id, the type, and the target, as a part's name, of each relation."""
        found: list[tuple[str, str, str]] = []

        def relation(tag: str, attributes: dict[str, str]) -> None:
            if local_name(tag) == "Relationship":
                target = attributes.get("Target", "").replace("\\", "/").casefold()
                found.append((attributes.get("Id", ""), attributes.get("Type", ""), target))
                if len(found) > MAX_MEMBERS:
                    raise too_large(f"one of its parts has {len(found):,} relations; at most {MAX_MEMBERS:,} are taken")

        if name in self._parts:
            self.parse(name, relation)
        return found

    def parse(
        self,
        name: str,
        start: _Start,
        characters: Callable[[str], None] | None = None,
        end: Callable[[str], None] | None = None,
    ) -> None:
        """Hand a part's XML to handlers. Raises Unprocessable as `pieces` does, and for XML that is not well formed."""
        parser = expat.ParserCreate()
        parser.buffer_text = True
        parser.StartElementHandler = start
        parser.CharacterDataHandler = characters
        parser.EndElementHandler = end
        parser.StartDoctypeDeclHandler = _refuse_doctype
        try:
            for piece in self.pieces(name):
                parser.Parse(piece, False)
            parser.Parse(b"", True)
        except expat.ExpatError as error:
            raise unreadable(f"{name} is no well-formed XML ({error})") from error


def _grid(pieces: Iterator[bytes]) -> tuple[Grid | None, int]:
    """Return the grid of a part's cells, and how many have a formula alone; None for one that is no sheet."""
    grid: Grid | None = None
    formulas = Formulas()
    for piece in pieces:
        if grid is None and _CELLS in piece:
            grid = Grid()
        if grid is not None:
            grid.feed(piece)
            formulas.feed(piece)
    return grid, formulas.uncomputed


def _check_area(sheets: dict[str, Grid], last: str) -> None:
    areas = [grid.area() for grid in sheets.values()]
    cells = sum(rows * columns for rows, columns in areas)
    if cells > MAX_WORKBOOK_CELLS:
        rows, columns = areas[-1]
        raise too_large(
            f"with the sheet {shown(last)}, which spans {rows:,} rows and {columns:,} columns, its sheets have "
            f"{cells:,} cells, blank ones counted; at most {MAX_WORKBOOK_CELLS:,} are read"
        )


def _check_piece(piece: bytes) -> None:
    if b"<!DOCTYPE" in piece:
        _refuse_doctype()
    if b"\0" in piece:
        raise unsafe("its XML is not in UTF-8")


def _refuse_doctype(*_: object) -> None:
    raise unsafe("its XML declares a document type, which may define entities without end or read other files")


def _prefixed_id(attributes: dict[str, str]) -> str:
    return next((value for name, value in attributes.items() if name.endswith(":id")), "")
