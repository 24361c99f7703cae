"""Looks through a workbook before a reader opens it: what its parts unpack to, and the grids that its cells span."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import BinaryIO
from xml.parsers import expat

from functions.process.pipelines.contract import Source
from functions.process.readers.archive import members, unpack
from functions.process.readers.limits import (
    MAX_CELL_BYTES,
    MAX_RATIO,
    MAX_SHARED_BYTES,
    MAX_SHEETS,
    MAX_TEXT_BYTES,
    MAX_UNPACKED_BYTES,
    MAX_WORKBOOK_CELLS,
    RATIO_FREE_BYTES,
)
from functions.process.readers.problems import shown, too_large, unreadable, unsafe
from functions.process.readers.scan import Grid, Runs

WORKBOOK = "xl/workbook.xml"
_RELATIONS = "xl/_rels/workbook.xml.rels"
_SHARED = "xl/sharedstrings.xml"
_END_OF_TEXT = b"</si>"
_MOST_DIGITS = 12

_Start = Callable[[str, dict[str, str]], None]


# Asked for each time that the file at hand is opened.
@lru_cache(maxsize=1)
def check_workbook(source: Source) -> None:
    """Look through every part that the reader will read, unpacking it piece by piece and keeping none of it.

    Raises Unprocessable: spreadsheet_too_large, unsafe_spreadsheet, unreadable_spreadsheet.
    """
    with source.path.open("rb") as file:
        book = _Book(file, {part_name(info): info for info in members(source.path)})
        book.check_sizes()
        sheets = book.sheets()
        cells = longest = 0
        area = 0
        for name in book.read:
            if name in sheets:
                grid = Grid()
                for piece in book.pieces(name):
                    grid.feed(piece)
                rows, columns = grid.area()
                area += rows * columns
                if area > MAX_WORKBOOK_CELLS:
                    raise too_large(
                        f"with the sheet {shown(sheets[name])}, which spans {rows:,} rows and {columns:,} columns, its "
                        f"sheets have {area:,} cells, blank ones counted; at most {MAX_WORKBOOK_CELLS:,} are read"
                    )
                cells += grid.cells
            elif name == _SHARED:
                longest = _longest(book.pieces(name))
            else:
                for _ in book.pieces(name):
                    pass
        # That many cells with the longest text are the most there can be; it is seldom that one has to count.
        if longest * cells > MAX_TEXT_BYTES:
            book.check_texts(sheets)


def part_name(info: zipfile.ZipInfo) -> str:
    """Return the name by which a reader finds a part: it passes over the case, and over which slash it is."""
    return info.filename.replace("\\", "/").casefold()


class _Book:
    """The parts of a workbook by their names; `read` are those that a reader opens."""

    def __init__(self, file: BinaryIO, parts: dict[str, zipfile.ZipInfo]) -> None:
        self._file = file
        self._parts = parts
        self.read = [name for name in parts if name.startswith("xl/") and name.endswith((".xml", ".rels"))]

    def check_sizes(self) -> None:
        """Look at what the directory claims; `unpack` holds every part to it. Raises Unprocessable."""
        unpacked = sum(self._parts[name].file_size for name in self.read)
        packed = sum(self._parts[name].compress_size for name in self.read)
        if unpacked > MAX_UNPACKED_BYTES:
            raise too_large(f"it unpacks to {unpacked:,} bytes; at most {MAX_UNPACKED_BYTES:,} are taken")
        if unpacked > RATIO_FREE_BYTES and unpacked > packed * MAX_RATIO:
            raise unsafe(
                f"its {packed:,} bytes unpack to {unpacked:,}: more than {MAX_RATIO} times as much, where 20 is usual"
            )
        if _SHARED in self._parts and (size := self._parts[_SHARED].file_size) > MAX_SHARED_BYTES:
            raise too_large(f"the texts of its cells have {size:,} bytes; at most {MAX_SHARED_BYTES:,} are read")

    def sheets(self) -> dict[str, str]:
        """Return the sheets' names by the names of their parts. Raises Unprocessable."""
        named: list[tuple[str, str]] = []
        targets: dict[str, str] = {}

        def sheet(tag: str, attributes: dict[str, str]) -> None:
            if _local(tag) == "sheet":
                named.append((attributes.get("name", ""), attributes.get("r:id") or _prefixed_id(attributes)))
                if len(named) > MAX_SHEETS:
                    raise too_large(f"it has more than {MAX_SHEETS:,} sheets")

        def relation(tag: str, attributes: dict[str, str]) -> None:
            if _local(tag) == "Relationship":
                targets[attributes.get("Id", "")] = attributes.get("Target", "")

        self._parse(WORKBOOK, sheet)
        if _RELATIONS in self._parts:
            self._parse(_RELATIONS, relation)
        found: dict[str, str] = {}
        for name, relation_id in named:
            part = _resolved(targets.get(relation_id, ""))
            if part in found:
                raise unsafe(f"its sheets {shown(found[part])} and {shown(name)} are one and the same part")
            if part in self._parts and part not in self.read:
                raise unsafe(f"the part that holds its sheet {shown(name)} does not call itself XML")
            if part in self._parts:
                found[part] = name
        return found

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
                    f"one of its texts has more than {MAX_CELL_BYTES:,} bytes; a cell holds 32,767 characters"
                )
            whole = rest + unpacked
            end = whole.rfind(b">") + 1
            piece, rest = whole[:end], whole[end:]
            _check_piece(piece)
            yield piece
        _check_piece(rest)
        yield rest

    def check_texts(self, sheets: dict[str, str]) -> None:
        """Add up the texts of all cells. Raises Unprocessable where they come to more than a machine holds."""
        texts = _Texts()
        self._parse(_SHARED, texts.start_text, texts.measure)
        for name in sheets:
            self._parse(name, texts.start_cell, texts.read, texts.end_cell)

    def _parse(
        self,
        name: str,
        start: _Start,
        characters: Callable[[str], None] | None = None,
        end: Callable[[str], None] | None = None,
    ) -> None:
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


class _Texts:
    """What the texts of the cells come to, in bytes: handlers for the XML of the texts, then for that of the sheets."""

    def __init__(self) -> None:
        self._sizes: list[int] = []
        self._total = 0
        self._shared = False
        self._number: str | None = None

    def start_text(self, tag: str, _attributes: dict[str, str]) -> None:
        if _local(tag) == "si":
            self._sizes.append(0)

    def measure(self, data: str) -> None:
        if self._sizes:
            self._sizes[-1] += len(data.encode())

    def start_cell(self, tag: str, attributes: dict[str, str]) -> None:
        if _local(tag) == "c":
            self._shared = attributes.get("t") == "s"
        elif _local(tag) == "v" and self._shared:
            self._number = ""

    def read(self, data: str) -> None:
        if self._number is not None:
            self._number += data

    def end_cell(self, tag: str) -> None:
        if self._number is None or _local(tag) != "v":
            return
        number, self._number = self._number.strip(), None
        if number.isdecimal() and len(number) < _MOST_DIGITS and int(number) < len(self._sizes):
            self._total += self._sizes[int(number)]
        if self._total > MAX_TEXT_BYTES:
            raise too_large(f"the texts of its cells have more than {MAX_TEXT_BYTES:,} bytes, each cell with its own")


def _check_piece(piece: bytes) -> None:
    if b"<!DOCTYPE" in piece:
        _refuse_doctype()
    if b"\0" in piece:
        raise unsafe("its XML is not in UTF-8")


def _refuse_doctype(*_: object) -> None:
    raise unsafe("its XML declares a document type, which may define entities without end or read other files")


def _longest(pieces: Iterator[bytes]) -> int:
    """Return the size of the longest of the texts, with its markup."""
    longest = open_size = 0
    for piece in pieces:
        first, *others = piece.split(_END_OF_TEXT)
        longest = max(longest, open_size + len(first), *map(len, others))
        open_size = len(others[-1]) if others else open_size + len(first)
    return longest


def _local(tag: str) -> str:
    return tag.rpartition(":")[2]


def _prefixed_id(attributes: dict[str, str]) -> str:
    return next((value for name, value in attributes.items() if name.endswith(":id")), "")


def _resolved(target: str) -> str:
    """Return the name of the part that a relation of the workbook leads to."""
    path = target.replace("\\", "/").casefold()
    return path.removeprefix("/") if path.startswith(("/xl/", "xl/")) else f"xl/{path}"
