"""Texts and numbers as the page shows them, its figures and its findings."""

from __future__ import annotations

import html
import re
from collections.abc import Sequence
from math import isfinite

from assay.page.model import Figure, Finding, Tone

MAX_TEXT = 300
MAX_NOTE = 2000
MAX_FINDINGS = 100
# Characters of a figure that fit a tile in large print.
_TILE = 9
_SIX_DIGITS, _PLAIN = 1e5, 1e15

# Controls, surrogates, the marks that turn the direction of the text around them, and what nobody sees: two names
# must not look the same, nor one like another read backwards. The joiners stay, for emoji and Persian need them.
_UNFIT = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u200e\u200f\u2028-\u202e"
    "\u2060-\u206f\u3164\ud800-\udfff\ufeff\uffa0\ufff0-\ufffb\ufffe\uffff\U0001bca0-\U0001bca3\U000e0000-\U000e0fff]"
)
_TONES: dict[Tone, str] = {"bad": "Problem", "warn": "Warning", "good": "Good", "plain": "Note"}

ICONS = (
    '<svg width="0" height="0" aria-hidden="true" class="icons">'
    '<symbol id="i-bad" viewBox="0 0 16 16"><path d="M5 1h6l4 4v6l-4 4H5l-4-4V5zM5.2 4 4 5.2 6.8 8 4 10.8 5.2 12 8 9.2'
    ' 10.8 12l1.2-1.2L9.2 8 12 5.2 10.8 4 8 6.8z"/></symbol>'
    '<symbol id="i-warn" viewBox="0 0 16 16"><path d="M8 1 .5 15h15zm-.9 5h1.8l-.2 4.6H7.3zM8 11.6a1 1 0 1 1 0 2 1 1 0'
    ' 0 1 0-2z"/></symbol>'
    '<symbol id="i-good" viewBox="0 0 16 16"><path d="M8 .8a7.2 7.2 0 1 0 0 14.4A7.2 7.2 0 0 0 8 .8zm-1 10.6L3.6 8l1.2'
    '-1.2L7 9l4.2-4.3 1.2 1.2z"/></symbol>'
    '<symbol id="i-plain" viewBox="0 0 16 16"><path d="M8 .8a7.2 7.2 0 1 0 0 14.4A7.2 7.2 0 0 0 8 .8zm-1 6h2v5H7zm1-3.4'
    'a1.1 1.1 0 1 1 0 2.2 1.1 1.1 0 0 1 0-2.2z"/></symbol></svg>'
)


def clean(text: str, most: int = MAX_TEXT) -> str:
    """Make a text fit to be shown: what is no character to see becomes U+FFFD, what is beyond `most` of them `…`."""
    shown = text if len(text) <= most else text[: most - 1] + "…"
    return _UNFIT.sub("\ufffd", shown)


def escape(text: str) -> str:
    """Clean a text and make it fit for HTML, in an element or a quoted attribute."""
    return html.escape(clean(text))


def number(value: float) -> str:
    """Show a number in six digits at most, but whole numbers, and all that stands before the point, in full."""
    if isinstance(value, int) or (isfinite(value) and value.is_integer() and abs(value) < _PLAIN):
        return str(int(value))
    if _SIX_DIGITS <= abs(value) < _PLAIN:
        return f"{value:.2f}".rstrip("0").rstrip(".")
    return f"{value:.6g}"


def count(size: int, word: str) -> str:
    """Say how many: `1 chart`, `1,200 charts`."""
    return f"{size:,} {word}" if size == 1 else f"{size:,} {word}s"


def few(names: Sequence[str], limit: int = 10) -> str:
    """Name the first, and say how many more there are."""
    return ", ".join(names[:limit]) + (f" and {len(names) - limit:,} more" if len(names) > limit else "")


def note(text: str, kind: str = "note") -> str:
    """Make a line of small print; nothing for no text."""
    return f'<p class="{kind}">{html.escape(clean(text, MAX_NOTE))}</p>' if text else ""


def figures(items: Sequence[Figure]) -> str:
    """Make the key figures into tiles."""
    if not items:
        return ""
    # One size for all: a figure in smaller print would look less important.
    size = " class=lengthy" if any(len(line) > _TILE for item in items for line in (item.value, *item.more)) else ""
    tiles = "".join(_tile(item, size) for item in items)
    return f'<section aria-labelledby="figures"><h2 id="figures" class="vh">Key figures</h2><dl>{tiles}</dl></section>'


def _tile(item: Figure, size: str) -> str:
    icon = "" if item.tone == "plain" else _icon(item.tone)
    value = escape(item.value)
    if item.more:
        value = f"<span>{'<br>'.join([value, *map(escape, item.more)])}</span>"
    return f'<div class="tile {item.tone}"><dt>{escape(item.label)}</dt><dd{size}>{icon}{value}</dd></div>'


def findings(items: Sequence[Finding]) -> str:
    """List the findings, the worst first."""
    if not items:
        return ""
    order = list(_TONES)
    ranked = sorted(items, key=lambda item: order.index(item.tone))
    lines = "".join(
        f'<li class="{item.tone}">{_icon(item.tone)}<span>{escape(item.text)}</span></li>'
        for item in ranked[:MAX_FINDINGS]
    )
    left = len(ranked) - MAX_FINDINGS
    more = note(f"{count(left, 'more finding')} left out here.") if left > 0 else ""
    return (
        f'<section aria-labelledby="findings"><h2 id="findings">Findings</h2>'
        f'<ul class="findings">{lines}</ul>{more}</section>'
    )


def _icon(tone: Tone) -> str:
    return f'<svg class="icon" aria-hidden="true"><use href="#i-{tone}"/></svg><span class="vh">{_TONES[tone]}: </span>'
