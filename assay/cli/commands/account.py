"""`assay account`, `export` and `delete-account`: what belongs to whoever is signed in."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from assay.cli.commands.options import AsJson, Token, Url, Yes, confirmed, connected
from assay.cli.terminal import screen, views
from assay.client.export import export as export_to


def account(context: typer.Context, as_json: AsJson = False, url: Url = None, token: Token = None) -> None:
    """Show the plan, and how much of it is used."""
    with connected(context, url, token, as_json=as_json) as client:
        found = client.account()
    if as_json:
        screen.print_json({"account": found.model_dump(mode="json")})
    else:
        views.account(found)


def export(
    context: typer.Context,
    folder: Annotated[Path, typer.Argument(metavar="DIR", file_okay=False, help="A folder that is new or empty.")],
    as_json: AsJson = False,
    url: Url = None,
    token: Token = None,
) -> None:
    """Save all that the account has: every file, and export.json. Begun anew, it goes on where it broke off."""
    with connected(context, url, token, as_json=as_json) as client:
        total = client.account().usage.stored_bytes
        with screen.progress(str(folder), total, in_bytes=True) as update:
            exported = export_to(client, folder, update)
    if as_json:
        screen.print_json(
            {
                "folder": str(folder),
                **{name: len(items) for name, items in exported.lists.items()},
                "files": len(exported.paths),
                "size_bytes": exported.size_bytes,
                "missing": [*sorted(exported.missing)],
            }
        )
    else:
        screen.result(
            f"Exported {len(exported.lists['jobs'])} jobs and {len(exported.paths)} files "
            f"({screen.size(exported.size_bytes)}) to {folder}"
        )
    if exported.missing:
        detail = f"The object store no longer has: {', '.join(sorted(exported.missing))}."
        screen.problem("Some files are missing.", detail, "file_missing", "Their jobs are in export.json all the same.")
        raise typer.Exit(1)


def delete_account(
    context: typer.Context, yes: Yes = False, as_json: AsJson = False, url: Url = None, token: Token = None
) -> None:
    """Delete all that the account has: jobs, uploads, outputs and webhooks."""
    with connected(context, url, token, as_json=as_json) as client:
        if not yes:
            found = client.account()
            screen.note(
                f"Everything that {found.owner} has at {client.url} will be deleted, "
                f"{screen.size(found.usage.stored_bytes)} of files among it. `assay export DIR` saves it first."
            )
            confirmed("Delete it all?", "delete")
        while left := client.delete_account():
            screen.note(f"At least {left} things are left; going on.")
    if as_json:
        screen.print_json({"deleted": True})
    else:
        screen.result("Deleted. The files are gone within minutes; the plan and its limits stay as they are.")
