"""Log lines as JSON, with the type and place of errors but without messages that may quote user data."""

from __future__ import annotations

import copy
import logging
import re
import traceback

from aws_lambda_powertools.logging.formatter import LambdaPowertoolsFormatter

from shared.errors import AssayError, Problem, chain

# Libraries whose error messages describe connections, statuses and states. Other errors may quote their input: a parser
# quotes a cell, pydantic its input, a KeyError its key.
_TELLING = {"botocore", "httpcore", "httpx", "psycopg", "urllib3"}
# A URL's query may contain the signature of a link.
_QUERY = re.compile(r"\?[^\s'\"]+")
_WITHHELD = "(message withheld: it may quote data)"


class LogFormat(LambdaPowertoolsFormatter):
    """Powertools' format, with filtered error messages.

    `exception` has the stack frames of the error and its causes. Assay's own errors keep their message and notes.
    OSErrors and errors of the listed libraries keep the first line of the message (Postgres quotes rows in DETAIL, on
    another line). All other errors keep only their type.
    """

    def format(self, record: logging.LogRecord) -> str:
        """Return the log line."""
        if record.exc_info and record.exc_info[1]:
            error = record.exc_info[1]
            # Powertools uses both from the record instead of formatting them.
            record = copy.copy(record)
            record.exc_info = None
            record.exception, record.exception_name = told(error), type(error).__name__
        return super().format(record)


def told(error: BaseException) -> str:
    """Return the traceback of an error and its causes, without messages that may quote data."""
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
