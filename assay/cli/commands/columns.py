"""`assay columns` and `assay forget`: the columns that are remembered."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from assay.cli.commands.options import AsJson, Token, Url, connected
from assay.cli.terminal import screen
from assay.cli.terminal.arguments import id_prefix


def columns(context: typer.Context, as_json: AsJson = False, url: Url = None, token: Token = None) -> None:
    """List the columns that you confirmed: later files of the same type and header are read with them."""
    with connected(context, url, token, as_json=as_json) as client:
        found = client.remembered_columns()
    if as_json:
        screen.print_json(found.model_dump(mode="json"))
        return
    if not found.columns:
        screen.note("No columns are remembered.")
        return
    grid = Table("choice", "type", "columns", "last file", "chosen")
    for one in found.columns:
        named = ", ".join(f"{role}={header or ''}" for role, header in one.columns.items())
        chosen = one.chosen_at.astimezone().strftime("%Y-%m-%d %H:%M:%S")
        grid.add_row(str(one.choice_id), one.dataset_type, escape(named), escape(one.filename), chosen)
    screen.grid(grid)


def forget(
    context: typer.Context,
    choice: Annotated[
        str,
        typer.Argument(
            metavar="CHOICE",
            callback=id_prefix,
            help="The choice's id from `assay columns`, or its first 4 or more digits.",
        ),
    ],
    url: Url = None,
    token: Token = None,
) -> None:
    """Forget columns that you confirmed: later files are read by their names again."""
    with connected(context, url, token, as_json=False) as client:
        ids = [one.choice_id for one in client.remembered_columns().columns if one.choice_id.hex.startswith(choice)]
        if len(ids) != 1:
            raise typer.BadParameter(f"{len(ids)} remembered choices begin with {choice}; `assay columns` lists them.")
        client.forget_columns(ids[0])
    screen.note("Forgotten.")
