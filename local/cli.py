"""The command `assay`."""

from __future__ import annotations

import contextlib
import os
import shlex
import signal
import tempfile
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated, Literal
from uuid import UUID

import typer
from pydantic import JsonValue

from local import screen
from local.arguments import parameters as parameters_of
from local.arguments import regular
from local.background import TOKEN_LIFETIME, ensure_stack, sign_in
from local.client import Client, LocalFile
from local.home import default_home
from local.processes import StackError
from local.reporting import reported
from local.running import is_announced, running_stack, stop_running
from local.screen import Saved
from shared.models import Job, JobStatus, UploadAnswer

if TYPE_CHECKING:
    from local.stack import Stack

app = typer.Typer(
    help="Turns data files into audited results, on this machine or by any Assay (--url, --token).",
    no_args_is_help=True,
    pretty_exceptions_show_locals=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


Url = Annotated[str | None, typer.Option(help="Another Assay than the one on this machine.", envvar="ASSAY_URL")]
Token = Annotated[str | None, typer.Option(help="The token that signs you in there.", envvar="ASSAY_TOKEN")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, and nothing else, on stdout.")]

File = Annotated[
    Path, typer.Argument(exists=True, dir_okay=False, readable=True, callback=regular, help="The data file.")
]
DatasetType = Annotated[str | None, typer.Option(help="What the file is; found out by itself if not given.")]
Param = Annotated[
    list[str] | None, typer.Option(metavar="KEY=VALUE", help="A parameter of the analysis; may be repeated.")
]
JobId = Annotated[UUID, typer.Argument(metavar="JOB", help="The job's id.")]


@dataclass(frozen=True)
class _Where:
    url: str | None
    token: str | None


@app.callback()
def _global(context: typer.Context, url: Url = None, token: Token = None) -> None:
    context.obj = _Where(url, token)


@contextlib.contextmanager
def _client(context: typer.Context, url: str | None, token: str | None, *, as_json: bool) -> Iterator[Client]:
    """Connect to the Assay that was asked for, or to this machine's; end with exit code 1 and the reason if refused."""
    url, token = url or context.obj.url, token or context.obj.token
    with reported(as_json=as_json):
        home = default_home()
        if url is None:
            if running_stack(home) is None:
                screen.note("Starting the embedded stack in the background (`assay down` stops it).")
                _say_which_database()
            url = ensure_stack(home)
            token = sign_in(home, url)
        elif token is None:
            raise typer.BadParameter("--url needs --token (or ASSAY_TOKEN) to sign you in there.")
        elif not url.startswith(("http://", "https://")):
            raise typer.BadParameter(f"--url {url} must start with https:// or http://.")
        with Client(url, token, screen.note) as client:
            yield client


def _say_which_database() -> str | None:
    """Return DATABASE_URL, if there is one, once it is said where that is. Raises StackError if it cannot be read."""
    url = os.environ.get("DATABASE_URL") or None
    if url is not None:
        from local.given_database import place  # noqa: PLC0415  # only who uses DATABASE_URL needs psycopg here

        screen.note(f"Using the database at {place(url)} (from DATABASE_URL).")
    return url


@app.command()
def up(
    port: Annotated[int | None, typer.Option(envvar="ASSAY_PORT", min=1, max=65535, help="Port of the API.")] = None,
    idle_stop: Annotated[float | None, typer.Option(hidden=True)] = None,
) -> None:
    """Run the embedded stack until Ctrl-C."""
    ended = threading.Event()

    def end(_signal: int, _frame: FrameType | None) -> None:
        ended.set()

    from local.stack import Stack  # noqa: PLC0415  # the other commands start faster without the stack's libraries

    with reported(as_json=False):
        stack = Stack(default_home(), port=port, database_url=_say_which_database())
    # Until the stack stands, a signal breaks off its start; from then on it ends the waiting below.
    signal.signal(signal.SIGTERM, _interrupt)
    signal.signal(signal.SIGHUP, _interrupt)
    try:
        with reported(as_json=False):
            stack.start()
    except KeyboardInterrupt as error:
        raise typer.Exit(130) from error
    try:
        for one in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(one, end)
        if idle_stop is None:
            _welcome(stack)
        with reported(as_json=False):
            while not ended.wait(1):
                if not is_announced(stack.home) or (idle_stop is not None and stack.is_idle(idle_stop)):
                    break
                if (dead := stack.dead_part()) is not None:
                    raise StackError(f"{dead} The stack stops; the next `assay up` or `assay run` starts a new one.")
    finally:
        stack.stop()


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _welcome(stack: Stack) -> None:
    token = stack.token_for(stack.owner, TOKEN_LIFETIME)
    screen.result(f"Assay is up at {stack.url}; Ctrl-C stops it. Its data and logs are in {stack.home}.")
    screen.result(
        f"\nFor curl or for another terminal; the token is good for 24 hours:\n\n"
        f"export ASSAY_URL={stack.url}\nexport ASSAY_TOKEN={token}\n\nFor example:\n"
    )
    screen.result(
        'curl "$ASSAY_URL/uploads?filename=station_measurements.csv" -H "Authorization: Bearer $ASSAY_TOKEN" \\\n'
        "  --data-binary @examples/station_measurements.csv\n"
        'curl "$ASSAY_URL/jobs" -H "Authorization: Bearer $ASSAY_TOKEN"'
    )


@app.command()
def down() -> None:
    """Stop the embedded stack, wherever it was started."""
    with reported(as_json=False):
        stopped = stop_running(default_home())
    screen.note("Stopped." if stopped else "No stack is up.")


@app.command()
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
    out: Annotated[
        Path | None, typer.Option(file_okay=False, help="Folder for the outputs; results/JOB if not given.")
    ] = None,
    as_json: AsJson = False,
    url: Url = None,
    token: Token = None,
) -> None:
    """Send a file, wait for its job, and save the outputs."""
    parameters = parameters_of(param)
    with _client(context, url, token, as_json=as_json) as client:
        answer = _send(client, file, dataset_type, parameters, on_duplicate)
        job: Job = answer.job
        if job.status != "done":
            job = _wait(client, job)
        saved = _save(client, job, out or Path("results") / str(job.job_id)) if job.status == "done" else []
    if as_json:
        screen.print_json(
            {
                "cached": answer.cached,
                "job": job.model_dump(mode="json"),
                "outputs": [one.as_json() for one in saved],
            }
        )
    if job.status != "done":
        screen.unfinished(job, shlex.quote(str(file)))
        raise typer.Exit(1)
    if not as_json:
        screen.results(job, saved, cached=answer.cached)


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
            "The same `assay run` again waits for it and saves its outputs."
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


@app.command()
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
    with _client(context, url, token, as_json=as_json) as client:
        found = client.jobs(status, limit)
    if as_json:
        screen.print_json({"jobs": [job.model_dump(mode="json") for job in found]})
    else:
        screen.jobs(found)


@app.command()
def show(context: typer.Context, job: JobId, as_json: AsJson = False, url: Url = None, token: Token = None) -> None:
    """Show a job, its attempts, and links to its outputs."""
    with _client(context, url, token, as_json=as_json) as client:
        found = client.job(job)
        outputs = [Saved(output, client.link(output)) for output in client.outputs(job)]
    if as_json:
        screen.print_json({"job": found.model_dump(mode="json"), "outputs": [one.as_json() for one in outputs]})
    else:
        screen.job(found, outputs)


@app.command()
def cancel(context: typer.Context, job: JobId, as_json: AsJson = False, url: Url = None, token: Token = None) -> None:
    """Cancel a job; a running one stops soon."""
    with _client(context, url, token, as_json=as_json) as client:
        found = client.cancel(job)
    if as_json:
        screen.print_json({"job": found.model_dump(mode="json")})
    elif found.status == "cancelled":
        screen.result(f"Job {job} is cancelled.")
    else:
        screen.result(f"Job {job} is {found.status} and was asked to stop.")


@app.command()
def analyse(
    file: File,
    out: Annotated[Path, typer.Option(file_okay=False, help="Folder for the outputs.")],
    dataset_type: DatasetType = None,
    param: Param = None,
    as_json: AsJson = False,
) -> None:
    """Analyse a file here and now: no stack, no database, the same outputs byte for byte."""
    from local import analyse as analysing  # noqa: PLC0415  # only this command needs the data engine

    analysing.run(file, out, dataset_type, parameters_of(param), as_json=as_json)


if __name__ == "__main__":
    app()
