"""`assay jobs`, `show`, `cancel`, `retry`, `reprocess` and `delete`: what a client of the HTTP API does."""

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
from assay.cli.commands.results import finished, report
from assay.cli.terminal import screen, views
from assay.cli.terminal.views import Saved
from assay.client.models import JobStatus


def jobs(
    context: typer.Context,
    *,
    status: Annotated[JobStatus | None, typer.Option(help="Only jobs with this status.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many.")] = 20,
    as_json: AsJson = False,
    url: Url = None,
    token: Token = None,
) -> None:
    """List the latest jobs, newest first."""
    with connected(context, url, token, as_json=as_json) as client:
        found = client.jobs(status, limit)
    if as_json:
        screen.print_json({"jobs": [job.model_dump(mode="json") for job in found]})
    else:
        views.jobs(found)


def show(context: typer.Context, job: JobId, as_json: AsJson = False, url: Url = None, token: Token = None) -> None:
    """Show a job, its attempts, and links to its outputs."""
    with connected(context, url, token, as_json=as_json) as client:
        job_id = client.job_id(job)
        found = client.job(job_id)
        outputs = [Saved(output, client.link(output)) for output in client.outputs(job_id)]
    if as_json:
        screen.print_json({"job": found.model_dump(mode="json"), "outputs": [one.as_json() for one in outputs]})
    else:
        views.job(found, outputs)


def cancel(context: typer.Context, job: JobId, as_json: AsJson = False, url: Url = None, token: Token = None) -> None:
    """Cancel a job; a running one stops soon."""
    with connected(context, url, token, as_json=as_json) as client:
        found = client.cancel(client.job_id(job))
    if as_json:
        screen.print_json({"job": found.model_dump(mode="json")})
    elif found.status == "cancelled":
        screen.result(f"Job {found.job_id} is cancelled.")
    else:
        screen.result(f"Job {found.job_id} is {found.status} and was asked to stop.")


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
    """Try a failed or cancelled job again, wait for it, and save the outputs."""
    with connected(context, url, token, as_json=as_json) as client:
        found, saved = finished(client, client.retry(client.job_id(job)), out)
    report(found, saved, found.filename, cached=False, json=as_json, links=links)


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
    """Process the file of a job anew, as a new job; wait for it, and save the outputs."""
    with connected(context, url, token, as_json=as_json) as client:
        found, saved = finished(client, client.reprocess(client.job_id(job)), out)
    report(found, saved, found.filename, cached=False, json=as_json, links=links)


def delete(
    context: typer.Context,
    job: JobId,
    yes: Yes = False,
    as_json: AsJson = False,
    url: Url = None,
    token: Token = None,
) -> None:
    """Delete a job with its outputs, whatever its status; its upload too, if no other job has that."""
    with connected(context, url, token, as_json=as_json) as client:
        job_id = client.job_id(job)
        if not yes:
            found = client.job(job_id)
            confirmed(f"Delete job {job_id} ({found.filename}, {found.status}) with its outputs?", "y")
        client.delete(job_id)
    if as_json:
        screen.print_json({"deleted": str(job_id)})
    else:
        screen.result(f"Job {job_id} is deleted.")
