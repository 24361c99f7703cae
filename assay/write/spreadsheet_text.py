"""Escape text in CSV so that no spreadsheet program reads it as a formula.

The rule is OWASP's (https://owasp.org/www-community/attacks/CSV_Injection): an apostrophe precedes a cell that starts
with = + - @, their full-width forms, tab, carriage return or line feed. See docs/decisions/hostile-input.md for the
outputs that it applies to.
"""

from __future__ import annotations

import polars as pl

# Characters that a spreadsheet may skip before a formula: blanks, invisible characters, and quotes.
_BEFORE = (
    r"""((?:[^\S\t\r\n]|\p{Cf}|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f"'])*[=+\-@\x{FF1D}\x{FF0B}\x{FF0D}\x{FF20}])"""
)
# A cell starts at the start of the text, and after each of these characters in a program that separates cells by
# semicolons or tabs, or that ignores quotes.
_FORMULA = rf"(^|[;\t\r\n]){_BEFORE}"
_CONTROL = r"^('*[\t\r\n])"
_NUMBER = r"^[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?$"


def guarded(text: pl.Expr) -> pl.Expr:
    """Add the apostrophes. A number, such as -1.5, is not a formula and does not change.

    The mapping is injective: text that already has an apostrophe before a formula gets another one.
    """
    return text.map_batches(_guarded, return_dtype=pl.String, is_elementwise=True)


def _guarded(text: pl.Series) -> pl.Series:
    # Searching costs a tenth of replacing, and replacing is rarely needed. Most columns have few distinct texts.
    if not _risky(text.unique()).any():
        return text
    risky = _risky(text)
    safe = text.str.replace(_CONTROL, "'${1}").str.replace_all(_FORMULA, "${1}'${2}")
    return safe.zip_with(risky.fill_null(value=False), text)


def _risky(text: pl.Series) -> pl.Series:
    return text.str.contains(f"{_FORMULA}|{_CONTROL}") & ~text.str.contains(_NUMBER)
