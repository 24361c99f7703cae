"""`assay types` and `assay choose`, for dataset types."""

from __future__ import annotations

from typing import Annotated

import typer

from assay.cli.commands.options import AsJson, Column, JobId, Links, Out, Param, Token, Url, connected
from assay.cli.commands.results import finished, report, require_free
from assay.cli.offline.dataset_types import all_dataset_types
from assay.cli.terminal import screen
from assay.cli.terminal.arguments import columns_of
from assay.cli.terminal.arguments import parameters as parameters_of
from assay.client.models import DatasetTypes


def types(context: typer.Context, as_json: AsJson = False, url: Url = None, token: Token = None) -> None:
    """List the dataset types of this installation, or of the Assay at --url."""
    dataset_types = _types(context, url, token, as_json=as_json)
    if as_json:
        screen.print_json(dataset_types.model_dump(mode="json"))
        return
    for number, dataset_type in enumerate(dataset_types.dataset_types):
        if number:
            screen.result("")
        screen.result(f"{dataset_type.dataset_type}  ({dataset_type.pipeline} {dataset_type.pipeline_version})")
        screen.result(f"  {dataset_type.description}")
        usual = {column.role: column.names[0] for column in dataset_type.columns}
        needs = [
            " or ".join(" with ".join(usual[role] for role in roles) for roles in group) for group in dataset_type.needs
        ]
        if needs:
            screen.result(f"  Needs: {'; '.join(needs)}")
        needed = {role for group in dataset_type.needs for roles in group for role in roles}
        names = [name for role, name in usual.items() if role not in needed]
        if names:
            screen.result(f"  Also knows: {', '.join(names)}")


def _types(context: typer.Context, url: str | None, token: str | None, *, as_json: bool) -> DatasetTypes:
    # Dataset types are part of the package, so no stack is needed.
    if (url or context.obj.url) is None:
        return all_dataset_types()
    with connected(context, url, token, as_json=as_json) as client:
        return client.dataset_types()


def choose(
    context: typer.Context,
    job: JobId,
    dataset_type: Annotated[
        str, typer.Argument(metavar="TYPE", help="The file's dataset type; `assay types` lists all.")
    ],
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
    """Choose the dataset type of a job. The job runs again with it; wait for it, and save the outputs.

    The job keeps its parameters. With --param it runs with only those, with --column with these columns.
    """
    parameters = parameters_of(param)
    if parameters and no_param:
        raise typer.BadParameter("Use --param or --no-param, not both.", param_hint="--no-param")
    with connected(context, url, token, as_json=as_json) as client:
        require_free(out)
        chosen = client.choose_type(
            client.job_id(job),
            dataset_type,
            parameters if param or no_param else None,
            columns_of(column) if column else None,
        )
        ended, saved = finished(client, chosen, out)
    report(ended, saved, ended.filename, cached=False, json=as_json, links=links)
