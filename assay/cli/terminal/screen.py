"""Print results on stdout and everything else on stderr."""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from pydantic import JsonValue
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, DownloadColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from assay.cli.terminal.suggestions import in_commands
from assay.client.models import ProblemDetails

# In a file or a pipe, tables must not be folded to 80 columns.
_WIDTH_WITHOUT_TERMINAL = 140


def console_of(*, stderr: bool) -> Console:
    """Return the console of a stream, as wide as its terminal."""
    stream = sys.stderr if stderr else sys.stdout
    return Console(stderr=stderr, width=None if stream.isatty() else _WIDTH_WITHOUT_TERMINAL, highlight=False)


def size(size_bytes: int) -> str:
    """Return a readable size: 512 bytes, 8.8 KiB, 5.0 GiB."""
    if size_bytes < 1024:
        return f"{size_bytes} byte{'' if size_bytes == 1 else 's'}"
    amount, units = size_bytes / 1024, ["KiB", "MiB", "GiB", "TiB"]
    # A value that rounds to 1024.0 uses the next unit.
    while round(amount, 1) >= 1024 and len(units) > 1:
        amount /= 1024
        units.pop(0)
    return f"{amount:,.1f} {units[0]}"


def note(text: str) -> None:
    """Print a line on stderr."""
    console_of(stderr=True).print(escape(text), soft_wrap=True)


def ask(question: str) -> str:
    """Ask a question on stderr. Return the answer, empty if there is none."""
    try:
        return console_of(stderr=True).input(escape(question) + " ").strip()
    except EOFError:
        return ""


def result(text: str) -> None:
    """Print a line of the result on stdout, without folding."""
    console_of(stderr=False).print(escape(text), soft_wrap=True)


def grid(table: Table) -> None:
    """Print a table on stdout."""
    console_of(stderr=False).print(table)


def print_json(value: JsonValue) -> None:
    """Print JSON on stdout."""
    sys.stdout.write(json.dumps(value, indent=2, ensure_ascii=False) + "\n")


def problem(title: str, detail: str, code: str, suggestion: str) -> None:
    """Print a problem on stderr."""
    console = console_of(stderr=True)
    console.print(f"[bold red]{escape(title)}[/] [dim]({escape(code)})[/]", soft_wrap=True)
    console.print(escape(detail), soft_wrap=True)
    console.print(f"[bold]What to do:[/] {escape(in_commands(suggestion))}", soft_wrap=True)


def refused(details: ProblemDetails) -> None:
    """Print a problem from the service."""
    problem(details.title, details.detail, details.code, details.suggestion)


SILENCE_SECONDS = 2.0
"""The longest time without output."""


@contextmanager
def steps() -> Iterator[Callable[[str], None]]:
    """Yield a function that sets the current step. The step is printed after two seconds without output."""
    current = printed = ""
    ended = threading.Event()

    def speak() -> None:
        nonlocal printed
        spoke = time.monotonic()
        while not ended.wait(0.1):
            if current != printed and time.monotonic() - spoke >= SILENCE_SECONDS:
                printed = current
                note(f"{printed}…")
                spoke = time.monotonic()

    def tell(step: str) -> None:
        nonlocal current
        current = step

    speaker = threading.Thread(target=speak, name="steps", daemon=True)
    speaker.start()
    try:
        yield tell
    finally:
        ended.set()
        speaker.join()


# Called with the amount done (of the total) and the current step.
Update = Callable[[float, str], None]


@contextmanager
def progress(title: str, total: float, *, in_bytes: bool = False) -> Iterator[Update]:
    """Show progress: a bar in a terminal, otherwise a line for each new stage."""
    console = console_of(stderr=True)
    if not console.is_terminal:
        last = ""

        def line(_done: float, stage: str) -> None:
            nonlocal last
            if stage != last:
                last = stage
                note(f"{title}: {stage}")

        yield line
        return
    measure = DownloadColumn(binary_units=True) if in_bytes else TaskProgressColumn()
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        measure,
        TimeElapsedColumn(),
        TextColumn("{task.fields[stage]}"),
    )
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task(title, total=total, stage="")
        yield lambda done, stage: bar.update(task, completed=done, stage=escape(stage))
