"""The log's lines as JSON, in which an error says what it is and where it arose, but quotes nobody's data."""

from __future__ import annotations

import copy
import logging
import re
import traceback

from aws_lambda_powertools.logging.formatter import LambdaPowertoolsFormatter

from shared.errors import AssayError, Problem, chain

# Whose errors speak of connections, statuses and states. Any other may repeat what it was given: a parser the cell that
# it could not read, pydantic its input, a KeyError its key.
_TELLING = {"botocore", "httpcore", "httpx", "psycopg", "urllib3"}
# What follows an address may be the signature of a link.
_QUERY = re.compile(r"\?[^\s'\"]+")
_WITHHELD = "(message withheld: it may quote data)"


class LogFormat(LambdaPowertoolsFormatter):
    """Powertools' own format, but for the texts of errors.

    `exception` has the frames of the error and of those that led to it. The message stands there, with its notes, of an
    error of our own that quotes nothing; and its first line of an OSError and of a library's error that speaks of no
    data (Postgres' DETAIL, which quotes rows, is on another line). Of any other error only the type is told.
    """

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        if record.exc_info and record.exc_info[1]:
            error = record.exc_info[1]
            # Powertools takes both from the record in place of its own.
            record = copy.copy(record)
            record.exc_info = None
            record.exception, record.exception_name = told(error), type(error).__name__
        return super().format(record)


def told(error: BaseException) -> str:
    """Return the traceback of an error and of those that led to it, without what quotes data."""
    parts = [
        "".join([*traceback.format_tb(cause.__traceback__), f"{type(cause).__qualname__}: {_message(cause)}"])
        for cause in chain(error)
    ]
    return "\nwhich led to:\n".join(reversed(parts))


def _message(error: BaseException) -> str:
    if isinstance(error, AssayError) and not isinstance(error, Problem):
        return "\n".join([str(error), *getattr(error, "__notes__", ())])
    if type(error).__module__.partition(".")[0] in _TELLING or isinstance(error, OSError):
        return _QUERY.sub("?...", str(error).partition("\n")[0])
    return _WITHHELD
