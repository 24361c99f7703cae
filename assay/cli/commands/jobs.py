"""`assay run`, `jobs`, `show`, `cancel`, `retry`, `reprocess` and `delete`: what a client of the HTTP API does."""

from __future__ import annotations

import shlex
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Literal

import typer
from pydantic import JsonValue

from assay.cli import screen
from assay.cli.arguments import parameters as parameters_of
from assay.cli.commands.options import (
    AsJson,
    DatasetType,
    File,
    JobId,
    Links,
    Out,
    Param,
    Token,
    Url,
    Yes,
    confirmed,
    connected,
)
from assay.cli.screen import Saved
from assay.client import Client, LocalFile
from assay.client.models import Job, JobStatus, UploadAnswer


def run(
    context: typer.Context,
    file: File,
    *,
    dataset_type: DatasetType = None,
    param: Param = None,
    on_duplicate: Annotated[
        Literal["reuse", "reprocess"],
        typer.Option(help="Whether an earlier job for the same file answers, or the file is processed again."),
    ] = "reuse",
    out: Out = None,
    links: Links = False,
    as_json: AsJson = False,
    url: Url = None,
    token: Token = None,
) -> None:
    """Send a file, wait for its job, and save the outputs."""
    parameters = parameters_of(param)
    with connected(context, url, token, as_json=as_json) as client:
        answer = _send(client, file, dataset_type, parameters, on_duplicate)
        job, saved = finished(client, answer.job, out)
    report(job, saved, str(file), cached=answer.cached, as_json=as_json, links=links)


def finished(client: Client, job: Job, out: Path | None) -> tuple[Job, list[Saved]]:
    """Wait for a job, and save its outputs if it is done."""
    if job.status != "done":
        job = _wait(client, job)
    return job, _save(client, job, out or Path("results") / str(job.job_id)) if job.status == "done" else []


def report(job: Job, saved: list[Saved], file: str, *, cached: bool, as_json: bool, links: bool) -> None:
    """Print how a job ended, and what was saved. Raises typer.Exit(1) for one that has no results."""
    if as_json:
        screen.print_json(
            {
                "cached": cached,
                "job": job.model_dump(mode="json"),
                "outputs": [one.as_json() for one in saved],
            }
        )
    if job.status != "done":
        screen.unfinished(job, shlex.quote(file))
        raise typer.Exit(1)
    if not as_json:
        screen.results(job, saved, cached=cached, links=links)


def _send(
    client: Client,
    file: Path,
    dataset_type: str | None,
    parameters: dict[str, JsonValue],
    on_duplicate: Literal["reuse", "reprocess"],
) -> UploadAnswer:
    size = file.stat().st_size
    with screen.progress(file.name, size, in_bytes=True) as update:
        local = LocalFile.read(file, _sum(update, "hashing"))
        answer = client.register(local, dataset_type, parameters, on_duplicate)
        if answer.put is not None:
            client.send(local, answer.put, _sum(update, "sending"))
    return answer


def _sum(update: screen.Update, stage: str) -> Callable[[int], None]:
    done = 0

    def advance(more: int) -> None:
        nonlocal done
        done += more
        update(done, stage)

    return advance


def _wait(client: Client, job: Job) -> Job:
    try:
        with screen.progress(job.filename, 1) as update:
            return client.wait(
                job.job_id, lambda seen: update(seen.progress, seen.stage or seen.status.replace("_", " "))
            )
    except KeyboardInterrupt as error:
        screen.note(
            f"The job goes on. Look later: assay show {job.job_id}; stop it: assay cancel {job.job_id}. "
            "`assay run` of the same file waits for it and saves its outputs."
        )
        raise typer.Exit(130) from error


def _save(client: Client, job: Job, folder: Path) -> list[Saved]:
    """Save all outputs or none."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder, prefix=".run.") as beside:
        fetched = []
        for output in client.outputs(job.job_id):
            link = client.link(output)
            fetched.append((output, link, client.save(output, link, Path(beside))))
        return [Saved(output, link, path.replace(folder / output.name)) for output, link, path in fetched]


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
        screen.jobs(found)


def show(context: typer.Context, job: JobId, as_json: AsJson = False, url: Url = None, token: Token = None) -> None:
    """Show a job, its attempts, and links to its outputs."""
    with connected(context, url, token, as_json=as_json) as client:
        job_id = client.job_id(job)
        found = client.job(job_id)
        outputs = [Saved(output, client.link(output)) for output in client.outputs(job_id)]
    if as_json:
        screen.print_json({"job": found.model_dump(mode="json"), "outputs": [one.as_json() for one in outputs]})
    else:
        screen.job(found, outputs)


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
    report(found, saved, found.filename, cached=False, as_json=as_json, links=links)


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
    report(found, saved, found.filename, cached=False, as_json=as_json, links=links)


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
