"""How jobs, their outputs and the account are shown."""

from __future__ import annotations

import json
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from os.path import relpath
from pathlib import Path

from pydantic import JsonValue
from rich.markup import escape
from rich.table import Table

from assay.cli.terminal.counts import counted
from assay.cli.terminal.screen import console_of, note, problem, result, size
from assay.cli.terminal.suggestions import in_commands, suggests_retry
from assay.client.models import Account, Cost, DownloadLink, Job, JobWithAttempts, Output


@dataclass(frozen=True)
class Saved:
    """One output, its signed link, and where it was saved (None if it was not)."""

    output: Output
    link: DownloadLink
    path: Path | None = None

    def as_json(self) -> dict[str, JsonValue]:
        """Return it as `--json` gives it."""
        found: dict[str, JsonValue] = {
            **self.output.model_dump(mode="json"),
            **self.link.model_dump(mode="json"),
        }
        if self.path is not None:
            found["path"] = str(self.path)
        return found


def unfinished(job: Job, file: str) -> None:
    """Print why a job ended without results."""
    if job.error is not None:
        problem("The job failed.", job.error.detail, job.error.code, job.error.suggestion)
        if (command := _retry_command(job)) is not None:
            note(f"To try the same file again: {command}")
    elif job.status == "needs_type":
        needs_type(job.detection or {}, f"assay choose {job.job_id}")
    elif job.status == "cancelled":
        problem("The job is cancelled.", f"Job {job.job_id}.", job.status, f"Try it again: assay retry {job.job_id}")
    else:
        problem(f"The job is {job.status}.", f"Job {job.job_id}.", job.status, f"Send it again: assay run {file}")


def _retry_command(job: Job) -> str | None:
    """Return the command that tries a job again, if that may help."""
    may_help = job.status == "cancelled" or (job.error is not None and suggests_retry(job.error.suggestion))
    return f"assay retry {job.job_id}" if may_help else None


def needs_type(detection: dict[str, JsonValue], command: str) -> None:
    """Print what a file may be, and the command that says what it is, if its type is written behind."""
    found = _candidates(detection)
    suggestion = (
        f"If you know what it is, say so: {command} {found[0][0] if found else 'TYPE'} (`assay types` lists all)"
    )
    problem(
        "No one can say for sure what this file is.", f"Detected: {_detected(detection)}.", "needs_type", suggestion
    )


def _candidates(detection: dict[str, JsonValue]) -> list[tuple[str, float]]:
    """Return the dataset types that were thought of, with their confidence, the likeliest first."""
    runners_up = detection.get("runners_up")
    found: dict[str, float] = {}
    # A job from before there were bands names no likeliest type.
    likeliest = {"dataset_type": detection.get("likeliest", detection.get("dataset_type"))}
    for candidate in [{**detection, **likeliest}, *(runners_up if isinstance(runners_up, list) else [])]:
        if isinstance(candidate, dict):
            kind, confidence = candidate.get("dataset_type"), candidate.get("confidence")
            if isinstance(kind, str) and isinstance(confidence, int | float):
                found.setdefault(kind, float(confidence))
    return list(found.items())


def _decision(detection: dict[str, JsonValue] | None) -> str | None:
    """What the detection led to, in words; None of a job from before that was kept."""
    said = (detection or {}).get("decision")
    return said if isinstance(said, str) else None


def _detected(detection: dict[str, JsonValue]) -> str:
    named = [f"{kind} ({confidence:.2f})" for kind, confidence in _candidates(detection) if confidence > 0]
    return ", ".join(named) or "nothing that fits"


def results(job: Job, saved: Sequence[Saved], *, cached: bool, links: bool) -> None:
    """Print a finished job: its outputs, where they were saved, and what to open."""
    if links:
        signed_links(saved)
    console = console_of(stderr=False)
    table = Table("output", "size", "SHA-256", title=None)
    table.columns[1].justify = "right"
    for one in saved:
        name = escape(one.output.name)
        if console.is_terminal and one.path is not None:
            name = f"[link={one.path.resolve().as_uri()}]{name}[/link]"
        table.add_row(name, size(one.output.size_bytes), one.output.sha256[:12])
    console.print(table)
    source = "answered from an earlier job" if cached else "done"
    result(f"Job {job.job_id} {source}: {job.filename} by {job.pipeline} {job.pipeline_version}{_figures(job)}")
    decision = _decision(job.detection)
    if decision is not None and (job.detection or {}).get("band") in {"likely", "review"}:
        result(f"{decision} To have it run as another type: assay choose {job.job_id} TYPE")
    folders = {str(one.path.parent) for one in saved if one.path is not None}
    for folder in sorted(folders):
        result(f"Saved in {folder}")
    if (dashboard := dashboard_of(saved)) is not None:
        result(f"open {shlex.quote(dashboard)}")


def summary(runs: Sequence[tuple[str, Job | None, Sequence[Saved]]]) -> None:
    """Print what came of several files: a row each, with where its outputs were saved."""
    console = console_of(stderr=False)
    table = Table("file", "result", "type", "counted", "saved in")
    for file, job, saved in runs:
        folder = next((output.path.parent for output in saved if output.path is not None), None)
        shown = escape(str(folder or ""))
        if console.is_terminal and folder is not None:
            shown = f"[link={folder.resolve().as_uri()}]{shown}[/link]"
        status, kind = (job.status, job.dataset_type or "") if job else ("refused", "")
        table.add_row(escape(file), status, kind, counted(job.summary) if job else "", shown)
    console.print(table)


def signed_links(saved: Sequence[Saved]) -> None:
    """Print the signed link to each output."""
    if saved:
        until = min(one.link.expires_at for one in saved)
        result(f"Links, valid until {_local(until)}:")
    for one in saved:
        result(f"  {one.output.name}  {one.link.url}")


def dashboard_of(saved: Sequence[Saved]) -> str | None:
    """Return where the dashboard was saved, seen from the current folder; None if there is none."""
    paths = (one.path for one in saved if one.path is not None and one.output.name == "dashboard.html")
    return next((relpath(path) for path in paths), None)


def _figures(job: Job) -> str:
    counts = counted(job.summary)
    return f"; {counts}" if counts else ""


def jobs(found: Sequence[Job]) -> None:
    """Print a list of jobs."""
    if not found:
        note("No jobs.")
        return
    table = Table("job", "status", "file", "type", "created")
    table.columns[0].no_wrap = True
    for job in found:
        status = f"{job.status} {job.progress:.0%}" if job.status == "running" else job.status
        kind = job.dataset_type or job.requested_dataset_type or ""
        table.add_row(str(job.job_id), status, escape(job.filename), kind, _local(job.created_at))
    console_of(stderr=False).print(table)


def job(found: JobWithAttempts, outputs: Sequence[Saved]) -> None:
    """Print all that is known of a job."""
    table = Table(show_header=False, box=None)
    rows: list[tuple[str, object]] = [
        ("job", found.job_id),
        ("status", found.status),
        ("file", f"{found.filename} ({size(found.size_bytes)})"),
        ("SHA-256", found.sha256),
        ("type", found.dataset_type or found.requested_dataset_type),
        ("pipeline", f"{found.pipeline} {found.pipeline_version}" if found.pipeline else None),
        ("parameters", json.dumps(found.parameters) if found.parameters else None),
        ("progress", f"{found.progress:.0%} {found.stage or ''}" if found.status == "running" else None),
        ("chosen", _choice(found)),
        ("with", json.dumps(chosen) if (chosen := _chosen_parameters(found)) is not None else None),
        ("detected", _detected(found.detection) if found.detection else None),
        ("decided", _decision(found.detection)),
        ("cancel", "asked for" if found.cancel_requested and found.status == "running" else None),
        ("created", _local(found.created_at)),
        ("started", _local(found.started_at) if found.started_at else None),
        ("finished", _local(found.finished_at) if found.finished_at else None),
        ("kept until", _local(found.expires_at) if found.expires_at else None),
        ("manifest", found.manifest_sha256),
        ("cost", _cost(found.cost) if found.cost else None),
        ("error", f"{found.error.detail} ({found.error.code})" if found.error else None),
        ("what to do", in_commands(found.error.suggestion) if found.error else None),
        ("to try again", _retry_command(found)),
    ]
    for name, value in rows:
        if value is not None:
            table.add_row(name, escape(str(value)))
    console_of(stderr=False).print(table)
    for attempt in found.attempts:
        took = f", {_duration(attempt.duration_seconds)}" if attempt.duration_seconds is not None else ""
        error = f": {attempt.error.detail} ({attempt.error.code})" if attempt.error else ""
        result(f"attempt {attempt.attempt}, {_local(attempt.started_at)}{took}: {attempt.outcome or 'running'}{error}")
    for one in outputs:
        result(f"  {one.output.name} ({size(one.output.size_bytes)})  {one.link.url}")


def _choice(found: Job) -> str | None:
    choice = found.type_choice
    return f"{choice.dataset_type}, {_local(choice.chosen_at)}, by {choice.chosen_by}" if choice else None


def _chosen_parameters(found: Job) -> dict[str, JsonValue] | None:
    return found.type_choice.parameters if found.type_choice else None


def account(found: Account) -> None:
    """Print the plan, and what is used of it."""
    result(f"Plan {found.plan} of {found.owner}; what a job leaves is kept for {found.limits.retention_days} days.")
    limits, usage = found.limits, found.usage
    table = Table("", "used", "limit")
    for column in table.columns[1:]:
        column.justify = "right"
    table.add_row("jobs running at once", str(usage.running_jobs), str(limits.running_jobs))
    used = limits.uploads_per_hour - usage.uploads_left
    table.add_row("new jobs an hour (they come back evenly)", str(used), str(limits.uploads_per_hour))
    table.add_row("bytes stored (uploads and outputs)", size(usage.stored_bytes), size(limits.stored_bytes))
    console_of(stderr=False).print(table)


def _duration(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds < 60 else str(timedelta(seconds=round(seconds)))


def _cost(cost: Cost) -> str:
    amounts = f"compute {cost.compute:.6f}, requests {cost.requests:.6f}, a month's storage {cost.storage_month:.6f}"
    return f"about {cost.total:.6f} {cost.currency} on AWS at list prices of {cost.prices_as_of} ({amounts})"


def _local(moment: datetime) -> str:
    return moment.astimezone().strftime("%Y-%m-%d %H:%M:%S")
