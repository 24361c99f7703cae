"""The page of a hostile file, as the pipeline makes it, in a real browser."""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path

import pytest
from playwright.sync_api import Page as Tab
from playwright.sync_api import expect

from functions.process.dashboard.page import Page, Table
from tests.dashboard.conftest import OpenFile, OpenPage
from tests.hostile.markup import MARKUP, table
from tests.hostile.test_formulas import FORMULAS, GUARDED, PLAIN, guard
from tests.process.conftest import Run, make_source, run
from tests.process.outputs import path_of

__all__ = ["make_source", "run"]


@pytest.fixture
def page_file(run: Run) -> Path:
    return path_of(run(table(MARKUP)), "dashboard.html")


def use_everything(tab: Tab) -> None:
    """Draw every chart and touch all that can be touched."""
    for panel in tab.locator(".panel").all():
        panel.scroll_into_view_if_needed()
        expect(panel.locator("canvas")).to_have_count(1)
        panel.locator(".u-over").hover()
        panel.get_by_role("button", name="None", exact=True).click()
        panel.get_by_role("button", name="All", exact=True).click()
        panel.locator("summary").click()
    for sort in tab.locator("button.sort").all():
        sort.click()
    for copy in tab.get_by_role("button", name="Copy as CSV").all():
        copy.click()


def test_nothing_runs_and_nothing_is_asked_for(open_file: OpenFile, page_file: Path) -> None:
    tab = open_file(page_file)
    use_everything(tab)
    assert tab.title() == "Station measurements"
    assert tab.locator(".panel").count() == len(MARKUP)
    for element in ("img", "iframe", "form", "base", "object", "math", "body script:not([type]) ~ script"):
        assert tab.locator(element).count() == 0
    assert (
        tab.evaluate(
            "[...document.querySelectorAll('*')].flatMap(e => [...e.attributes]).filter(a => /^on/.test(a.name)).length"
        )
        == 0
    )
    titles = tab.locator(".panel h3").all_text_contents()
    assert {text for text in MARKUP if text.isprintable()} <= set(titles)
    assert not any(re.search("[\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]", title) for title in titles)


@pytest.mark.parametrize(
    "markup",
    [
        "<script>document.title = 'taken'</script>",
        "<img src=x onerror=\"document.title = 'taken'\">",
        "<iframe srcdoc=\"<script>parent.document.title = 'taken'</script>\"></iframe>",
        "<style>body { display: none }</style>",
        "<link rel=stylesheet href='data:text/css,body{display:none}'>",
        "<object data='data:text/html,<script>1</script>'></object>",
        "<base href='http://127.0.0.1:1/'>",
    ],
)
def test_were_the_escaping_wrong_the_policy_would_stop_it(markup: str, context_tab: Tab, page_file: Path) -> None:
    text = page_file.read_text(encoding="utf-8")
    page_file.write_text(text.replace("<footer>", f"{markup}<footer>"), encoding="utf-8")
    complaints: list[str] = []
    context_tab.on("console", lambda message: complaints.append(message.text))
    context_tab.goto(page_file.as_uri())
    assert context_tab.title() == "Station measurements"
    expect(context_tab.locator("footer")).to_be_visible()
    assert context_tab.evaluate("document.baseURI") == page_file.as_uri()
    assert any("Content Security Policy" in one for one in complaints)


def test_the_policy_stops_a_script_that_would_write_markup(context_tab: Tab, page_file: Path) -> None:
    context_tab.goto(page_file.as_uri())
    refused = context_tab.evaluate(
        "() => { try { document.body.innerHTML = '<b>x</b>'; return false } catch { return true } }"
    )
    assert refused


def test_what_is_copied_holds_no_formula(open_page: OpenPage) -> None:
    texts = [text for text in [*FORMULAS, *GUARDED, *PLAIN] if text.isprintable() and len(text) < 60]
    rows: list[list[str | float | None]] = [[text, -1.5] for text in texts]
    tab = open_page(Page("Copy", "", [], [], [], [Table("T", ["=1+1", "-"], rows)]))
    tab.get_by_role("button", name="Copy as CSV").click()
    expect(tab.get_by_role("status")).to_have_text("Copied")
    copied = str(tab.evaluate("navigator.clipboard.readText()"))
    header, *lines = csv.reader(io.StringIO(copied))
    assert header == ["'=1+1", "'-"]
    assert lines == [[guard(text), "-1.5"] for text in texts]
