"""Wait for a job, save its outputs, and show the result."""

from __future__ import annotations

import dataclasses
import shlex
from pathlib import Path

import typer
from pydantic import JsonValue

from assay.cli.terminal import screen, views
from assay.cli.terminal.views import Saved
from assay.client import Client
from assay.client.models import Job
from assay.write import result_folder


def finished(client: Client, job: Job, out: Path | None) -> tuple[Job, list[Saved]]:
    """Wait for a job and save its outputs if it is done.

    Raises FolderNotEmpty, before it waits, if they can't be saved there; `require_free` says so before a job is sent.
    """
    folder = out or Path("results") / str(job.job_id)
    require_free(folder)
    if job.status != "done":
        job = _wait(client, job)
    return job, _save(client, job, folder) if job.status == "done" else []


def require_free(out: Path | None) -> None:
    """Raise FolderNotEmpty if outputs can't be saved in a folder."""
    if out is not None:
        result_folder.earlier_outputs(out)


def as_json(job: Job, saved: list[Saved], *, cached: bool) -> dict[str, JsonValue]:
    """Return the `--json` output for an ended job."""
    return {
        "cached": cached,
        "job": job.model_dump(mode="json"),
        "outputs": [output.as_json() for output in saved],
    }


def report(job: Job, saved: list[Saved], file: str, *, cached: bool, json: bool, links: bool) -> None:
    """Print how a job ended and what was saved. Raises typer.Exit(1) if it has no results."""
    if json:
        screen.print_json(as_json(job, saved, cached=cached))
    if job.status != "done":
        views.unfinished(job, shlex.quote(file))
        raise typer.Exit(1)
    if not json:
        views.results(job, saved, cached=cached, links=links)


def _wait(client: Client, job: Job) -> Job:
    try:
        with screen.progress(job.filename, 1) as update:
            return client.wait(
                job.job_id, lambda seen: update(seen.progress, seen.stage or seen.status.replace("_", " "))
            )
    except KeyboardInterrupt as error:
        screen.note(
            f"The job continues. To look at it: assay show {job.job_id}. To stop it: assay cancel {job.job_id}. "
            "`assay run` with the same file waits for it and saves its outputs."
        )
        raise typer.Exit(130) from error


def _save(client: Client, job: Job, folder: Path) -> list[Saved]:
    """Save all outputs, or none on an error."""
    with result_folder.beside(folder) as beside:
        fetched = []
        for output in client.outputs(job.job_id):
            link = client.link(output)
            fetched.append(Saved(output, link, client.save(output, link, beside)))
        paths = result_folder.replace(folder, [beside / saved.output.name for saved in fetched])
    return [dataclasses.replace(saved, path=path) for saved, path in zip(fetched, paths, strict=True)]
