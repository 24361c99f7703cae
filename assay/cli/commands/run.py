"""`assay run`: files to results."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal

import typer
from pydantic import JsonValue

from assay.cli.commands import results
from assay.cli.commands.options import AsJson, Column, DatasetType, Links, Param, Token, Url, connected
from assay.cli.terminal import screen, views
from assay.cli.terminal.arguments import parameters as parameters_of
from assay.cli.terminal.inputs import input_files, is_one_file
from assay.cli.terminal.reporting import details_of
from assay.cli.terminal.views import Saved
from assay.client import Client, LocalFile, Refused
from assay.client.models import Job, ProblemDetails, UploadAnswer
from assay.errors import FolderNotEmpty

OnDuplicate = Literal["reuse", "reprocess"]

# Problems that would also affect every other file.
_HOPELESS = {"unreachable", "unavailable"}


@dataclass
class _Run:
    """One file of the run: the response, the ended job, or the problem."""

    file: Path
    answer: UploadAnswer | None = None
    job: Job | None = None
    saved: list[Saved] = field(default_factory=list)
    problem: ProblemDetails | None = None

    def as_json(self) -> dict[str, JsonValue]:
        result: dict[str, JsonValue] = {"file": str(self.file)}
        if self.job is not None and self.answer is not None:
            result |= results.as_json(self.job, self.saved, cached=self.answer.cached)
        if self.problem is not None:
            result["problem"] = self.problem.model_dump(mode="json")
        return result


def run(
    context: typer.Context,
    files: Annotated[
        list[str], typer.Argument(metavar="FILE...", help="Data files, folders of them, patterns, or - for stdin.")
    ],
    *,
    dataset_type: DatasetType = None,
    param: Param = None,
    column: Column = None,
    on_duplicate: Annotated[
        OnDuplicate,
        typer.Option(help="reuse: return an earlier result for the same file; reprocess: process the file again."),
    ] = "reuse",
    out: Annotated[
        Path | None,
        typer.Option(
            file_okay=False,
            help="Folder for the outputs: new, empty, or of an earlier run; default: results/JOB. With several files "
            "it gets one subfolder per job.",
        ),
    ] = None,
    links: Links = False,
    as_json: AsJson = False,
    url: Url = None,
    token: Token = None,
) -> None:
    """Send files, wait for their jobs, and save the outputs."""
    parameters = parameters_of(param, column)
    with input_files(files) as paths, connected(context, url, token, as_json=as_json) as client:
        # A folder or a pattern always gives a list, even of one file, so that scripts can rely on the format.
        if len(files) == 1 and is_one_file(files[0]):
            results.require_free(out)
            answer = _send(client, paths[0], dataset_type, parameters, on_duplicate)
            job, saved = results.finished(client, answer.job, out)
            results.report(job, saved, str(paths[0]), cached=answer.cached, json=as_json, links=links)
            return
        runs = [_Run(path) for path in paths]
        for each in runs:
            with _noted(each):
                each.answer = _send(client, each.file, dataset_type, parameters, on_duplicate)
        for each in runs:
            if each.answer is not None:
                with _noted(each):
                    job = each.answer.job
                    each.job, each.saved = results.finished(client, job, out and out / str(job.job_id))
    _report(runs, as_json=as_json, links=links)


@contextmanager
def _noted(run: _Run) -> Iterator[None]:
    """Record why a file has no saved results, so that the others continue. Raises Refused if it affects all of them."""
    try:
        yield
    except (Refused, FolderNotEmpty) as error:
        problem = details_of(error)
        if problem.status == 401 or problem.code in _HOPELESS:
            raise
        run.problem = problem
        screen.note(f"{run.file}:")
        screen.refused(problem)


def _report(runs: list[_Run], *, as_json: bool, links: bool) -> None:
    if as_json:
        screen.print_json([run.as_json() for run in runs])
    for run in runs:
        if run.job is None:
            continue
        if run.job.status != "done":
            screen.note(f"{run.file}:")
            views.unfinished(run.job, shlex.quote(str(run.file)))
        elif links and not as_json:
            views.signed_links(run.saved)
    if not as_json:
        views.summary([(str(run.file), run.job, run.saved) for run in runs])
    failed = [run for run in runs if run.job is None or run.job.status != "done"]
    if failed:
        screen.note(f"{len(failed)} of {len(runs)} files have no results.")
        raise typer.Exit(1)


def _send(
    client: Client,
    file: Path,
    dataset_type: str | None,
    parameters: dict[str, JsonValue],
    on_duplicate: OnDuplicate,
) -> UploadAnswer:
    size = file.stat().st_size
    with screen.progress(file.name, size, in_bytes=True) as update:
        local = LocalFile.read(file, _sum(update, "hashing"))
        answer = client.register(local, dataset_type, parameters, on_duplicate)
        if answer.put is not None:
            client.send(local, answer.put, _sum(update, "sending"))
    return answer


def _sum(update: screen.Update, stage: str) -> Callable[[int], None]:
    total = 0

    def advance(more: int) -> None:
        nonlocal total
        total += more
        update(total, stage)

    return advance
