"""What a page must have for those who cannot see it well, or have no mouse: WCAG 2.2, as far as code can tell."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect
from playwright.sync_api import Page as Tab

from assay.page.html import write_page
from assay.page.model import Page
from tests.dashboard.samples import stations, transactions
from tests.dashboard.tabs import OpenPage

# The contrast of each text to what lies behind it (WCAG 2.2, 1.4.3), of all that can be seen and is not switched off.
_CONTRASTS = """() => {
    const context = new OffscreenCanvas(1, 1).getContext("2d", {willReadFrequently: true});
    const over = (colours) => {
        context.clearRect(0, 0, 1, 1);
        for (const colour of colours) {
            context.fillStyle = colour;
            context.fillRect(0, 0, 1, 1);
        }
        return [...context.getImageData(0, 0, 1, 1).data];
    };
    const behind = (element) => {
        const found = [];
        for (let at = element; at; at = at.parentElement) found.unshift(getComputedStyle(at).backgroundColor);
        return found;
    };
    const light = ([r, g, b]) => {
        const linear = [r, g, b].map(one => one / 255)
            .map(one => one <= 0.04045 ? one / 12.92 : ((one + 0.055) / 1.055) ** 2.4);
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2];
    };
    const contrast = (front, ground) => {
        const [low, high] = [light(over([...ground, front])), light(over(ground))].sort((a, b) => a - b);
        return (high + 0.05) / (low + 0.05);
    };
    const texts = [...document.body.querySelectorAll("*")].filter(one =>
        [...one.childNodes].some(node => node.nodeType === 3 && node.textContent.trim())
        && one.checkVisibility() && !one.closest(":disabled, script"));
    const text = texts.map(one => [one.textContent.slice(0, 40), contrast(getComputedStyle(one).color, behind(one))]);
    const style = document.documentElement.appendChild(document.createElement("i"));
    const card = document.querySelector(".card");
    const drawn = [...Array(8).keys()].map(at => `--line-${at}`).concat("--bar", "--accent").map(name => {
        style.style.color = `var(${name})`;
        return [name, contrast(getComputedStyle(style).color, behind(card))];
    });
    style.remove();
    return {text, drawn};
}"""


@pytest.fixture(scope="module", params=[stations(), transactions()], ids=lambda page: page.title)
def page_file(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("page") / "dashboard.html"
    write_page(request.param, path)
    return path


@pytest.fixture(scope="module")
def unfolded(browser: Browser, page_file: Path) -> Iterator[Tab]:
    """Draw every chart and open every disclosure."""
    context = browser.new_context()
    tab = context.new_page()
    tab.goto(page_file.as_uri())
    tab.set_viewport_size({"width": 1280, "height": int(tab.evaluate("document.documentElement.scrollHeight"))})
    expect(tab.locator(".panel canvas")).to_have_count(tab.locator(".panel").count())
    tab.locator("summary").evaluate_all("all => all.forEach(one => one.click())")
    expect(tab.locator("details:not([open])")).to_have_count(0)
    expect(tab.locator("table:not(:has(.sort))")).to_have_count(0)
    yield tab
    context.close()


def test_all_that_can_be_used_has_a_name(unfolded: Tab) -> None:
    found: dict[str, Any] = unfolded.context.new_cdp_session(unfolded).send("Accessibility.getFullAXTree")
    nodes = [
        (node["role"]["value"], node.get("name", {}).get("value", ""))
        for node in found["nodes"]
        if not node.get("ignored")
    ]
    roles = Counter(role for role, _ in nodes)
    named = {"button", "link", "application", "region", "article", "heading", "navigation", "rowheader"}
    assert [role for role, name in nodes if role in named and not name.strip()] == []
    assert roles["application"] == unfolded.locator(".panel").count()
    assert {"banner", "main", "contentinfo"} <= set(roles)
    assert roles["image"] == 0


def test_headings_and_tables_are_in_order(unfolded: Tab) -> None:
    levels = unfolded.locator("h1, h2, h3, h4").evaluate_all("all => all.map(one => Number(one.tagName[1]))")
    assert levels.count(1) == 1
    assert levels[0] == 1
    assert all(later - earlier <= 1 for earlier, later in pairwise(levels))
    assert unfolded.locator("th:not([scope=col], [scope=row])").count() == 0
    assert unfolded.locator(".scroll:not([tabindex='0'][role=region])").count() == 0
    ids = unfolded.locator("[id]").evaluate_all("all => all.map(one => one.id)")
    assert [one for one, times in Counter(ids).items() if times > 1] == []
    asked = unfolded.locator("[aria-labelledby], [aria-describedby]").evaluate_all(
        "all => all.flatMap(one => [one.getAttribute('aria-labelledby'), one.getAttribute('aria-describedby')])"
    )
    assert {one for one in asked if one} <= set(ids)


def test_every_chart_is_told_in_words_and_has_its_table(unfolded: Tab) -> None:
    cards = unfolded.locator(".panel").all()
    assert cards
    for card in cards:
        described = card.get_by_role("application").get_attribute("aria-describedby")
        words = card.locator(f"[id='{described}']").text_content()
        assert words
        assert words.startswith(("Line chart of ", "Bar chart of ", "Histogram of "))
        assert card.get_by_role("table").count() >= 1


@pytest.mark.parametrize("theme", ["Light", "Dark"])
def test_contrast_is_enough(unfolded: Tab, theme: str) -> None:
    unfolded.get_by_role("button", name=theme, exact=True).click()
    found = unfolded.evaluate(_CONTRASTS)
    assert len(found["text"]) > 100
    assert [(text, round(ratio, 2)) for text, ratio in found["text"] if ratio < 4.5] == []
    assert [(name, round(ratio, 2)) for name, ratio in found["drawn"] if ratio < 3] == []


def test_the_page_can_be_used_by_key_alone(open_page: OpenPage, sample: Page) -> None:
    tab = open_page(sample)
    expect(tab.locator(".panel canvas").first).to_be_visible()
    seen = []
    for _ in range(40):
        tab.keyboard.press("Tab")
        role, outline = tab.evaluate(
            "() => [document.activeElement.role ?? document.activeElement.tagName,"
            " getComputedStyle(document.activeElement).outlineStyle]"
        )
        assert outline != "none", "the focus can be seen"
        seen.append(role)
        if role == "application":
            break
    assert seen[:3] == ["BUTTON"] * 3, "the colours come first"
    assert seen[-1] == "application", "a chart takes the focus"
    tab.keyboard.press("ArrowRight")
    expect(tab.locator(".readout:not([hidden])")).to_have_count(1)
    tab.keyboard.press("Tab")
    expect(tab.locator(".readout:not([hidden])")).to_have_count(0)
