"""The first bytes of a file: what is told from them alone, whatever the format."""

from __future__ import annotations

import codecs
import re
from pathlib import Path

from assay.formats.limits import HEAD_BYTES

# The mark of UTF-32 (little) begins as that of UTF-16 does, so it comes first.
_MARKS = [
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
]
_WIDE = {"utf-16-le": (2, 1), "utf-16-be": (2, 0), "utf-32-le": (4, 3), "utf-32-be": (4, 0)}
# So many of its characters are Latin in a text of any language whose cells are parted by commas or tabs.
_MOSTLY = 0.7
_FIRST = 64
_CONTROL = re.compile(rb"[\x00\x02-\x08\x0e-\x19\x1c-\x1e\x7f]")


def read_head(path: Path) -> bytes:
    """Return the first MiB of the file."""
    with path.open("rb") as file:
        return file.read(HEAD_BYTES)


def control_characters(head: bytes) -> int:
    """Count the control characters that no text in bytes has."""
    return len(_CONTROL.findall(head))


def wide(head: bytes) -> str | None:
    """UTF-16 or UTF-32, where a byte order mark says so or every second byte, or three of four, are NUL; else None."""
    for mark, name in _MARKS:
        if head.startswith(mark):
            return name
    for name, (size, nul_at) in _WIDE.items():
        characters = len(head) // size
        nuls = head[nul_at::size].count(0)
        others = sum(head[at::size].count(0) for at in range(size) if at != nul_at) if size == 2 else 0
        # From its first bytes on: else it is two texts in one.
        begins = head[nul_at:_FIRST:size]
        enough = characters >= 4 and nuls >= _MOSTLY * characters and others * 20 <= characters
        enough = enough and begins.count(0) >= _MOSTLY * len(begins)
        if enough and (size == 2 or head.count(0) >= 2 * characters):
            return name
    return None
