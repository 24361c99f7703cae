"""Export an account to a folder: `export.json` and all files."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

from pydantic import BaseModel, JsonValue

from assay.client import Client, Refused, refused, safe_name
from assay.client.account_models import Account, AccountExport, ExportedOutput, ExportedUpload
from assay.client.models import DownloadLink
from assay.write.private import read_object, write_object

LISTS = ("webhooks", "deliveries", "remembered_columns", "uploads", "jobs", "attempts", "events", "outputs")
_CONTENTS = "export.json"
# Identifies the account of an unfinished export in the folder.
_BEGUN = ".assay-export.json"
_SHA256 = re.compile(r"[0-9a-f]{64}")
_EXTENSION = re.compile(r"\.[A-Za-z0-9]{1,16}")

_File = ExportedUpload | ExportedOutput


@dataclass
class Exported:
    """The content of an export: the service's lists, with the `path` of each file instead of its link."""

    account: Account
    lists: dict[str, list[JsonValue]] = field(default_factory=lambda: {name: [] for name in LISTS})
    paths: set[str] = field(default_factory=set)  # of all files, in the folder
    size_bytes: int = 0  # of all files
    missing: set[str] = field(default_factory=set)  # paths of files that are no longer in the object store

    def add(self, path: str, size_bytes: int) -> None:
        """Count a saved file."""
        if path not in self.paths:
            self.paths.add(path)
            self.size_bytes += size_bytes


def export(client: Client, folder: Path, update: Callable[[float, str], None]) -> Exported:
    """Export into a folder that is new, empty, or has an interrupted export of this account.

    The SHA-256 of every file is verified. A file that is already saved is not downloaded again. `update` is called with
    the number of bytes done and the next file. A file that is no longer in the object store has the path null. Raises
    Refused, and OSError if the folder cannot be used.
    """
    exported = Exported(client.account())
    _begin(folder, exported.account.owner)
    cursor: str | None = None
    while True:
        page = _fetched(client, cursor, folder, exported, update)
        for name in LISTS:
            exported.lists[name] += [_described(item, exported) for item in getattr(page, name)]
        cursor = page.next_cursor
        if cursor is None:
            break
    write_object(folder / _CONTENTS, {"account": exported.account.model_dump(mode="json"), **exported.lists})
    (folder / _BEGUN).unlink()
    return exported


def _begin(folder: Path, owner: UUID) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    begun = folder / _BEGUN
    if read_object(begun).get("owner") == str(owner):
        return
    if any(folder.iterdir()):
        detail = f"{folder} is not empty, and it has no interrupted export of this account."
        raise refused(409, "folder_not_empty", "Conflict", detail, "Choose a new or empty folder.")
    write_object(folder / _BEGUN, {"owner": str(owner)})


def _fetched(
    client: Client, cursor: str | None, folder: Path, exported: Exported, update: Callable[[float, str], None]
) -> AccountExport:
    """Return a page after saving its files. Expired links are requested again."""
    while True:
        page = client.export_page(cursor)
        files: list[_File] = [*page.uploads, *page.outputs]
        fetched = 0
        try:
            for file in files:
                if file.link is not None:
                    update(exported.size_bytes, _path(file))
                    fetched += _fetch(client, file, file.link, folder, exported)
        except Refused as error:
            # If the first link fails, it has not expired; there is another reason.
            if error.problem.code == "object_store_refused" and fetched:
                continue
            raise
        return page


def _fetch(client: Client, file: _File, link: DownloadLink, folder: Path, exported: Exported) -> bool:
    """Download a file unless it is already saved. Return whether it was downloaded."""
    path = _path(file)
    is_saved = folder / path
    if is_saved.exists() and _sha256(is_saved) == file.sha256:
        exported.add(path, is_saved.stat().st_size)
        return False
    is_saved.parent.mkdir(parents=True, exist_ok=True)
    try:
        client.fetch(link, file.sha256, is_saved)
    except Refused as error:
        if error.problem.code != "file_missing":
            raise
        exported.missing.add(path)
        return False
    exported.add(path, is_saved.stat().st_size)
    return True


def _described(item: BaseModel, exported: Exported) -> dict[str, JsonValue]:
    """Return an item as written to export.json."""
    described: dict[str, JsonValue] = item.model_dump(mode="json", exclude={"link"})
    if isinstance(item, _File):
        path = _path(item)
        described["path"] = path if path in exported.paths else None
    return described


def _path(file: _File) -> str:
    """Return the path of a file in the export. Uploads are named by hash, because file names may be unsafe or equal."""
    if isinstance(file, ExportedOutput):
        return f"outputs/{file.job_id}/{safe_name(file)}"
    if not _SHA256.fullmatch(file.sha256):
        detail = f"The service returned {file.sha256!r}, which is not a SHA-256."
        raise refused(502, "unexpected_answer", "Bad Gateway", detail, "Contact the operator of this service.")
    extension = Path(file.filename).suffix
    return f"uploads/{file.sha256}{extension if _EXTENSION.fullmatch(extension) else ''}"


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
