"""What the log says of an error: what it is and where it arose, and nothing that it may quote."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Callable
from typing import Any

import httpx
import polars as pl
import psycopg
import pydantic
import pytest

from assay.errors import Unprocessable
from shared.errors import Problem, Transient
from shared.telemetry import logger
from shared.telemetry.log_format import LogFormat, told

SECRET_WORD = "the-owner-s-own-word"


class Row(pydantic.BaseModel):
    depth: float


def of_polars() -> None:
    pl.Series([SECRET_WORD]).cast(pl.Int64)


def of_pydantic() -> None:
    Row.model_validate({"depth": SECRET_WORD})


def of_a_dict() -> None:
    dict[str, int]()[SECRET_WORD]


def of_python() -> None:
    int(SECRET_WORD)


def with_a_note() -> None:
    error = ValueError("x")
    error.add_note(SECRET_WORD)
    raise error


def refused() -> None:
    raise Unprocessable("no_dates", f"{SECRET_WORD} is no date.", "Correct it.")


def not_answered() -> None:
    raise Problem(422, "invalid_filename", f"{SECRET_WORD} is no file name.", "Send another one.")


def of_postgres() -> None:
    raise psycopg.errors.CheckViolation(f'violates check "positive"\nDETAIL:  Failing row contains ({SECRET_WORD}).')


def of_an_address() -> None:
    raise httpx.ReadError(f"no answer from https://store.example/a?X-Amz-Sig={SECRET_WORD}, tried twice")


def a_wrong_one_behind_a_right_one() -> None:
    try:
        of_python()
    except ValueError as error:
        raise Transient("the database does not answer") from error


def a_wrong_one_before_a_right_one() -> None:
    try:
        of_python()
    except ValueError:
        raise Transient("the database does not answer")  # noqa: B904  # its context is what is looked at


ERRORS = [
    *(of_polars, of_pydantic, of_a_dict, of_python, with_a_note, refused, not_answered, of_postgres, of_an_address),
    *(a_wrong_one_behind_a_right_one, a_wrong_one_before_a_right_one),
]


def line_of(raises: Callable[[], None]) -> dict[str, Any]:
    """The line that Powertools' logger writes with this error."""
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    handler.setFormatter(LogFormat())
    of_its_own = logging.Logger("of its own")
    of_its_own.addHandler(handler)
    try:
        raises()
    except Exception:  # noqa: BLE001  # of any kind
        of_its_own.exception("failed")
    line: dict[str, Any] = json.loads(written.getvalue())
    return line


@pytest.mark.parametrize("raises", ERRORS)
def test_no_line_quotes_what_an_error_was_about(raises: Callable[[], None]) -> None:
    line = line_of(raises)
    assert SECRET_WORD not in json.dumps(line)
    assert f"in {raises.__name__}" in line["exception"]


def test_what_speaks_of_no_data_is_told() -> None:
    assert 'CheckViolation: violates check "positive"' in line_of(of_postgres)["exception"]
    assert "no answer from https://store.example/a?... tried twice" in line_of(of_an_address)["exception"]
    line = line_of(a_wrong_one_behind_a_right_one)
    assert line["exception_name"] == "Transient"
    assert line["exception"].endswith("Transient: the database does not answer")
    assert "ValueError: (message withheld" in line["exception"]


def test_an_error_that_led_to_itself_is_told_once() -> None:
    error = ValueError()
    error.__cause__ = OSError("disk")
    error.__cause__.__cause__ = error
    assert told(error).count("ValueError") == 1


def test_the_functions_log_in_this_format() -> None:
    assert isinstance(logger.registered_formatter, LogFormat)


def test_a_line_without_an_error_is_powertools_own(monkeypatch: pytest.MonkeyPatch) -> None:
    written = io.StringIO()
    monkeypatch.setattr(logger.registered_handler, "stream", written)
    logger.info("answered", status=200)
    line = json.loads(written.getvalue())
    assert {"level", "location", "message", "timestamp", "service"} < set(line)
    assert (line["service"], line["status"], "exception" in line) == ("assay", 200, False)
