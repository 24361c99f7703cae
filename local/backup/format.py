"""The format of a backup on disk.

BACKUP/
    manifest.json          the list of contents (BackupManifest)
    manifest.json.sha256   the manifest's SHA-256, for `sha256sum --check`
    database.dump          the rows of the schema assay, in one snapshot (pg_dump's custom format)
    objects/ab/abcd…       the objects, each once, named by their SHA-256

Objects are named by hash instead of key, so that identical outputs are stored once, and names that differ only in case
do not collide on a case-insensitive file system.
"""

from __future__ import annotations

import errno
import hashlib
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from assay.write.private import write_private

FORMAT = 1
"""Version of the format. Increase it for changes that an older `assay restore` would misread."""

MANIFEST = "manifest.json"
DATABASE = "database.dump"

_CHUNK_BYTES = 1024 * 1024
_SHA256 = r"^[0-9a-f]{64}$"

# Called with the fraction done in [0, 1] and the current step.
Update = Callable[[float, str], None]


class BackupError(Exception):
    """A backup cannot be made or restored; `detail` is the reason, `suggestion` is what to do about it."""

    def __init__(self, code: str, detail: str, suggestion: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail
        self.suggestion = suggestion


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class BackedUpFile(_Strict):
    """Size and SHA-256 (hex) of a file."""

    size_bytes: int = Field(ge=0)
    sha256: str = Field(pattern=_SHA256)


class BackedUpObject(BackedUpFile):
    """An object of the store; the file is at `object_path` of its hash."""

    key: str = Field(pattern=r"^(uploads|outputs)/[A-Za-z0-9._/-]+$")
    media_type: str


class BackupManifest(_Strict):
    """The contents of a backup. `taken_at` is the time of the snapshot, `owner` the user of the command line."""

    format: int
    taken_at: datetime
    owner: UUID
    migrations: list[str] = Field(min_length=1, description="versions of the applied migrations, in order")
    rows: dict[str, int] = Field(description="number of rows by table of the schema assay")
    database: BackedUpFile
    objects: list[BackedUpObject]

    @property
    def object_bytes(self) -> dict[str, int]:
        """The size of each file under `objects`, by SHA-256."""
        return {entry.sha256: entry.size_bytes for entry in self.objects}


class _OfAnyFormat(BaseModel):
    format: int


def object_path(backup: Path, sha256: str) -> Path:
    """The path in the backup of the object with this SHA-256 (hex)."""
    return backup / "objects" / sha256[:2] / sha256


def describe(path: Path) -> BackedUpFile:
    """Read a file and return its size and hash."""
    digest, size = hashlib.sha256(), 0
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            digest.update(chunk)
            size += len(chunk)
    return BackedUpFile(size_bytes=size, sha256=digest.hexdigest())


def write_manifest(backup: Path, manifest: BackupManifest) -> None:
    """Write the manifest and its hash."""
    text = manifest.model_dump_json(indent=2) + "\n"
    write_private(backup / MANIFEST, text)
    write_private(backup / f"{MANIFEST}.sha256", f"{hashlib.sha256(text.encode()).hexdigest()}  {MANIFEST}\n")


def verify(backup: Path, manifest: BackupManifest, update: Update) -> None:
    """Read and verify every file in the manifest.

    Raises BackupError that names the first missing or damaged file, and OSError for an unreadable file.
    """
    expected = {backup / DATABASE: manifest.database} | {
        object_path(backup, entry.sha256): BackedUpFile(size_bytes=entry.size_bytes, sha256=entry.sha256)
        for entry in manifest.objects
    }
    total, checked_bytes = sum(file.size_bytes for file in expected.values()), 0
    for path, file in expected.items():
        update(checked_bytes / (total or 1), "verifying")
        try:
            actual = describe(path)
        except FileNotFoundError:
            raise _damaged(path, "is missing") from None
        if actual != file:
            raise _damaged(path, f"is damaged: it has {actual.size_bytes} bytes and the SHA-256 {actual.sha256}")
        checked_bytes += file.size_bytes


def read_manifest(backup: Path) -> BackupManifest:
    """Return the manifest of a backup.

    Raises BackupError for a folder that is not a backup, a damaged manifest, and a newer format.
    """
    path = backup / MANIFEST
    try:
        text = path.read_bytes()
        stated = (backup / f"{MANIFEST}.sha256").read_bytes()
    except FileNotFoundError as error:
        raise BackupError(
            "no_backup",
            f"{backup} is not a backup of Assay: it has no {Path(error.filename).name}.",
            "Use a folder that `assay backup` wrote.",
        ) from None
    if stated != f"{hashlib.sha256(text).hexdigest()}  {MANIFEST}\n".encode():
        raise _damaged(path, f"does not match {MANIFEST}.sha256")
    try:
        if _OfAnyFormat.model_validate_json(text).format > FORMAT:
            raise BackupError(
                "newer_backup",
                f"{backup} was made by a newer version of Assay.",
                "Restore it with that version or a later one.",
            )
        return BackupManifest.model_validate_json(text)
    except ValidationError as error:
        raise _damaged(path, "is not a valid manifest") from error


def _damaged(path: Path, how: str) -> BackupError:
    return BackupError("damaged_backup", f"{path} {how}.", "Use another copy of this backup, or an older backup.")


def disk_full(error: OSError) -> bool:
    """Whether the disk or the user's quota is full."""
    return error.errno in {errno.ENOSPC, errno.EDQUOT}
