"""A realistic page, the browser, and a watch over everything that a page does in it."""

from __future__ import annotations

import math
import os
import random
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Dialog, Request, sync_playwright
from playwright.sync_api import Page as Tab

from functions.process.dashboard.html import write_page
from functions.process.dashboard.page import Figure, Finding, Page, Panel, Series, Table

_BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
_FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)
# Parameter, usual value, swing over the year, days between two values.
_PARAMETERS = (
    ("Temp", 14.0, 8.0, 1),
    ("pH", 7.9, 0.3, 1),
    ("DO", 9.2, 2.0, 1),
    ("Cond", 720.0, 160.0, 1),
    ("Turb", 14.0, 9.0, 1),
    ("Level", 1.4, 0.5, 1),
    ("NO3", 3.1, 1.2, 7),
    ("NH4", 0.12, 0.06, 7),
    ("TP", 0.21, 0.08, 7),
    ("Cl", 88.0, 20.0, 14),
    ("SO4", 61.0, 12.0, 14),
    ("E. coli", 240.0, 180.0, 30),
)


def _series(parameter: tuple[str, float, float, int], days: int, chance: random.Random) -> Series:
    name, usual, swing, every = parameter
    values: list[float | None] = []
    drift = 0.0
    for day in range(days):
        drift = 0.92 * drift + chance.gauss(0, 0.12)
        silent = 130 <= day < 152 and name in {"Temp", "pH", "DO"}
        if day % every or silent or chance.random() < 0.03:
            values.append(None)
        else:
            year = math.sin(2 * math.pi * (day - 105) / 365)
            values.append(round(max(usual * 0.05, usual + swing * (year + drift)), 3))
    return Series(name, values)


@pytest.fixture(scope="session")
def sample() -> Page:
    """Two stations, twelve parameters, a year of days with gaps: what the station pipeline writes."""
    chance = random.Random(7)  # noqa: S311 - a sample, not a secret
    days = [date(2024, 1, 1) + timedelta(days=day) for day in range(366)]
    panels = [
        Panel(
            f"Station {name}",
            days,
            [_series(one, 366, chance) for one in _PARAMETERS],
            "Daily mean of each parameter.",
        )
        for name in ("CT", "TUS")
    ]
    missing = [("Depth_M", 96.4), ("LEW_Pct", 91.2), ("QCode", 34.0), ("Result", 2.9), ("PCode", 0.0)]
    return Page(
        title="Station measurements",
        subtitle="CT and TUS, 2024-01-01 to 2024-12-31. Mean of each calendar date.",
        figures=[
            Figure("Rows read", "5,184"),
            Figure("Rows used", "5,161", "good"),
            Figure("Rows refused", "23", "warn"),
            Figure("Stations", "2"),
            Figure("Parameters", "12"),
            Figure("Outliers", "14", "bad"),
        ],
        findings=[
            Finding("No row appears twice.", "good"),
            Finding("Column LEW_Pct is blank in 91.2 % of the rows (alert at 20 %).", "warn"),
            Finding("Column Depth_M is blank in 96.4 % of the rows (alert at 20 %).", "warn"),
            Finding("Turb at CT has 14 values beyond three standard deviations (alert at 10).", "bad"),
            Finding("23 rows are kept in the lineage and refused from the analysis; the table below says why."),
        ],
        panels=panels,
        tables=[
            Table(
                "Refused rows",
                ["Reason", "Rows", "First row", "Example"],
                [
                    ["Result is no number", 14, 212, "<0.01"],
                    ["Date is missing", 6, 1840, None],
                    ["Parameter code is missing", 3, 77, None],
                ],
            ),
            Table("Missing values by column", ["Column", "Missing %"], [list(one) for one in missing]),
            Table(
                "Lineage",
                ["Row", "Station", "Date and time", "Parameter", "Result", "SHA-256"],
                [
                    [
                        row,
                        "CT" if row % 2 else "TUS",
                        f"2024-01-{1 + row % 28:02} 06:00:00",
                        name,
                        1.411 * row,
                        f"{row:064x}",
                    ]
                    for row, (name, *_) in enumerate(_PARAMETERS * 9, start=1)
                ],
                "The first 108 of 5,184 rows; audit_lineage.csv holds all of them.",
            ),
        ],
    )


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Start the machine's own Chromium; where there is none the test is skipped, but fails in CI.

    For no longer than a module: as long as Playwright runs, no other event loop can in this thread.
    """
    program = next((found for name in _BROWSERS if (found := shutil.which(name))), None)
    if program is None:
        reason = f"NO BROWSER: none of {', '.join(_BROWSERS)} is installed, so the dashboard is not tried in one"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=program, args=list(_FLAGS))
        yield opened
        opened.close()


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


OpenPage = Callable[[Page], Tab]
OpenFile = Callable[[Path], Tab]


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    made = browser.new_context(viewport={"width": 1280, "height": 900})
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
