"""JSON value by value, never more of a file in memory than one record."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TextIO, TypeAlias, cast

from assay.errors import Unprocessable
from assay.formats.limits import MAX_RECORD_CHARACTERS

Value: TypeAlias = "str | bool | list[Value] | dict[str, Value] | None"
"""What a JSON text stands for; a number is a `Number`, which is a text."""

_CHUNK = 1 << 20
_BLANKS = " \t\r\n"
# How far before the end of what is read an error is one of the file, and not of the cut.
_CUT = 24


class Number(str):
    """A number exactly as it is written."""

    __slots__ = ()


_DECODER = json.JSONDecoder(parse_int=Number, parse_float=Number, parse_constant=Number)


def cell_of(value: Value) -> str:
    """Write a value as a cell: null as a blank, what is nested as JSON without blanks."""
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    return _written(value)


def _written(value: Value) -> str:
    if isinstance(value, Number):
        return value
    if isinstance(value, dict):
        inner = ",".join(f"{json.dumps(name, ensure_ascii=False)}:{_written(one)}" for name, one in value.items())
        return f"{{{inner}}}"
    if isinstance(value, list):
        return f"[{','.join(map(_written, value))}]"
    return json.dumps(value, ensure_ascii=False)


def broken_json(place: int, why: str) -> Unprocessable:
    """The problem of a text that begins as JSON and is none."""
    return Unprocessable(
        "broken_json",
        f"The file is not valid JSON: at character {place:,} {why}.",
        "Send what the program that made it writes: an array of objects, or one object a line.",
    )


class JsonReader:
    """Reads values one after another. All methods raise Unprocessable: broken_json, json_too_deep, record_too_long."""

    def __init__(self, file: TextIO) -> None:
        self._file = file
        self._text = ""
        self._at = 0
        self._before = 0
        self._ended = False

    @property
    def read(self) -> int:
        """How many bytes of the file were read, about."""
        return self._file.buffer.tell()

    @property
    def place(self) -> int:
        """At which character the reader is; 1 is the first."""
        return self._before + self._at + 1

    def peek(self) -> str:
        """The next character that is no blank; nothing at the end."""
        while True:
            text, at = self._text, self._at
            while at < len(text) and text[at] in _BLANKS:
                at += 1
            self._at = at
            if at < len(text):
                return text[at]
            if self._ended:
                return ""
            self._fill()

    def second(self) -> str:
        """The character behind the next one, blanks aside."""
        self.peek()
        at = self._at + 1
        while True:
            while at < len(self._text) and self._text[at] in _BLANKS:
                at += 1
            if at < len(self._text) or self._ended:
                return self._text[at : at + 1]
            if at - self._at > MAX_RECORD_CHARACTERS:
                raise self._too_long()
            at -= self._at
            self._fill()
            at += self._at

    def value(self) -> Value:
        """The next value, whole."""
        self.peek()
        while True:
            try:
                found: Value
                found, end = _DECODER.raw_decode(self._text, self._at)
            except json.JSONDecodeError as error:
                cut = error.pos + _CUT > len(self._text) or error.msg.startswith("Unterminated")
                if self._ended or not cut:
                    raise broken_json(self._before + error.pos + 1, error.msg[:1].lower() + error.msg[1:]) from None
            except RecursionError:
                raise Unprocessable(
                    "json_too_deep",
                    f"The record at character {self.place:,} is nested too deep to be read.",
                    "Send records of plain values.",
                ) from None
            else:
                # A number near the end of what is read may go on: `1.` is followed by `5`.
                more = _CUT if isinstance(found, Number) else 0
                if end + more < len(self._text) or self._ended:
                    if end - self._at > MAX_RECORD_CHARACTERS:
                        raise self._too_long()
                    self._at = end
                    return found
            if len(self._text) - self._at > MAX_RECORD_CHARACTERS:
                raise self._too_long()
            self._fill()

    def plain_object(self) -> dict[str, Value] | None:
        """The next value, where it is an object of plain values and read to its end already; else it is still next."""
        try:
            found, end = _DECODER.raw_decode(self._text, self._at)
        except (json.JSONDecodeError, RecursionError):
            return None
        if end - self._at > MAX_RECORD_CHARACTERS or any(isinstance(value, dict | list) for value in found.values()):
            return None
        self._at = end
        return cast("dict[str, Value]", found)

    def items(self) -> Iterator[Value]:
        """The items of the array that is next."""
        self._take("[")
        if self.peek() == "]":
            self._take("]")
            return
        while True:
            yield self.value()
            if self._take(",]") == "]":
                return

    def names(self) -> Iterator[str]:
        """The names of the object that is next; after each, its value has to be read."""
        self._take("{")
        if self.peek() == "}":
            self._take("}")
            return
        while True:
            name = self.value() if self.peek() == '"' else None
            if not isinstance(name, str):
                raise broken_json(self.place, "a name is expected")
            self._take(":")
            yield name
            if self._take(",}") == "}":
                return

    def _take(self, wanted: str) -> str:
        found = self.peek()
        if not found or found not in wanted:
            raise broken_json(self.place, f"{' or '.join(wanted)} is expected" if found else "it breaks off")
        self._at += 1
        return found

    def _fill(self) -> None:
        rest = self._text[self._at :]
        self._before += self._at
        # As much again as is left over: a long record is not decoded again and again.
        more = self._file.read(max(_CHUNK, len(rest)))
        self._ended = not more
        self._text, self._at = rest + more, 0

    def _too_long(self) -> Unprocessable:
        return Unprocessable(
            "record_too_long",
            f"The record at character {self.place:,} has no end within {MAX_RECORD_CHARACTERS:,} characters.",
            "Give one measurement a record, in an array of objects.",
        )
