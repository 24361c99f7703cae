"""What a backup is made of, on disk.

BACKUP/
    manifest.json          what is in it (BackupManifest)
    manifest.json.sha256   the manifest's SHA-256, as `sha256sum --check` reads it
    database.dump          the rows of the schema assay, in one snapshot (pg_dump's custom format)
    objects/ab/abcd…       the bytes of objects, each once, named by their SHA-256

The bytes are named by their hash and not by their key: identical outputs need room once, and names that differ in case
alone do not collide where the file system takes them for one.
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
"""Version of all this; raised by whatever an older `assay restore` would misread."""

MANIFEST = "manifest.json"
DATABASE = "database.dump"

_CHUNK_BYTES = 1024 * 1024
_SHA256 = r"^[0-9a-f]{64}$"

# Told how much is done, in [0, 1], and what is being done.
Update = Callable[[float, str], None]


class BackupError(Exception):
    """A backup cannot be made or restored; `detail` says why, `suggestion` what to do about it."""

    def __init__(self, code: str, detail: str, suggestion: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail
        self.suggestion = suggestion


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class BackedUpFile(_Strict):
    """Bytes by their size and SHA-256 (hex)."""

    size_bytes: int = Field(ge=0)
    sha256: str = Field(pattern=_SHA256)


class BackedUpObject(BackedUpFile):
    """One object of the store; its bytes stand in `object_path` of its hash."""

    key: str = Field(pattern=r"^(uploads|outputs)/[A-Za-z0-9._/-]+$")
    media_type: str


class BackupManifest(_Strict):
    """All that a backup holds. `taken_at` is the moment of the snapshot, `owner` the user of the command line."""

    format: int
    taken_at: datetime
    owner: UUID
    migrations: list[str] = Field(min_length=1, description="versions that the database had, in order")
    rows: dict[str, int] = Field(description="by table of the schema assay")
    database: BackedUpFile
    objects: list[BackedUpObject]

    @property
    def object_bytes(self) -> dict[str, int]:
        """Size by SHA-256 of everything under `objects`."""
        return {one.sha256: one.size_bytes for one in self.objects}


class _OfAnyFormat(BaseModel):
    format: int


def object_path(backup: Path, sha256: str) -> Path:
    """Where the backup keeps the bytes with this SHA-256 (hex)."""
    return backup / "objects" / sha256[:2] / sha256


def describe(path: Path) -> BackedUpFile:
    """Read a file to its end and return its size and hash."""
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
    """Read every byte that the manifest speaks of.

    Raises BackupError, which names the first file that is missing or damaged; OSError for what cannot be read.
    """
    expected = {backup / DATABASE: manifest.database} | {
        object_path(backup, one.sha256): BackedUpFile(size_bytes=one.size_bytes, sha256=one.sha256)
        for one in manifest.objects
    }
    total, done = sum(file.size_bytes for file in expected.values()), 0
    for path, file in expected.items():
        update(done / (total or 1), "verifying")
        try:
            found = describe(path)
        except FileNotFoundError:
            raise _damaged(path, "is missing") from None
        if found != file:
            raise _damaged(path, f"has {found.size_bytes} bytes with the SHA-256 {found.sha256}, not those it had")
        done += file.size_bytes


def read_manifest(backup: Path) -> BackupManifest:
    """Return what a backup says that it holds.

    Raises BackupError for a folder that is no backup, a manifest that is damaged, and a backup of a newer format.
    """
    path = backup / MANIFEST
    try:
        text = path.read_bytes()
        stated = (backup / f"{MANIFEST}.sha256").read_bytes()
    except FileNotFoundError as error:
        raise BackupError(
            "no_backup",
            f"{backup} is no backup of Assay: it has no {Path(error.filename).name}.",
            "Name a folder that `assay backup` has written.",
        ) from None
    if stated != f"{hashlib.sha256(text).hexdigest()}  {MANIFEST}\n".encode():
        raise _damaged(path, f"does not match {MANIFEST}.sha256")
    try:
        if _OfAnyFormat.model_validate_json(text).format > FORMAT:
            raise BackupError(
                "newer_backup",
                f"{backup} was made by a newer version of Assay.",
                "Restore it with that version, or a later one.",
            )
        return BackupManifest.model_validate_json(text)
    except ValidationError as error:
        raise _damaged(path, "is not written as Assay writes it") from error


def _damaged(path: Path, how: str) -> BackupError:
    return BackupError("damaged_backup", f"{path} {how}.", "Take another copy of this backup, or an older backup.")


def disk_full(error: OSError) -> bool:
    """Whether a disk, or what its user may have of it, is full."""
    return error.errno in {errno.ENOSPC, errno.EDQUOT}
