"""Print jobs, outputs and the account."""

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
from assay.client.account_models import Account
from assay.client.models import Cost, DownloadLink, Job, JobWithAttempts, Output


@dataclass(frozen=True)
class Saved:
    """An output, its signed link, and where it was saved (None if it was not)."""

    output: Output
    link: DownloadLink
    path: Path | None = None

    def as_json(self) -> dict[str, JsonValue]:
        """Return the `--json` form."""
        fields: dict[str, JsonValue] = {
            **self.output.model_dump(mode="json"),
            **self.link.model_dump(mode="json"),
        }
        if self.path is not None:
            fields["path"] = str(self.path)
        return fields


def unfinished(job: Job, file: str) -> None:
    """Print why a job has no results."""
    if job.error is not None:
        problem("The job failed.", job.error.detail, job.error.code, job.error.suggestion)
        if (command := _retry_command(job)) is not None:
            note(f"To retry: {command}")
    elif job.status == "needs_type":
        needs_type(job.detection or {}, f"assay choose {job.job_id}")
    elif job.status == "cancelled":
        problem("The job is cancelled.", f"Job {job.job_id}.", job.status, f"To retry: assay retry {job.job_id}")
    else:
        problem(f"The job is {job.status}.", f"Job {job.job_id}.", job.status, f"To send it again: assay run {file}")


def _retry_command(job: Job) -> str | None:
    """Return the command that retries a job, if that may help."""
    may_help = job.status == "cancelled" or (job.error is not None and suggests_retry(job.error.suggestion))
    return f"assay retry {job.job_id}" if may_help else None


def needs_type(detection: dict[str, JsonValue], command: str) -> None:
    """Print the possible dataset types, and the command that chooses one (`command`, followed by a type)."""
    candidates = _candidates(detection)
    suggestion = f"To choose the type: {command} {candidates[0][0] if candidates else 'TYPE'} (`assay types` lists all)"
    problem(
        "The dataset type of this file is not certain.", f"Detected: {_detected(detection)}.", "needs_type", suggestion
    )


def _candidates(detection: dict[str, JsonValue]) -> list[tuple[str, float]]:
    """Return the candidate dataset types with their confidence, the likeliest first."""
    runners_up = detection.get("runners_up")
    candidates: dict[str, float] = {}
    likeliest = {"dataset_type": detection.get("likeliest")}
    for candidate in [{**detection, **likeliest}, *(runners_up if isinstance(runners_up, list) else [])]:
        if isinstance(candidate, dict):
            kind, confidence = candidate.get("dataset_type"), candidate.get("confidence")
            if isinstance(kind, str) and isinstance(confidence, int | float):
                candidates.setdefault(kind, float(confidence))
    return list(candidates.items())


def _decision(detection: dict[str, JsonValue] | None) -> str | None:
    """The detection's decision as a sentence; None before the detection."""
    decision = (detection or {}).get("decision")
    return decision if isinstance(decision, str) else None


def _detected(detection: dict[str, JsonValue]) -> str:
    named = [f"{kind} ({confidence:.2f})" for kind, confidence in _candidates(detection) if confidence > 0]
    return ", ".join(named) or "no matching type"


def results(job: Job, saved: Sequence[Saved], *, cached: bool, links: bool) -> None:
    """Print a finished job: its outputs, where they were saved, and how to open the dashboard."""
    if links:
        signed_links(saved)
    console = console_of(stderr=False)
    table = Table("output", "size", "SHA-256", title=None)
    table.columns[1].justify = "right"
    for file in saved:
        name = escape(file.output.name)
        if console.is_terminal and file.path is not None:
            name = f"[link={file.path.resolve().as_uri()}]{name}[/link]"
        table.add_row(name, size(file.output.size_bytes), file.output.sha256[:12])
    console.print(table)
    source = "reused from an earlier run" if cached else "done"
    result(f"Job {job.job_id} {source}: {job.filename} by {job.pipeline} {job.pipeline_version}{_figures(job)}")
    decision = _decision(job.detection)
    if decision is not None and (job.detection or {}).get("band") in {"likely", "review"}:
        result(f"{decision} To use another type: assay choose {job.job_id} TYPE")
    folders = {str(file.path.parent) for file in saved if file.path is not None}
    for folder in sorted(folders):
        result(f"Saved in {folder}")
    if (dashboard := dashboard_of(saved)) is not None:
        result(f"open {shlex.quote(dashboard)}")


def summary(runs: Sequence[tuple[str, Job | None, Sequence[Saved]]]) -> None:
    """Print the results of several files: one row each, with the folder of its outputs."""
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
        until = min(file.link.expires_at for file in saved)
        result(f"Links, valid until {_local(until)}:")
    for file in saved:
        result(f"  {file.output.name}  {file.link.url}")


def dashboard_of(saved: Sequence[Saved]) -> str | None:
    """Return the dashboard's path relative to the current folder; None if there is none."""
    paths = (file.path for file in saved if file.path is not None and file.output.name == "dashboard.html")
    return next((relpath(path) for path in paths), None)


def _figures(job: Job) -> str:
    counts = counted(job.summary)
    return f"; {counts}" if counts else ""


def jobs(listed: Sequence[Job]) -> None:
    """Print a list of jobs."""
    if not listed:
        note("No jobs.")
        return
    table = Table("job", "status", "file", "type", "created")
    table.columns[0].no_wrap = True
    for job in listed:
        status = f"{job.status} {job.progress:.0%}" if job.status == "running" else job.status
        kind = job.dataset_type or job.requested_dataset_type or ""
        table.add_row(str(job.job_id), status, escape(job.filename), kind, _local(job.created_at))
    console_of(stderr=False).print(table)


def job(shown: JobWithAttempts, outputs: Sequence[Saved]) -> None:
    """Print all details of a job."""
    table = Table(show_header=False, box=None)
    rows: list[tuple[str, object]] = [
        ("job", shown.job_id),
        ("status", shown.status),
        ("file", f"{shown.filename} ({size(shown.size_bytes)})"),
        ("SHA-256", shown.sha256),
        ("type", shown.dataset_type or shown.requested_dataset_type),
        ("pipeline", f"{shown.pipeline} {shown.pipeline_version}" if shown.pipeline else None),
        ("parameters", json.dumps(shown.parameters) if shown.parameters else None),
        ("progress", f"{shown.progress:.0%} {shown.stage or ''}" if shown.status == "running" else None),
        ("chosen", _choice(shown)),
        ("with", json.dumps(chosen) if (chosen := _chosen_parameters(shown)) is not None else None),
        ("detected", _detected(shown.detection) if shown.detection else None),
        ("decided", _decision(shown.detection)),
        ("cancel", "requested" if shown.cancel_requested and shown.status == "running" else None),
        ("created", _local(shown.created_at)),
        ("started", _local(shown.started_at) if shown.started_at else None),
        ("finished", _local(shown.finished_at) if shown.finished_at else None),
        ("kept until", _local(shown.expires_at) if shown.expires_at else None),
        ("manifest", shown.manifest_sha256),
        ("cost", _cost(shown.cost) if shown.cost else None),
        ("error", f"{shown.error.detail} ({shown.error.code})" if shown.error else None),
        ("what to do", in_commands(shown.error.suggestion) if shown.error else None),
        ("to try again", _retry_command(shown)),
    ]
    for name, value in rows:
        if value is not None:
            table.add_row(name, escape(str(value)))
    console_of(stderr=False).print(table)
    for attempt in shown.attempts:
        took = f", {_duration(attempt.duration_seconds)}" if attempt.duration_seconds is not None else ""
        error = f": {attempt.error.detail} ({attempt.error.code})" if attempt.error else ""
        result(f"attempt {attempt.attempt}, {_local(attempt.started_at)}{took}: {attempt.outcome or 'running'}{error}")
    for file in outputs:
        result(f"  {file.output.name} ({size(file.output.size_bytes)})  {file.link.url}")


def _choice(job: Job) -> str | None:
    choice = job.type_choice
    return f"{choice.dataset_type}, {_local(choice.chosen_at)}, by {choice.chosen_by}" if choice else None


def _chosen_parameters(job: Job) -> dict[str, JsonValue] | None:
    return job.type_choice.parameters if job.type_choice else None


def account(account: Account) -> None:
    """Print the plan and the usage."""
    result(
        f"Plan {account.plan} of {account.owner}; ended jobs and their files are kept for "
        f"{account.limits.retention_days} days."
    )
    limits, usage = account.limits, account.usage
    table = Table("", "used", "limit")
    for column in table.columns[1:]:
        column.justify = "right"
    table.add_row("jobs running at once", str(usage.running_jobs), str(limits.running_jobs))
    used = limits.uploads_per_hour - usage.uploads_left
    table.add_row("new jobs per hour (refills evenly)", str(used), str(limits.uploads_per_hour))
    table.add_row("bytes stored (uploads and outputs)", size(usage.stored_bytes), size(limits.stored_bytes))
    console_of(stderr=False).print(table)


def _duration(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds < 60 else str(timedelta(seconds=round(seconds)))


def _cost(cost: Cost) -> str:
    amounts = f"compute {cost.compute:.6f}, requests {cost.requests:.6f}, a month's storage {cost.storage_month:.6f}"
    return f"about {cost.total:.6f} {cost.currency} on AWS at list prices of {cost.prices_as_of} ({amounts})"


def _local(moment: datetime) -> str:
    return moment.astimezone().strftime("%Y-%m-%d %H:%M:%S")
