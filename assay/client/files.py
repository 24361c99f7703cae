"""Local files of the client: uploads to send, and safe names of outputs to save."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from assay.client.models import Output
from assay.client.refusals import refused
from assay.contract import NAME

CHUNK_BYTES = 1024 * 1024

# Called with the number of bytes since the last call.
Advance = Callable[[int], None]


def safe_name(output: Output) -> str:
    """Return the name of an output. Raises Refused for a name that could point outside the folder."""
    if not re.fullmatch(NAME, output.name):
        detail = f"The service returned the output name {output.name!r}, which is not a safe file name."
        raise refused(502, "unsafe_output_name", "Bad Gateway", detail, "Contact the operator of this service.")
    return output.name


@dataclass(frozen=True)
class LocalFile:
    """A local file, with its hash and size."""

    path: Path
    sha256: str
    size_bytes: int

    @classmethod
    def read(cls, path: Path, advance: Advance = lambda _bytes: None) -> Self:
        """Hash a file. Raises OSError, and Refused if the name is not valid UTF-8."""
        try:
            path.name.encode()
        except UnicodeEncodeError:
            detail = f"The file's name is not UTF-8: {path.name.encode('utf-8', 'backslashreplace').decode()}."
            raise refused(422, "filename_not_utf8", "Unprocessable Content", detail, "Rename the file.") from None
        digest, size = hashlib.sha256(), 0
        with path.open("rb") as file:
            while chunk := file.read(CHUNK_BYTES):
                digest.update(chunk)
                size += len(chunk)
                advance(len(chunk))
        return cls(path, digest.hexdigest(), size)

    def chunks(self, advance: Advance) -> Iterator[bytes]:
        """Yield the file's bytes. Raises Refused if the size has changed."""
        missing_bytes = self.size_bytes
        with self.path.open("rb") as file:
            while chunk := file.read(CHUNK_BYTES):
                missing_bytes -= len(chunk)
                if missing_bytes < 0:
                    break
                yield chunk
                advance(len(chunk))
        if missing_bytes:
            detail = f"{self.path.name} changed while it was read."
            raise refused(409, "file_changed", "Conflict", detail, "Send it again when no program is writing to it.")
