"""The arrays of records in a JSON text, and whatever else there is of which a table could be made, in one pass."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from assay.errors import Unprocessable
from assay.formats.json.families import Families, Take
from assay.formats.json.recognise import NDJSON
from assay.formats.json.stream import JsonReader, Value, broken_json
from assay.formats.limits import MAX_JSON_TABLES
from assay.formats.problems import shown

_DEEPEST = 5
_NAMED = 5


class Records:
    """The records of a file, each with the place of its array: "" for that of the whole file, else the names to it.

    `families` takes what stands beside them. `names` are some of those in the outermost object, `name_count` how many
    there are.
    """

    def __init__(self, reader: JsonReader, kind: str, families: Families) -> None:
        self.reader = reader
        self.families = families
        self.names: list[str] = []
        self.name_count = 0
        self._arrays = 0
        self._kind = kind

    def __iter__(self) -> Iterator[tuple[str, Value]]:
        """Go through the file. Raises Unprocessable: broken_json, unknown_encoding, too_many_tables and others."""
        try:
            if self._kind == NDJSON:
                while self.reader.peek():
                    yield "", self.reader.value()
                return
            if self.reader.peek() == "[":
                yield from self._array("")
            else:
                yield from self._object("", None, 0)
            if self.reader.peek():
                raise broken_json(self.reader.place, "something follows its end")
        except UnicodeError as error:
            raise Unprocessable(
                "unknown_encoding",
                f"JSON is UTF-8 or UTF-16, and the file is neither to its end ({error.reason}).",  # type: ignore[attr-defined]
                "Save the file as UTF-8 and send it again.",
            ) from error

    def _array(self, place: str) -> Iterator[tuple[str, Value]]:
        self._arrays += 1
        if self._arrays > MAX_JSON_TABLES:
            raise Unprocessable(
                "too_many_tables",
                f"The file has {self._arrays:,} arrays of records or more; at most {MAX_JSON_TABLES:,} are read.",
                "Send the one that is meant, as an array of objects.",
            )
        for record in self.reader.items():
            yield place, record

    def _object(self, place: str, name: str | None, depth: int) -> Iterator[tuple[str, Value]]:
        """Go through the object that stands under `name` at `place`; it is the file's outermost where that is None."""
        own = _inside(place, name)
        with self.families.member(place, name, arrays=False) if name is not None else _outermost() as take:
            for inner in self.reader.names():
                if name is None:
                    self.name_count += 1
                    if len(self.names) < _NAMED:
                        self.names.append(shown(inner))
                start = self.reader.peek()
                is_plain = start not in ("[", "{") or (start == "{" and depth == _DEEPEST)
                if is_plain:
                    take(inner, self.reader.value())
                    continue
                if name is not None:
                    self.families.break_off(place)
                if start == "{" and (plain := self.reader.plain_object()) is not None:
                    with self.families.member(own, inner, arrays=False) as take_cell:
                        for key, value in plain.items():
                            take_cell(key, value)
                elif start == "{":
                    yield from self._object(own, inner, depth + 1)
                elif self.reader.second() in ("{", "["):
                    yield from self._array(_inside(own, inner))
                else:
                    with self.families.member(own, inner, arrays=True) as take_item:
                        for at, item in enumerate(self.reader.items()):
                            take_item(str(at), item)


def _inside(place: str, name: str | None) -> str:
    return place if name is None else f"{place}.{name}" if place else name


@contextmanager
def _outermost() -> Iterator[Take]:
    """The file's outermost object stands beside no other."""
    yield lambda _name, _value: None
