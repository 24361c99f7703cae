"""The command `assay`: its global options and its subcommands."""

from __future__ import annotations

from importlib.metadata import version
from typing import Annotated

import typer

from assay.cli.commands.account import account, delete_account, export
from assay.cli.commands.analyse import analyse
from assay.cli.commands.backups import backup, restore
from assay.cli.commands.check import check, infer
from assay.cli.commands.columns import columns, forget
from assay.cli.commands.jobs import cancel, delete, jobs, reprocess, retry, show
from assay.cli.commands.map import map_columns
from assay.cli.commands.options import Token, Url, Where
from assay.cli.commands.read import read
from assay.cli.commands.run import run
from assay.cli.commands.stack import down, up
from assay.cli.commands.types import choose, types
from assay.cli.terminal import screen

app = typer.Typer(
    help="Turns data files into audited results, on this machine or with another Assay (--url, --token).",
    no_args_is_help=True,
    pretty_exceptions_show_locals=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(wanted: bool) -> None:
    if wanted:
        screen.result(f"assay {version('assay')}")
        raise typer.Exit


@app.callback()
def _global(
    context: typer.Context,
    url: Url = None,
    token: Token = None,
    _version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    context.obj = Where(url, token)


for _command in (
    *(up, down, run, jobs, show, choose, cancel, retry, reprocess, delete, types),
    *(columns, forget, account, export, delete_account, analyse, read, map_columns, infer, check, backup, restore),
):
    app.command("map" if _command is map_columns else None)(_command)
