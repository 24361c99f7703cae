"""The browser, and a watch over everything that a page does in it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Dialog, Request
from playwright.sync_api import Page as Tab

from assay.page.html import write_page
from assay.page.model import Page
from tests.dashboard.chromium import NAMES, program, started
from tests.dashboard.samples import stations
from tests.dashboard.tabs import OpenFile, OpenPage
from tests.machine import not_tested_here


@pytest.fixture(scope="session")
def sample() -> Page:
    return stations()


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """Start the machine's own Chromium; where there is none the test is skipped, but fails in CI.

    For these tests alone: as long as Playwright runs, no other event loop can in this thread.
    """
    path = program()
    if path is None:
        not_tested_here(f"the dashboards. There is no browser: none of {', '.join(NAMES)}.")
    with started(path) as opened:
        yield opened


@dataclass
class Watch:
    """What went wrong in a tab: console errors and warnings (a CSP breach is one), exceptions, dialogs, requests."""

    wrong: list[str] = field(default_factory=list)

    def over(self, tab: Tab, path: Path) -> None:
        own = path.as_uri()

        def console(message: ConsoleMessage) -> None:
            if message.type in {"error", "warning"}:
                self.wrong.append(f"console: {message.text}")

        def request(sent: Request) -> None:
            if sent.url != own and not sent.url.startswith("data:"):
                self.wrong.append(f"request: {sent.url}")

        def dialog(asked: Dialog) -> None:
            self.wrong.append(f"dialog: {asked.message}")
            asked.dismiss()

        tab.on("console", console)
        tab.on("request", request)
        tab.on("pageerror", lambda error: self.wrong.append(f"exception: {error}"))
        tab.on("dialog", dialog)


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    made = browser.new_context(viewport={"width": 1280, "height": 900})
    made.set_default_timeout(8_000)
    made.grant_permissions(["clipboard-read", "clipboard-write"])
    yield made
    made.close()


@pytest.fixture
def open_file(context: BrowserContext) -> Iterator[OpenFile]:
    """Open a page from disk, and at the end of the test hold it to having done nothing but its work."""
    watch = Watch()

    def opened(path: Path) -> Tab:
        tab = context.new_page()
        watch.over(tab, path)
        tab.goto(path.as_uri())
        return tab

    yield opened
    assert watch.wrong == []


@pytest.fixture
def open_page(open_file: OpenFile, tmp_path: Path) -> OpenPage:
    """Write a page and open it as `open_file` does."""

    def opened(page: Page) -> Tab:
        path = tmp_path / "dashboard.html"
        write_page(page, path)
        return open_file(path)

    return opened


@pytest.fixture
def context_tab(context: BrowserContext) -> Tab:
    """A tab that nobody watches over: for pages in which something is to go wrong."""
    return context.new_page()
