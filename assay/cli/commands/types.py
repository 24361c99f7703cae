"""`assay types` and `assay choose`: what a file may be, and saying what one is."""

from __future__ import annotations

from typing import Annotated

import typer

from assay.cli.commands.options import AsJson, Column, JobId, Links, Out, Param, Token, Url, connected
from assay.cli.commands.results import finished, report
from assay.cli.offline.dataset_types import all_dataset_types
from assay.cli.terminal import screen
from assay.cli.terminal.arguments import columns_of
from assay.cli.terminal.arguments import parameters as parameters_of
from assay.client.models import DatasetTypes


def types(context: typer.Context, as_json: AsJson = False, url: Url = None, token: Token = None) -> None:
    """List what a file may be: this machine's dataset types, or those of the Assay at --url."""
    found = _types(context, url, token, as_json=as_json)
    if as_json:
        screen.print_json(found.model_dump(mode="json"))
        return
    for number, one in enumerate(found.dataset_types):
        if number:
            screen.result("")
        screen.result(f"{one.dataset_type}  ({one.pipeline} {one.pipeline_version})")
        screen.result(f"  {one.description}")
        usual = {column.role: column.names[0] for column in one.columns}
        needs = [" or ".join(" with ".join(usual[role] for role in roles) for roles in group) for group in one.needs]
        if needs:
            screen.result(f"  Needs: {'; '.join(needs)}")
        needed = {role for group in one.needs for roles in group for role in roles}
        more = [name for role, name in usual.items() if role not in needed]
        if more:
            screen.result(f"  Also knows: {', '.join(more)}")


def _types(context: typer.Context, url: str | None, token: str | None, *, as_json: bool) -> DatasetTypes:
    # They are files of the program: to know its own, it needs no stack.
    if (url or context.obj.url) is None:
        return all_dataset_types()
    with connected(context, url, token, as_json=as_json) as client:
        return client.dataset_types()


def choose(
    context: typer.Context,
    job: JobId,
    dataset_type: Annotated[str, typer.Argument(metavar="TYPE", help="What the file is; `assay types` lists them.")],
    *,
    param: Param = None,
    column: Column = None,
    no_param: Annotated[bool, typer.Option("--no-param", help="Run without the parameters that the job has.")] = False,
    out: Out = None,
    links: Links = False,
    as_json: AsJson = False,
    url: Url = None,
    token: Token = None,
) -> None:
    """Say what the file of a job is: the job runs again as that; wait for it, and save the outputs.

    It keeps its parameters. With --param it runs with those alone, with --column with these columns.
    """
    parameters = parameters_of(param)
    if parameters and no_param:
        raise typer.BadParameter("Give --param or --no-param, not both.", param_hint="--no-param")
    with connected(context, url, token, as_json=as_json) as client:
        chosen = client.choose_type(
            client.job_id(job),
            dataset_type,
            parameters if param or no_param else None,
            columns_of(column) if column else None,
        )
        found, saved = finished(client, chosen, out)
    report(found, saved, found.filename, cached=False, json=as_json, links=links)
