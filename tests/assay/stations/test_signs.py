"""Columns of signs such as <, whatever they are called, beside the results that they belong to."""

from __future__ import annotations

import pytest

from tests.assay.analyses import Run
from tests.assay.outputs import findings_of, json_of, table_of

ROWS = (("", "3"), ("<", "0.5"), ("", "4"), ("<", "0.5"))


def of(name: str, *, equal: str = "", more: str = "", of_more: tuple[str, ...] = ("", "", "", "")) -> str:
    lines = [f"Station,Date,Parameter,{name},Result,Unit{more}"]
    for day, ((sign, result), other) in enumerate(zip(ROWS, of_more, strict=True), start=1):
        lines.append(f"A,2024-01-0{day},Zn,{sign or equal},{result},µg/L{',' * bool(more)}{other}")
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize(
    "content",
    [
        of("Sign"), of("Operator", equal="="), of("Vorzeichen", equal=">"), of("ND"), of("<"), of(""),
        of("Result Sign"), of("Sign", more=",Qualifier", of_more=("J", "", "", "")),
        of("Sign", more=",Qualifier", of_more=("", "", "", "")),
    ],
)  # fmt: skip
def test_a_column_of_signs_makes_bounds_of_results(run: Run, content: str) -> None:
    found = run(content)
    assert found.dataset_type == "station_measurements"
    assert [row[2] for row in table_of(found, "A_Analysis.csv")[2::2]] == ["<0.5", "<0.5"]
    assert json_of(found, "quality.json")["results"]["below_a_limit"] == 2


def test_it_says_why_the_column_is_taken(run: Run) -> None:
    role = run(of("Operator", equal="=")).detection.columns.roles["prefix"]
    assert (role.column, role.because) == ("Operator", "its cells are nothing but < and =")


def test_of_two_such_columns_that_differ_a_person_chooses(run: Run) -> None:
    content = of("Sign", more=",Other", of_more=("<", "", "", "<"))
    assert run(content).detection.band in ("review", "unsure")
    found = run(content, dataset_type="station_measurements")
    assert "was taken as prefix, but" in findings_of(found)
    chosen = run(content, {"columns": {"prefix": "Sign"}})
    assert [row[2] for row in table_of(chosen, "A_Analysis.csv")[2::2]] == ["<0.5", "<0.5"]


def test_a_wide_table_says_that_signs_are_left_aside(run: Run) -> None:
    found = run("Date,Station,?,Pb (µg/L),Zn (µg/L)\n2024-01-01,A,<,3,4\n2024-01-02,A,<,5,6\n")
    assert "were not used: ?. Results beside them were taken as measured." in findings_of(found)
