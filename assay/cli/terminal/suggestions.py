"""Rewrite the service's suggestions as `assay` commands."""

from __future__ import annotations

import re

_RETRY = "POST /jobs/{job_id}/retry"
_COMMANDS = {
    "POST /uploads": "assay run FILE",
    "GET /jobs": "assay jobs",
    "GET /jobs/{job_id}": "assay show JOB",
    "GET /jobs/{job_id}/outputs": "assay show JOB",
    "PATCH /jobs/{job_id}": "assay choose JOB TYPE [--param KEY=VALUE | --no-param]",
    "DELETE /jobs/{job_id}": "assay delete JOB",
    "POST /jobs/{job_id}/cancel": "assay cancel JOB",
    _RETRY: "assay retry JOB",
    "POST /jobs/{job_id}/reprocess": "assay reprocess JOB",
    "GET /dataset-types": "assay types",
    "GET /columns": "assay columns",
    "DELETE /columns/{choice_id}": "assay forget CHOICE",
    "GET /me": "assay account",
    "GET /me/export": "assay export DIR",
    "DELETE /me": "assay delete-account",
}
_ROUTE = re.compile(r"\b(?:GET|POST|PUT|PATCH|DELETE) /[\w{}/-]*")


def suggests_retry(text: str) -> bool:
    """Whether the service suggests a retry. If the file is at fault, a retry fails again."""
    return _RETRY in text


def in_commands(text: str) -> str:
    """Return the text with each route replaced by its command. Routes without a command stay."""

    def command(route: re.Match[str]) -> str:
        name = _COMMANDS.get(route[0])
        return route[0] if name is None else f"`{name}`"

    return _ROUTE.sub(command, text)
