"""Amounts such as 1.100 in a file from where a point groups thousands."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from assay.run import Analysis
from tests.assay.analyses import MakeSource, run_in
from tests.assay.outputs import json_of, path_of
from tests.assay.transactions.tables import amounts

Analyse = Callable[..., Analysis]

CELLS = ["1.100", "2.101", "13.250", "950"]
SAYS = "The points of Umsatz were read as decimal marks, but may group thousands"


def orders(cells: list[str], day: str = "0{at}.01.2025", delimiter: str = ";") -> str:
    lines = [delimiter.join([f"o_{at}", day.format(at=at), cell, f"c_{at}"]) + "\n" for at, cell in enumerate(cells, 1)]
    return delimiter.join(["Bestellnummer", "Bestelldatum", "Umsatz", "Kunde"]) + "\n" + "".join(lines)


@pytest.mark.parametrize(("day", "delimiter"), [("0{at}.01.2025", ";"), ("2025-01-0{at}", ";"), ("0{at}.01.2025", ",")])
def test_the_page_says_that_points_may_group_thousands(analyse: Analyse, day: str, delimiter: str) -> None:
    text = orders(CELLS[:3], day, delimiter)
    page = path_of(analyse(text), "dashboard.html").read_text()
    assert SAYS in page
    assert "the sum would be up to 16,451, not 16.451" in page
    read = analyse(text, {"reading": {"decimal": ","}})
    assert amounts(json_of(read, "kpis.json")) == {None: "16451"}
    assert SAYS not in path_of(read, "dashboard.html").read_text()


@pytest.mark.parametrize(
    "text",
    [
        orders([*CELLS, "1.25"]), orders([*CELLS, "0.500"]), orders([*CELLS, "1500"]), orders(["1.100,00", "2.101,00"]),
        orders(CELLS, "2025-01-0{at}", ","),
    ],
    ids=["two digits", "below 1", "four digits", "a comma", "no sign of such a country"],
)  # fmt: skip
def test_what_decides(analyse: Analyse, text: str) -> None:
    assert SAYS not in path_of(analyse(text), "dashboard.html").read_text()


def test_a_table_says_so_too(tmp_path: Path, make_source: MakeSource) -> None:
    found = run_in(tmp_path / "out", make_source("Name;Wert\na;1.100\nb;2.101\n"), None, "table")
    assert isinstance(found, Analysis)
    assert "but may group thousands" in path_of(found, "dashboard.html").read_text()
