"""Report errors of commands: the problem on stderr, with `--json` also on stdout, and exit code 1."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager

import typer

from assay.cli.terminal import screen
from assay.cli.terminal.installed import has_stack
from assay.client import Refused
from assay.client.models import ProblemDetails
from assay.errors import FolderNotEmpty, InvalidInput, Unprocessable, errno_of

CAN_NOT_CHECK = 2
"""The exit code where a file can't be checked: 1 says that it was checked and does not pass."""

_TITLE = "The file can't be processed."
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


@contextmanager
def reported(*, as_json: bool, title: str = _TITLE, exit_code: int = 1) -> Iterator[None]:
    """Print the problem of an exception raised in the block, and raise typer.Exit(exit_code).

    `title` is that of a problem with the file.
    """
    try:
        yield
    except Exception as error:  # noqa: BLE001  # a bug is raised again
        details = details_of(_told(error), title)
        if as_json:
            screen.print_json({"problem": details.model_dump(mode="json")})
        screen.refused(details)
        # Without its cause: a library's message may quote a URL with a password.
        raise typer.Exit(exit_code) from None


def _expected() -> tuple[type[Exception], ...]:
    own = (Refused, Unprocessable, InvalidInput, OSError)
    if not has_stack():
        return own
    from local.backup.format import BackupError
    from local.processes import StackError

    return (*own, BackupError, StackError)


def _told(error: Exception) -> Exception:
    """Return an error that can be told. Raises one that is a bug.

    The data engine has errors of its own where the system refuses a file, and their words may quote it.
    """
    if isinstance(error, _expected()):
        return error
    number = errno_of(error)
    if number is None:
        raise error
    return OSError(number, os.strerror(number))


def details_of(error: Exception, title: str = _TITLE) -> ProblemDetails:
    """Return the problem of an expected exception. `title` is that of a problem with the file."""
    detail = str(error).encode("utf-8", "backslashreplace").decode() or type(error).__name__
    match error:
        case Refused():
            return error.problem
        case Unprocessable(code=code, suggestion=suggestion):
            return ProblemDetails(title=title, status=422, detail=detail, code=code, suggestion=suggestion)
        case FolderNotEmpty(code=code, suggestion=suggestion):
            title = "The outputs can't be written to this folder."
        case OSError(errno=number) if number in _FULL:
            code, title = "disk_full", "There is no room for the outputs."
            suggestion = "Free space on the disk, or choose a folder on another one."
        case OSError():
            code, title = "file_error", "A file or folder cannot be used."
            suggestion = "Check that it exists and that you may read and write it, or choose another one."
        case InvalidInput(suggestion=suggestion):
            code, title = "unusable_input", "An argument or a file of settings is not valid."
        case _:
            code, title, suggestion = _of_stack(error)
    return ProblemDetails(title=title, status=500, detail=detail, code=code, suggestion=suggestion)


def _of_stack(error: Exception) -> tuple[str, str, str]:
    from local.backup.format import BackupError

    if isinstance(error, BackupError):
        return error.code, "The backup or restore failed.", error.suggestion
    suggestion = "Follow the message. The logs are in the folder `logs` of ASSAY_HOME (.assay)."
    return "stack_failed", "The local stack cannot run.", suggestion
