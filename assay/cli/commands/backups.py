"""`assay backup` and `assay restore`, for the data of the local stack."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from assay.cli.terminal import screen
from assay.cli.terminal.installed import require_stack
from assay.cli.terminal.reporting import reported


def backup(
    folder: Annotated[Path, typer.Argument(metavar="DIR", file_okay=False, help="A new or empty folder.")],
) -> None:
    """Back up the database and the objects of the local stack, running or not."""
    with reported(as_json=False):
        require_stack()
        from local.backup.save import back_up
        from local.home import default_home

        _refuse_given_database()
        with screen.progress(str(folder), 1) as update:
            manifest = back_up(default_home(), folder, update)
    size = manifest.database.size_bytes + sum(manifest.object_bytes.values())
    screen.result(
        f"Backed up in {folder}: {manifest.rows['jobs']} jobs, {len(manifest.objects)} objects, {screen.size(size)}; "
        f"as of {manifest.taken_at.astimezone():%Y-%m-%d %H:%M:%S}. Keep it as private as the data itself."
    )


def restore(
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", exists=True, file_okay=False, help="A folder that `assay backup` wrote.")
    ],
    replace: Annotated[bool, typer.Option("--replace", help="Move existing data aside.")] = False,
) -> None:
    """Restore the local stack from a backup. The stack must not be running."""
    with reported(as_json=False):
        require_stack()
        from local.backup.restore import restore as restore_from
        from local.home import default_home

        _refuse_given_database()
        with screen.progress(str(folder), 1) as update:
            restored = restore_from(default_home(), folder, replace=replace, update=update)
    manifest = restored.manifest
    screen.result(
        f"Restored from {folder}: {manifest.rows['jobs']} jobs, {len(manifest.objects)} objects; "
        f"as of {manifest.taken_at.astimezone():%Y-%m-%d %H:%M:%S}."
    )
    if restored.former is not None:
        screen.result(f"The previous data is in {restored.former}; delete it when you no longer need it.")
    screen.note("The next `assay up` or `assay run` continues the unfinished jobs.")


def _refuse_given_database() -> None:
    if os.environ.get("DATABASE_URL"):
        from local.backup.home_data import given_database

        raise given_database()
