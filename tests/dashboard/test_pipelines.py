"""The pages of the examples, as their pipelines make them, in a real browser and on paper."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page as Tab
from playwright.sync_api import expect

from assay.page.html import MAX_BYTES
from tests.dashboard.screenshots import EXAMPLES, dashboard_of
from tests.dashboard.tabs import OpenFile


@pytest.fixture(scope="module", params=EXAMPLES)
def page_file(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return dashboard_of(request.param, tmp_path_factory.mktemp("example"))


def draw_all(tab: Tab) -> None:
    tab.set_viewport_size({"width": 1280, "height": int(tab.evaluate("document.documentElement.scrollHeight"))})
    expect(tab.locator(".panel canvas")).to_have_count(tab.locator(".panel").count())


# `open_file` holds each page to an empty console and to asking for nothing.
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_it_opens_in_both_themes(open_file: OpenFile, page_file: Path, theme: str) -> None:
    assert page_file.stat().st_size <= MAX_BYTES
    tab = open_file(page_file)
    tab.emulate_media(color_scheme="dark" if theme == "dark" else "light")
    draw_all(tab)
    expect(tab.get_by_role("heading", level=1)).to_be_visible()
    ground = tab.evaluate("getComputedStyle(document.body).backgroundColor")
    assert ground == {"light": "rgb(244, 246, 248)", "dark": "rgb(13, 17, 23)"}[theme]


def test_nothing_is_wider_than_a_phone_or_a_sheet(open_file: OpenFile, page_file: Path) -> None:
    tab = open_file(page_file)
    draw_all(tab)
    tab.set_viewport_size({"width": 390, "height": 844})
    assert tab.evaluate("document.documentElement.scrollWidth") <= 390
    tab.set_viewport_size({"width": 700, "height": 900})
    tab.evaluate("dispatchEvent(new Event('beforeprint'))")
    tab.emulate_media(media="print")
    wide = tab.evaluate(
        "[...document.querySelectorAll('table, canvas, h1, .tile')].filter(one => one.checkVisibility()"
        " && one.getBoundingClientRect().right > 690).map(one => one.closest('article')?.innerText.slice(0, 40))"
    )
    assert wide == []
    expect(tab.locator(".actions").first).to_be_hidden()
    tab.emulate_media(media="screen")
    tab.evaluate("dispatchEvent(new Event('afterprint'))")
    assert tab.evaluate("document.documentElement.matches('[data-paper], [data-theme]')") is False
    assert tab.locator("table").evaluate_all("all => all.every(one => one.style.zoom === '')")
