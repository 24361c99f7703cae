"""What several commands take, and how they get at the Assay that is meant."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from assay.cli.terminal import screen
from assay.cli.terminal.arguments import job_prefix, regular
from assay.cli.terminal.installed import require_stack
from assay.cli.terminal.reporting import reported
from assay.client import Client

Url = Annotated[str | None, typer.Option(help="Another Assay than the one on this machine.", envvar="ASSAY_URL")]
Token = Annotated[str | None, typer.Option(help="The token that signs you in there.", envvar="ASSAY_TOKEN")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, and nothing else, on stdout.")]

File = Annotated[
    Path, typer.Argument(exists=True, dir_okay=False, readable=True, callback=regular, help="The data file.")
]
DatasetType = Annotated[str | None, typer.Option(help="What the file is; found out by itself if not given.")]
Param = Annotated[
    list[str] | None, typer.Option(metavar="KEY=VALUE", help="A parameter of the analysis; may be repeated.")
]
Column = Annotated[
    list[str] | None,
    typer.Option(
        metavar="ROLE=HEADER",
        help="Which column is what, such as amount=Gross; amount=#7 is the seventh, fee= says there is none. "
        "May be repeated.",
    ),
]
Links = Annotated[bool, typer.Option("--links", help="Print the signed links to the outputs, too.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
Out = Annotated[Path | None, typer.Option(file_okay=False, help="Folder for the outputs; results/JOB if not given.")]
JobId = Annotated[
    str, typer.Argument(metavar="JOB", callback=job_prefix, help="The job's id, or how it begins: 4 digits or more.")
]


@dataclass(frozen=True)
class Where:
    """The Assay that was named before the command: `assay --url … --token … jobs`."""

    url: str | None
    token: str | None


@contextlib.contextmanager
def connected(context: typer.Context, url: str | None, token: str | None, *, as_json: bool) -> Iterator[Client]:
    """Connect to the Assay that was asked for, or to this machine's; end with exit code 1 and the reason if refused."""
    named: Where = context.obj
    url, token = url or named.url, token or named.token
    with reported(as_json=as_json):
        if url is None:
            if token is not None:
                raise typer.BadParameter("--token (or ASSAY_TOKEN) needs --url, or ASSAY_URL, to say where it is good.")
            url, token = _local_stack()
        elif token is None:
            raise typer.BadParameter("--url needs --token (or ASSAY_TOKEN) to sign you in there.")
        elif not url.startswith(("http://", "https://")):
            raise typer.BadParameter(f"--url {url} must start with https:// or http://.")
        with Client(url, token, screen.note) as client:
            yield client


def _local_stack() -> tuple[str, str]:
    """Return the address of this machine's stack, started if none is up, and a token. Raises Refused, StackError."""
    require_stack()
    from local.background import ensure_stack, sign_in
    from local.home import default_home
    from local.running import running_stack

    home = default_home()
    if running_stack(home) is None:
        screen.note("Starting the embedded stack in the background (`assay down` stops it).")
        given_database()
    with screen.steps() as tell:
        url = ensure_stack(home, tell)
    return url, sign_in(home, url)


def confirmed(question: str, word: str) -> None:
    """Ask whether something is to be deleted; end with exit code 1 unless the answer is this word."""
    if screen.ask(f'{question} Type "{word}" to go on:') != word:
        screen.note("Nothing was deleted.")
        raise typer.Exit(1)


def given_database() -> str | None:
    """Return DATABASE_URL, if there is one, once it is said where that is. Raises StackError if it cannot be read."""
    url = os.environ.get("DATABASE_URL") or None
    if url is not None:
        from local.postgres.given import place

        screen.note(f"Using the database at {place(url)} (from DATABASE_URL).")
    return url
