"""What the texts come to that the cells of a workbook share, once every cell has its own."""

from __future__ import annotations

from collections.abc import Iterable

_END = b"</si>"
_MOST_DIGITS = 12


def local_name(tag: str) -> str:
    """Return an element's name without its prefix."""
    return tag.rpartition(":")[2]


def longest(pieces: Iterable[bytes]) -> int:
    """Return the size of the longest of the texts in the XML that holds them all, in bytes and with its markup."""
    most = unfinished = 0
    for piece in pieces:
        first, *others = piece.split(_END)
        most = max(most, unfinished + len(first), *map(len, others))
        unfinished = len(others[-1]) if others else unfinished + len(first)
    return most


class Texts:
    """Adds up the texts in bytes, as `total`: handlers for the XML of the texts, then for that of each sheet.

    Source of the form: ECMA-376, 18.4.8 (si), 18.3.1.4 (c) and 18.3.1.96 (v).
    """

    def __init__(self) -> None:
        self.total = 0
        self._sizes: list[int] = []
        self._shared = False
        self._number: str | None = None

    def start_text(self, tag: str, _attributes: dict[str, str]) -> None:
        """An element of the texts begins."""
        if local_name(tag) == "si":
            self._sizes.append(0)

    def measure(self, data: str) -> None:
        """Characters of a text."""
        if self._sizes:
            self._sizes[-1] += len(data.encode())

    def start_cell(self, tag: str, attributes: dict[str, str]) -> None:
        """An element of a sheet begins."""
        if local_name(tag) == "c":
            self._shared = attributes.get("t") == "s"
        elif local_name(tag) == "v" and self._shared:
            self._number = ""

    def read(self, data: str) -> None:
        """Characters of a cell."""
        if self._number is not None:
            self._number += data

    def end_cell(self, tag: str) -> None:
        """An element of a sheet ends."""
        if self._number is None or local_name(tag) != "v":
            return
        number, self._number = self._number.strip(), None
        if number.isdecimal() and len(number) <= _MOST_DIGITS and int(number) < len(self._sizes):
            self.total += self._sizes[int(number)]
