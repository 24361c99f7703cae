"""`assay jobs`, `show`, `cancel`, `retry`, `reprocess` and `delete`."""

from __future__ import annotations

from typing import Annotated

import typer

from assay.cli.commands.options import (
    AsJson,
    JobId,
    Links,
    Out,
    Token,
    Url,
    Yes,
    confirmed,
    connected,
)
from assay.cli.commands.results import finished, report, require_free
from assay.cli.terminal import screen, views
from assay.cli.terminal.views import Saved
from assay.client.models import JobStatus


def jobs(
    context: typer.Context,
    *,
    status: Annotated[JobStatus | None, typer.Option(help="Only jobs with this status.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="Maximum number of jobs.")] = 20,
    as_json: AsJson = False,
    url: Url = None,
    token: Token = None,
) -> None:
    """List the latest jobs, newest first."""
    with connected(context, url, token, as_json=as_json) as client:
        jobs = client.jobs(status, limit)
    if as_json:
        screen.print_json({"jobs": [job.model_dump(mode="json") for job in jobs]})
    else:
        views.jobs(jobs)


def show(context: typer.Context, job: JobId, as_json: AsJson = False, url: Url = None, token: Token = None) -> None:
    """Show a job, its attempts, and links to its outputs."""
    with connected(context, url, token, as_json=as_json) as client:
        job_id = client.job_id(job)
        shown = client.job(job_id)
        outputs = [Saved(file, client.link(file)) for file in client.outputs(job_id)]
    if as_json:
        screen.print_json({"job": shown.model_dump(mode="json"), "outputs": [file.as_json() for file in outputs]})
    else:
        views.job(shown, outputs)


def cancel(context: typer.Context, job: JobId, as_json: AsJson = False, url: Url = None, token: Token = None) -> None:
    """Cancel a job. A running job stops within seconds."""
    with connected(context, url, token, as_json=as_json) as client:
        cancelled = client.cancel(client.job_id(job))
    if as_json:
        screen.print_json({"job": cancelled.model_dump(mode="json")})
    elif cancelled.status == "cancelled":
        screen.result(f"Job {cancelled.job_id} is cancelled.")
    else:
        screen.result(f"Job {cancelled.job_id} is {cancelled.status} and will stop.")


def retry(
    context: typer.Context,
    job: JobId,
    *,
    out: Out = None,
    links: Links = False,
    as_json: AsJson = False,
    url: Url = None,
    token: Token = None,
) -> None:
    """Retry a failed or cancelled job, wait for it, and save the outputs."""
    with connected(context, url, token, as_json=as_json) as client:
        require_free(out)
        ended, saved = finished(client, client.retry(client.job_id(job)), out)
    report(ended, saved, ended.filename, cached=False, json=as_json, links=links)


def reprocess(
    context: typer.Context,
    job: JobId,
    *,
    out: Out = None,
    links: Links = False,
    as_json: AsJson = False,
    url: Url = None,
    token: Token = None,
) -> None:
    """Process the file of a job again as a new job, wait for it, and save the outputs."""
    with connected(context, url, token, as_json=as_json) as client:
        require_free(out)
        ended, saved = finished(client, client.reprocess(client.job_id(job)), out)
    report(ended, saved, ended.filename, cached=False, json=as_json, links=links)


def delete(
    context: typer.Context,
    job: JobId,
    yes: Yes = False,
    as_json: AsJson = False,
    url: Url = None,
    token: Token = None,
) -> None:
    """Delete a job, whatever its status, with its outputs, and with its upload unless another job uses it."""
    with connected(context, url, token, as_json=as_json) as client:
        job_id = client.job_id(job)
        if not yes:
            shown = client.job(job_id)
            confirmed(f"Delete job {job_id} ({shown.filename}, {shown.status}) with its outputs?", "y")
        client.delete(job_id)
    if as_json:
        screen.print_json({"deleted": str(job_id)})
    else:
        screen.result(f"Job {job_id} is deleted.")
