"""Which encoding a text has, and one look at all its bytes."""

from __future__ import annotations

import codecs
from dataclasses import dataclass
from pathlib import Path

from assay.errors import Unprocessable
from assay.formats.limits import HEAD_BYTES, MAX_LINE_BYTES
from assay.formats.problems import binary, line_too_long
from assay.formats.scan import Runs
from assay.formats.text.guess import Guess, guess_encoding

_CHUNK = 1 << 22
_SAMPLE = 1 << 16
# Programs look for a ZIP archive from a file's end on (APPNOTE.TXT, 4.3.16), whatever stands before it.
_ZIP_END = b"PK\x05\x06"
_ZIP_END_BYTES = 22 + 65535
# A text may have a NUL in so many bytes: what a machine padded or cut. More of them, and it is no text.
_BYTES_A_NUL = 200


@dataclass(frozen=True)
class Bytes:
    """What one pass over a text's bytes found; `lines` counts line feeds, and one for what follows the last."""

    lines: int
    bad_utf8_at: int | None
    has_double_quotes: bool
    has_lone_cr: bool
    nuls: int


def look_through(path: Path) -> Bytes:
    """Read all bytes once. Raises Unprocessable: binary_content for many NUL bytes, line_too_long."""
    runs = Runs((b"\n", b"\r"), MAX_LINE_BYTES)
    lines = 1
    decoder = codecs.getincrementaldecoder("utf-8")()
    bad_at: int | None = None
    double = lone_cr = ends_in_cr = False
    at = nuls = 0
    tail = b""
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            if b"\x00" in chunk:
                nuls += chunk.count(0)
                if nuls * _BYTES_A_NUL > max(at + len(chunk), _CHUNK):
                    raise binary(f"{nuls:,} NUL bytes among its first {at + len(chunk):,}")
            if (begun := runs.feed(chunk)) is not None:
                raise line_too_long(f"The line that begins at byte {begun:,}", MAX_LINE_BYTES)
            lines += chunk.count(b"\n")
            double = double or b'"' in chunk
            if b"\r" in chunk or ends_in_cr:
                text = b"\r" + chunk if ends_in_cr else chunk
                ends_in_cr = text.endswith(b"\r")
                lone_cr = lone_cr or text.count(b"\r") - ends_in_cr > text.count(b"\r\n")
            if bad_at is None:
                pending = len(decoder.getstate()[0])
                if pending or not chunk.isascii():
                    try:
                        decoder.decode(chunk)
                    except UnicodeDecodeError as error:
                        bad_at = at - pending + error.start
            at += len(chunk)
            tail = (tail + chunk)[-_ZIP_END_BYTES:]
    if nuls and _ZIP_END in tail:
        raise binary("a ZIP archive at its end")
    if bad_at is None:
        try:
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            bad_at = at - 1
    return Bytes(lines, bad_at, double, lone_cr or ends_in_cr, nuls)


def encoding_of(path: Path, bad_utf8_at: int) -> Guess:
    """Tell the encoding of a text that is not UTF-8 from what stands around the first byte that shows it.

    Raises Unprocessable unknown_encoding.
    """
    with path.open("rb") as file:
        file.seek(max(0, bad_utf8_at - _SAMPLE // 2))
        sample = file.read(_SAMPLE)
        is_whole = not file.read(1)
    if bad_utf8_at > _SAMPLE // 2:
        # A sample that starts within a character would count as broken.
        sample = sample[sample.find(b"\n") + 1 :]
    if not is_whole:
        sample = sample[: sample.rfind(b"\n") + 1] or sample
    read = sample.decode("utf-8", "surrogateescape")
    broken = sum("\udc80" <= char <= "\udcff" for char in read)
    if sum(char > "\x7f" for char in read) - broken >= max(broken, 1):
        raise _unknown(f"is mostly UTF-8, but broken at byte {bad_utf8_at:,}")
    guess = guess_encoding(sample)
    if guess is None:
        raise _unknown(f"is neither UTF-8 (byte {bad_utf8_at:,}) nor in another encoding in which it makes words")
    return guess


def known(name: str) -> str:
    """The encoding that a user named, as Python calls it. Raises Unprocessable unknown_encoding."""
    try:
        codec = codecs.lookup(name)
        "".encode(codec.name)
    except (LookupError, ValueError) as error:
        raise Unprocessable(
            "unknown_encoding",
            f"There is no encoding of text called {name!r}.",
            "Name one such as utf-8, cp1252, latin-1 or utf-16, or leave it to be found.",
        ) from error
    return "utf-8" if codec.name == "utf-8-sig" else codec.name


def head_text(head: bytes, encoding: str) -> str:
    """Decode the first MiB, without the character that is cut at its end. Raises UnicodeDecodeError."""
    encoding = "utf-8-sig" if encoding == "utf-8" else encoding
    if len(head) < HEAD_BYTES:
        return head.decode(encoding)
    return codecs.getincrementaldecoder(encoding)().decode(head)


def decode_problem(encoding: str, error: UnicodeError) -> Unprocessable:
    """The problem of a text that breaks off its own encoding."""
    return _unknown(f"begins as {encoding}, but can't be read as that to its end ({error})")


def _unknown(what: str) -> Unprocessable:
    return Unprocessable(
        "unknown_encoding", f"The text {what}.", "Name its encoding (reading.encoding), or save it as UTF-8."
    )
