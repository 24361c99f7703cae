"""The page of a hostile file, as the pipeline makes it, in a real browser."""

from __future__ import annotations

import csv
import io
import re
import shutil
from pathlib import Path

import pytest
from playwright.sync_api import Page as Tab
from playwright.sync_api import expect

from assay.page.model import Page, Table
from assay.run import Analysis
from tests.assay.analyses import run_in, write_source
from tests.assay.outputs import path_of
from tests.dashboard.tabs import OpenFile, OpenPage
from tests.hostile.formulas import FORMULAS, GUARDED, PLAIN, guard
from tests.hostile.markup import MARKUP, table

# A chart of each text as a parameter, with the station of that name, and one of Level with all stations.
CHARTS = len(MARKUP) + 1
# All that a click can reach, in one call: a thousand clicks of a mouse take seconds.
_USE_EVERYTHING = """async () => {
    const click = selector => document.querySelectorAll(selector).forEach(one => one.click());
    const settled = () => new Promise(done => requestAnimationFrame(() => setTimeout(done)));
    click("summary");
    await settled();
    for (const over of document.querySelectorAll(".u-over")) {
        const {left, top} = over.getBoundingClientRect();
        const at = {clientX: left + 50, clientY: top + 50, bubbles: true};
        over.dispatchEvent(new MouseEvent("mouseenter", at));
        over.dispatchEvent(new MouseEvent("mousemove", at));
        const plot = over.closest("[role=application]");
        for (const key of ["End", "+", "Escape", "Home"]) plot.dispatchEvent(new KeyboardEvent("keydown", {key}));
    }
    const read = document.querySelectorAll(".readout:not([hidden])").length;
    click("button");
    await settled();
    click("button.sort, .toggle");
    await settled();
    return read;
}"""


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("hostile")
    found = run_in(folder / "outputs", write_source(folder / "upload", table(MARKUP), "field.csv"))
    assert isinstance(found, Analysis)
    return path_of(found, "dashboard.html")


@pytest.fixture
def page_file(hostile: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(hostile, tmp_path))


def use_everything(tab: Tab) -> None:
    """Draw every chart and touch all that can be touched."""
    height = int(tab.evaluate("document.documentElement.scrollHeight"))
    tab.set_viewport_size({"width": 1280, "height": height})
    expect(tab.locator(".panel canvas")).to_have_count(CHARTS)
    tab.locator(".u-over").first.hover()
    assert tab.evaluate(_USE_EVERYTHING) == CHARTS
    assert tab.locator("button.sort").count() > 6 * len(MARKUP)
    assert "Copied" in tab.get_by_role("status").all_text_contents()


def test_nothing_runs_and_nothing_is_asked_for(open_file: OpenFile, page_file: Path) -> None:
    tab = open_file(page_file)
    use_everything(tab)
    assert tab.title() == "Station measurements"
    assert tab.locator(".panel").count() == CHARTS
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
