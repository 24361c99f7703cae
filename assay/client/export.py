"""All that an account has, in a folder: `export.json`, and beside it every file."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

from pydantic import BaseModel, JsonValue

from assay.client import Client, Refused, refused, safe_name
from assay.client.models import Account, AccountExport, DownloadLink, ExportedOutput, ExportedUpload
from assay.write.private import read_object, write_object

LISTS = ("webhooks", "deliveries", "remembered_columns", "uploads", "jobs", "attempts", "events", "outputs")
_CONTENTS = "export.json"
# Says whose export has begun in the folder, until it is whole.
_BEGUN = ".assay-export.json"
_SHA256 = re.compile(r"[0-9a-f]{64}")
_EXTENSION = re.compile(r"\.[A-Za-z0-9]{1,16}")

_File = ExportedUpload | ExportedOutput


@dataclass
class Exported:
    """What an export holds: the service's lists, with the `path` of each file in place of its link."""

    account: Account
    lists: dict[str, list[JsonValue]] = field(default_factory=lambda: {name: [] for name in LISTS})
    paths: set[str] = field(default_factory=set)  # of the files, in the folder
    size_bytes: int = 0  # of all of them
    missing: set[str] = field(default_factory=set)  # paths of those that the object store has no more

    def add(self, path: str, size_bytes: int) -> None:
        """Count a file that is there."""
        if path not in self.paths:
            self.paths.add(path)
            self.size_bytes += size_bytes


def export(client: Client, folder: Path, update: Callable[[float, str], None]) -> Exported:
    """Fetch everything into a folder that is new or empty, or in which an export of this account broke off.

    The SHA-256 of every file is compared; one that is there already and right is not fetched again. `update` is told
    how many bytes are done, and which file comes next. A file that the object store has no more has the path null.
    Raises Refused, and OSError for a folder that cannot be used.
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
        detail = f"{folder} is not empty, and no export of this account broke off in it."
        raise refused(409, "folder_not_empty", "Conflict", detail, "Choose a folder that is new or empty.")
    write_object(folder / _BEGUN, {"owner": str(owner)})


def _fetched(
    client: Client, cursor: str | None, folder: Path, exported: Exported, update: Callable[[float, str], None]
) -> AccountExport:
    """Return a page whose files are in the folder. Links that ran out meanwhile are asked for again."""
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
            # If it was the first one, there is another reason.
            if error.problem.code == "object_store_refused" and fetched:
                continue
            raise
        return page


def _fetch(client: Client, file: _File, link: DownloadLink, folder: Path, exported: Exported) -> bool:
    """Get a file unless it is there; return whether it had to be fetched."""
    path = _path(file)
    there = folder / path
    if there.exists() and _sha256(there) == file.sha256:
        exported.add(path, there.stat().st_size)
        return False
    there.parent.mkdir(parents=True, exist_ok=True)
    try:
        client.fetch(link, file.sha256, there)
    except Refused as error:
        if error.problem.code != "file_missing":
            raise
        exported.missing.add(path)
        return False
    exported.add(path, there.stat().st_size)
    return True


def _described(item: BaseModel, exported: Exported) -> dict[str, JsonValue]:
    """Return an item as it stands in the file."""
    described: dict[str, JsonValue] = item.model_dump(mode="json", exclude={"link"})
    if isinstance(item, _File):
        path = _path(item)
        described["path"] = path if path in exported.paths else None
    return described


def _path(file: _File) -> str:
    """Where a file comes to lie. An upload's own name may be any, and two may have the same."""
    if isinstance(file, ExportedOutput):
        return f"outputs/{file.job_id}/{safe_name(file)}"
    if not _SHA256.fullmatch(file.sha256):
        detail = f"The service gave an upload the SHA-256 {file.sha256!r}, which is none."
        raise refused(502, "unexpected_answer", "Bad Gateway", detail, "Tell whoever runs this service.")
    extension = Path(file.filename).suffix
    return f"uploads/{file.sha256}{extension if _EXTENSION.fullmatch(extension) else ''}"


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
