"""Resolve input arguments: files, folders, patterns, and standard input."""

from __future__ import annotations

import glob
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import typer

from assay.cli.terminal.arguments import regular

STDIN = "-"
_PATTERN = set("*?[")


def is_one_file(argument: str) -> bool:
    """Whether an argument is a single file, not a folder or a pattern."""
    return argument == STDIN or Path(argument).is_file()


@contextmanager
def input_files(arguments: Sequence[str]) -> Iterator[list[Path]]:
    """Yield the files of the arguments in order, without duplicates. The copy of stdin is deleted on exit.

    An argument that exists is that file or folder, even if it contains pattern characters. A folder means the files
    directly in it, except hidden ones. Otherwise `*`, `?`, `[…]` and `**` form a pattern. Raises typer.BadParameter.
    """
    with tempfile.TemporaryDirectory(prefix="assay-") as folder:
        files: dict[Path, Path] = {}
        for argument in arguments:
            for path in [_stdin(Path(folder))] if argument == STDIN else _named(argument):
                files.setdefault(path.resolve(), path)
        yield list(files.values())


def _named(argument: str) -> list[Path]:
    path = Path(argument)
    if path.is_dir():
        files = sorted(file for file in path.iterdir() if file.is_file() and not file.name.startswith("."))
        if not files:
            raise typer.BadParameter(f"The folder {argument} has no files.")
        return files
    if path.exists():
        return [regular(path)]
    if not _PATTERN & set(argument):
        raise typer.BadParameter(f"There is no file {argument}.")
    names = glob.glob(argument, recursive=True)  # noqa: PTH207  # pathlib does not support absolute patterns
    matches = sorted(path for path in map(Path, names) if path.is_file())
    if not matches:
        raise typer.BadParameter(f"No file matches {argument}.")
    return matches


def _stdin(folder: Path) -> Path:
    """Save standard input to a file, because it cannot be read twice. Raises typer.BadParameter for a terminal."""
    if sys.stdin.isatty():
        raise typer.BadParameter("- reads standard input, which is the terminal: use `< FILE`.")
    path = folder / "stdin"
    if not path.exists():
        with path.open("wb") as file:
            shutil.copyfileobj(sys.stdin.buffer, file)
    return path
