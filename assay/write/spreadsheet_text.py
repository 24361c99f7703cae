"""Text in CSV that no spreadsheet program takes for a formula.

The rule is OWASP's (https://owasp.org/www-community/attacks/CSV_Injection): an apostrophe goes in front of whatever
would begin a cell with = + - @, their full-width forms, tab, carriage return or line feed. docs/decisions/
hostile-input.md says which outputs follow it, and why.
"""

from __future__ import annotations

import polars as pl

# What a spreadsheet may pass over in front of a formula: blanks, what can't be seen, and quotes.
_BEFORE = (
    r"""((?:[^\S\t\r\n]|\p{Cf}|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f"'])*[=+\-@\x{FF1D}\x{FF0B}\x{FF0D}\x{FF20}])"""
)
# A cell begins with the text, and where a program that parts cells by semicolons or tabs, or does not see that the
# text stands within quotes, finds one of these.
_FORMULA = rf"(^|[;\t\r\n]){_BEFORE}"
_CONTROL = r"^('*[\t\r\n])"
_NUMBER = r"^[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?$"


def guarded(text: pl.Expr) -> pl.Expr:
    """Put the apostrophes in front; a text that is a number, such as -1.5, is no formula and stays as it is.

    No two texts become one: where an apostrophe stands before what would begin a formula, there was one less.
    """
    return text.map_batches(_guarded, return_dtype=pl.String, is_elementwise=True)


def _guarded(text: pl.Series) -> pl.Series:
    # To look costs a tenth of what it costs to replace, and there is hardly ever anything to replace; most columns have
    # few different texts.
    if not _risky(text.unique()).any():
        return text
    risky = _risky(text)
    safe = text.str.replace(_CONTROL, "'${1}").str.replace_all(_FORMULA, "${1}'${2}")
    return safe.zip_with(risky.fill_null(value=False), text)


def _risky(text: pl.Series) -> pl.Series:
    return text.str.contains(f"{_FORMULA}|{_CONTROL}") & ~text.str.contains(_NUMBER)
