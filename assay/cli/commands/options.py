"""Options of several commands, and the connection to the chosen Assay."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from assay.cli.terminal import screen
from assay.cli.terminal.arguments import id_prefix, regular
from assay.cli.terminal.installed import require_stack
from assay.cli.terminal.reporting import reported
from assay.client import Client

Url = Annotated[
    str | None, typer.Option(help="The URL of another Assay; default: the local stack.", envvar="ASSAY_URL")
]
Token = Annotated[str | None, typer.Option(help="An access token for that Assay.", envvar="ASSAY_TOKEN")]
AsJson = Annotated[bool, typer.Option("--json", help="Print only JSON on stdout.")]

File = Annotated[
    Path, typer.Argument(exists=True, dir_okay=False, readable=True, callback=regular, help="The data file.")
]
DatasetType = Annotated[str | None, typer.Option(help="The file's dataset type; detected if omitted.")]
Param = Annotated[list[str] | None, typer.Option(metavar="KEY=VALUE", help="A parameter of the analysis; repeatable.")]
ReadingParam = Annotated[
    list[str] | None,
    typer.Option(
        "--param", metavar="KEY=VALUE", help='How the file is to be read, such as reading={"delimiter": ";"}.'
    ),
]
Column = Annotated[
    list[str] | None,
    typer.Option(
        metavar="ROLE=HEADER",
        help="The column of a role, such as amount=Gross; amount=#7 is the seventh column, fee= says that there is "
        "none. Repeatable.",
    ),
]
Links = Annotated[bool, typer.Option("--links", help="Also print the signed links to the outputs.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask for confirmation.")]
Out = Annotated[
    Path | None,
    typer.Option(
        file_okay=False, help="Folder for the outputs: new, empty, or of an earlier run; default: results/JOB."
    ),
]
JobId = Annotated[
    str, typer.Argument(metavar="JOB", callback=id_prefix, help="The job's id, or its first 4 or more digits.")
]


@dataclass(frozen=True)
class Where:
    """The Assay given by global options: `assay --url … --token … jobs`."""

    url: str | None
    token: str | None


@contextlib.contextmanager
def connected(context: typer.Context, url: str | None, token: str | None, *, as_json: bool) -> Iterator[Client]:
    """Connect to the chosen Assay or the local stack. On an error, print it and exit with code 1."""
    named: Where = context.obj
    url, token = url or named.url, token or named.token
    with reported(as_json=as_json):
        if url is None:
            if token is not None:
                raise typer.BadParameter("--token (or ASSAY_TOKEN) needs --url (or ASSAY_URL).")
            url, token = _local_stack()
        elif token is None:
            raise typer.BadParameter("--url needs --token (or ASSAY_TOKEN).")
        elif not url.startswith(("http://", "https://")):
            raise typer.BadParameter(f"--url {url} must start with https:// or http://.")
        with Client(url, token, screen.note) as client:
            yield client


def _local_stack() -> tuple[str, str]:
    """Return the URL of the local stack and a token. Start the stack if necessary. Raises Refused, StackError."""
    require_stack()
    from local.background import ensure_stack, sign_in
    from local.home import default_home
    from local.running import running_stack

    home = default_home()
    if running_stack(home) is None:
        screen.note("Starting the local stack in the background (`assay down` stops it).")
        given_database()
    with screen.steps() as tell:
        url = ensure_stack(home, tell)
    return url, sign_in(home, url)


def confirmed(question: str, word: str) -> None:
    """Ask for confirmation of a deletion. Exit with code 1 unless the answer is `word`."""
    if screen.ask(f'{question} Type "{word}" to continue:') != word:
        screen.note("Nothing was deleted.")
        raise typer.Exit(1)


def given_database() -> str | None:
    """Return DATABASE_URL if it is set, and print which database it is. Raises StackError if it is not valid."""
    url = os.environ.get("DATABASE_URL") or None
    if url is not None:
        from local.postgres.given import place

        screen.note(f"Using the database at {place(url)} (from DATABASE_URL).")
    return url
