"""What a user says of how the file is to be read: used where it is right, refused in words where it is not."""

from __future__ import annotations

import pytest
from pydantic import JsonValue

from assay.errors import Unprocessable
from tests.assay.analyses import HEADER, Run
from tests.assay.outputs import table_of

ORDERS = "name;amount\na;1.234\nb;5.678\n"


@pytest.mark.parametrize(("decimal", "read"), [(".", ["1.234", "5.678"]), (",", ["1234", "5678"])])
def test_what_is_said_is_used(run: Run, decimal: str, read: list[str]) -> None:
    found = run(ORDERS, {"reading": {"decimal": decimal}}, dataset_type="table")
    assert [row[1] for row in table_of(found, "cleaned.csv")[1:]] == read


@pytest.mark.parametrize(
    ("reading", "named"),
    [
        ({"delimeter": ";"}, "reading.delimeter"),
        ({"header_line": 0}, "header_line"),
        ({"decimal": "x"}, "decimal"),
        ("semicolon", "reading"),
        (None, "reading"),
    ],
)
def test_what_cannot_be_is_refused(run: Run, reading: JsonValue, named: str) -> None:
    with pytest.raises(Unprocessable) as caught:
        run(HEADER + "CT,2024-01-01,Temp,1\n", {"reading": reading})
    assert caught.value.code == "invalid_parameters"
    assert named in caught.value.detail
    assert "delimiter" in caught.value.suggestion
