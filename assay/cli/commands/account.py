"""`assay account`, `export` and `delete-account`: the data of the signed-in user."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from assay.cli.commands.options import AsJson, Token, Url, Yes, confirmed, connected
from assay.cli.terminal import screen, views
from assay.client.export import export as export_to


def account(context: typer.Context, as_json: AsJson = False, url: Url = None, token: Token = None) -> None:
    """Show the plan and the usage."""
    with connected(context, url, token, as_json=as_json) as client:
        account = client.account()
    if as_json:
        screen.print_json({"account": account.model_dump(mode="json")})
    else:
        views.account(account)


def export(
    context: typer.Context,
    folder: Annotated[Path, typer.Argument(metavar="DIR", file_okay=False, help="A new or empty folder.")],
    as_json: AsJson = False,
    url: Url = None,
    token: Token = None,
) -> None:
    """Export the account's data: all files, and export.json. An interrupted export resumes."""
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
        screen.problem("Some files are missing.", detail, "file_missing", "Their jobs are in export.json.")
        raise typer.Exit(1)


def delete_account(
    context: typer.Context, yes: Yes = False, as_json: AsJson = False, url: Url = None, token: Token = None
) -> None:
    """Delete the account's data: jobs, uploads, outputs, webhooks and remembered columns."""
    with connected(context, url, token, as_json=as_json) as client:
        if not yes:
            account = client.account()
            screen.note(
                f"This deletes all data of {account.owner} at {client.url}, including "
                f"{screen.size(account.usage.stored_bytes)} of files. `assay export DIR` saves it first."
            )
            confirmed("Delete everything?", "delete")
        while left := client.delete_account():
            screen.note(f"At least {left} items are left; continuing.")
    if as_json:
        screen.print_json({"deleted": True})
    else:
        screen.result("Deleted. Files are deleted within minutes. The plan and its hourly usage stay.")
