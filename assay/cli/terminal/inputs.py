"""Which files a command is to take: names, folders, patterns, and standard input."""

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
    """Tell whether an argument names one file, and is no folder and no pattern."""
    return argument == STDIN or Path(argument).is_file()


@contextmanager
def input_files(given: Sequence[str]) -> Iterator[list[Path]]:
    """Give the files that the arguments name, each once, in their order; what came on stdin goes with the context.

    A name that is there is that file or folder, whatever characters it has; a folder stands for the files directly in
    it, without hidden ones; else `*`, `?`, `[…]` and `**` are a pattern. Raises typer.BadParameter.
    """
    with tempfile.TemporaryDirectory(prefix="assay-") as folder:
        files: dict[Path, Path] = {}
        for argument in given:
            for path in [_stdin(Path(folder))] if argument == STDIN else _named(argument):
                files.setdefault(path.resolve(), path)
        yield list(files.values())


def _named(argument: str) -> list[Path]:
    path = Path(argument)
    if path.is_dir():
        files = sorted(file for file in path.iterdir() if file.is_file() and not file.name.startswith("."))
        if not files:
            raise typer.BadParameter(f"There is no file in the folder {argument}.")
        return files
    if path.exists():
        return [regular(path)]
    if not _PATTERN & set(argument):
        raise typer.BadParameter(f"There is no file {argument}.")
    names = glob.glob(argument, recursive=True)  # noqa: PTH207  # pathlib takes no pattern that begins at the root
    matches = sorted(path for path in map(Path, names) if path.is_file())
    if not matches:
        raise typer.BadParameter(f"No file matches {argument}.")
    return matches


def _stdin(folder: Path) -> Path:
    """Save standard input, which cannot be read twice. Raises typer.BadParameter for a terminal."""
    if sys.stdin.isatty():
        raise typer.BadParameter("- reads a file from standard input, and that is the terminal: use `< FILE`.")
    path = folder / "stdin"
    if not path.exists():
        with path.open("wb") as file:
            shutil.copyfileobj(sys.stdin.buffer, file)
    return path
