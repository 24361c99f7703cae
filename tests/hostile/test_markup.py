"""What would be markup or script in a cell, a header or a name is text in the page and in the workbooks."""

from __future__ import annotations

import json

import openpyxl
import pytest

from assay.run import Analysis
from tests.assay.analyses import Run, run_in, write_source
from tests.assay.outputs import json_of, path_of
from tests.dashboard.parsed import Parsed
from tests.hostile.markup import MARKUP, table


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Analysis:
    folder = tmp_path_factory.mktemp("markup")
    source = write_source(folder / "upload", table(MARKUP), f"{MARKUP[0].replace('/', '')}.csv")
    analysis = run_in(folder / "outputs", source)
    assert isinstance(analysis, Analysis)
    return analysis


def test_the_page_has_the_elements_of_any_page(found: Analysis, run: Run) -> None:
    plain = run(table([f"text {n:02}" for n in range(len(MARKUP))]))
    hostile, honest = (Parsed(path_of(one, "dashboard.html").read_text(encoding="utf-8")) for one in (found, plain))
    assert set(hostile.tags) == set(honest.tags)
    for tag in ("script", "style", "svg", "title", "table", "a", "button"):
        assert hostile.tags.count(tag) == honest.tags.count(tag)
    assert not {"img", "iframe", "base", "form", "object", "math"} & set(hostile.tags)


def test_names_are_in_the_page_as_they_are(found: Analysis) -> None:
    parsed = Parsed(path_of(found, "dashboard.html").read_text(encoding="utf-8"))
    seen = [text for text in MARKUP if text.isprintable()]
    assert len(seen) >= len(MARKUP) - 5
    for text in seen:
        assert text in parsed.text
    data = [json.loads(body) for _, attributes, body in parsed.raw if "type" in attributes]
    assert {panel["title"] for panel in data} >= set(seen)


def test_names_are_in_the_workbooks_as_they_are(found: Analysis) -> None:
    titles = set()
    for output in found.outputs:
        if output.name.endswith(".xlsx"):
            sheet = openpyxl.load_workbook(output.path).active
            assert sheet is not None
            titles.add(sheet["A2"].value)
    assert titles == set(MARKUP)


def test_names_are_in_the_json_as_they_are(found: Analysis) -> None:
    assert json_of(found, "quality.json")["columns"]["ignored"] == MARKUP
