"""The forms in which people write numbers."""

from __future__ import annotations

import re

from assay.formats.currencies import CURRENCY

SPACES = "\u00a0\u2007\u2009\u202f"
"""The spaces at which no line breaks: they group thousands as a plain one does."""

NO_CENTS = r"(?:--?|[\u2013\u2014])"
"""What stands behind the decimal mark where cents would: 5,- and 5.\u2013 are 5."""

_MARK = rf"[., '\u2019{SPACES}]"
# Each alternative begins and goes on in one way alone, and what is skipped is not taken back: no text takes long.
NUMBER = (
    rf"(?P<open>\()?\s*+[-+\u2212]?\s*+(?:(?![0-9.,]){CURRENCY})?\s*+[-+\u2212]?\s*+"
    # Also as in India: 12,34,567.
    rf"(?:[0-9]{{1,3}}+(?:{_MARK}[0-9]{{3}})+|[0-9]{{1,2}}+(?:,[0-9]{{2}})+,[0-9]{{3}}|[0-9]++|(?=[.,][0-9]))(?:[.,][0-9]*+)?"
    rf"(?:(?<=[.,]){NO_CENTS}|[eE][-+]?[0-9]{{1,3}}+)?\s*+(?:%|{CURRENCY})?\s*+[-\u2212]?\s*+(?(open)\))"
)
"""A number, alone or with a currency or a percent sign, as a regular expression for Python.

A minus may stand before or behind it, and brackets around it. Decimals and thousands may have any mark: which is which
the whole column tells.
"""

_NUMBER = re.compile(NUMBER)


def is_number(text: str) -> bool:
    """Whether trimmed text has the form of a number."""
    return _NUMBER.fullmatch(text) is not None
