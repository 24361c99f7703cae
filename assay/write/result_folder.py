"""A folder for the outputs of one run: they come all at once, and stand with those of no other run."""

from __future__ import annotations

import tempfile
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from pydantic import BaseModel, ValidationError

from assay.errors import FolderNotEmpty

_MANIFEST = "manifest.json"


class _Output(BaseModel):
    name: str


class _Manifest(BaseModel):
    outputs: list[_Output]


def earlier_outputs(folder: Path, known: Collection[str] | None = None) -> list[Path]:
    """Return the outputs of an earlier run that a folder holds: none if it is new or empty. A new run replaces them.

    They are named by the folder's `manifest.json`, or are all those of `known`. A name that begins with a dot counts
    for nothing: the system's own files have such names. Raises FolderNotEmpty if anything else is in the folder, and
    OSError.
    """
    found = sorted(path for path in folder.iterdir() if not path.name.startswith(".")) if folder.is_dir() else []
    names = _named(folder / _MANIFEST) if known is None else known
    if not {path.name for path in found}.issuperset(known or ()):
        names = ()
    foreign = [path.name for path in found if path.name not in names or not path.is_file()]
    if foreign:
        more = f" and {len(foreign) - 1:,} more" if len(foreign) > 1 else ""
        raise FolderNotEmpty(f"{folder} holds more than the outputs of an earlier run: {foreign[0]!r}{more}.")
    return found


@contextmanager
def beside(folder: Path, known: Collection[str] | None = None) -> Iterator[Path]:
    """Yield an empty folder to write outputs to before `replace` moves them into `folder`, which is made if need be.

    Raises FolderNotEmpty at once if they can't go there, and OSError.
    """
    earlier_outputs(folder, known)
    folder.mkdir(parents=True, exist_ok=True)
    # Inside, and so on the same file system, even if the folder is a mount or its parent can't be written.
    with tempfile.TemporaryDirectory(dir=folder, prefix=".assay.") as work:
        yield Path(work)


def replace(folder: Path, outputs: Sequence[Path], known: Collection[str] | None = None) -> list[Path]:
    """Move outputs from `beside` a folder into it, in place of those of an earlier run. Return their new paths.

    If one can't be moved, all is as before. Raises FolderNotEmpty if another file has come meanwhile, and OSError.
    """
    earlier = earlier_outputs(folder, known)
    moved = [folder / path.name for path in outputs]
    with tempfile.TemporaryDirectory(dir=folder, prefix=".assay.") as aside:
        # A manifest goes first and comes last: where the process is killed between, none stands beside other outputs.
        moves = [(path, Path(aside) / path.name) for path in sorted(earlier, key=lambda path: path.name != _MANIFEST)]
        moves += sorted(zip(outputs, moved, strict=True), key=lambda move: move[1].name == _MANIFEST)
        begun: list[tuple[Path, Path]] = []
        try:
            for source, target in moves:
                begun.append((source, target))
                source.rename(target)
        except BaseException:
            for source, target in reversed(begun):
                if not source.exists():
                    target.rename(source)
            raise
    return moved


def _named(manifest: Path) -> set[str]:
    """Return the names that belong to a manifest, with its own; none if it is no manifest."""
    try:
        outputs = _Manifest.model_validate_json(manifest.read_bytes()).outputs
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError, ValidationError):
        return set()
    return {_MANIFEST, *(output.name for output in outputs)}
