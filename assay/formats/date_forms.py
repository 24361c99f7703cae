"""The forms in which people write dates and times."""

from __future__ import annotations

import re

from assay.formats.months import MONTHS

_CLOCK = (
    r"(?:[Tt]|\s+)(?P<hour>[0-9]{1,2}):(?P<minute>[0-5][0-9])(?::(?P<second>[0-5][0-9])(?:[.,](?P<fraction>[0-9]+))?)?"
    r"(?:\s*(?P<half>[AaPp])\.?[Mm]\.?)?"
)
_UTC = r"\s*(?:[Zz]|UTC|GMT)"
_OFFSET = r"\s*[+-][0-9]{2}(?::?[0-9]{2})?"
# An offset needs a time before it: 2024-01-02-05 is nothing.
_TIME = rf"(?:{_CLOCK}(?:{_OFFSET}|{_UTC})?|{_UTC})?$"
ZONED = rf"(?i)(?:{_UTC}|:[0-9.,]+{_OFFSET}|[Mm]\.?{_OFFSET})$"
"""The end of a date that names a zone or an offset, as a regular expression."""

MONTH = "(?:" + "|".join(sorted(MONTHS, key=len, reverse=True)) + ")"
"""A month's name or its short form in lower case, as a regular expression."""

# Any word: the names of months are looked up, which costs less than a pattern of all of them.
_NAME = r"(?P<name>[^\W\d_]{3,12})"
# 1. März, 1er mars, 1 de marzo, 1º de março, 1st of March.
_DAY_OF = (
    r"(?P<day>[0-9]{1,2})(?:\.|er|[º°ª]|st|nd|rd|th)?[-/\s]*(?:(?:de|of)\s+|d['\u2019])?"
    rf"{_NAME}\.?[-/\s,]+(?:del?\s+)?"
)
_SIGNED_CLOCK = (
    r"(?:\s*(?P<hour>[0-9]{1,2})\s*[:時时点시]\s*(?P<minute>[0-5]?[0-9])\s*[:分분]?"
    r"\s*(?:(?P<second>[0-5]?[0-9])(?:\.(?P<fraction>[0-9]+))?\s*[秒초]?)?(?:\s*(?P<half>[AaPp])[Mm])?)?$"
)
FAMILIES = {
    "plain": r"^[0-9]{4}-[0-9]{2}-[0-9]{2} (?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]$",
    "iso": r"^(?P<year>[0-9]{4})[-/](?P<month>[0-9]{1,2})[-/](?P<day>[0-9]{1,2})" + _TIME,
    "ordered": r"^(?P<first>[0-9]{1,2})[-/](?P<other>[0-9]{1,2})[-/](?P<year>[0-9]{4})" + _TIME,
    "dotted": r"^(?P<day>[0-9]{1,2})\.(?P<month>[0-9]{1,2})\.(?P<year>[0-9]{4})" + _TIME,
    "dotted_year": r"^(?P<year>[0-9]{4})\.\s?(?P<month>[0-9]{1,2})\.\s?(?P<day>[0-9]{1,2})\.?" + _TIME,
    "signed": r"^(?P<year>[0-9]{4})\s*[年년]\s*(?P<month>[0-9]{1,2})\s*[月월]\s*(?P<day>[0-9]{1,2})\s*[日일]"
    + _SIGNED_CLOCK,
    "named": rf"(?i)^{_DAY_OF}(?P<year>[0-9]{{4}})" + _TIME,
    "worded": rf"(?i)^{_NAME}\.?\s+(?P<day>[0-9]{{1,2}})(?:st|nd|rd|th)?(?:,\s*|\s+)(?P<year>[0-9]{{4}})" + _TIME,
    "short": r"^(?P<first>[0-9]{1,2})[-/](?P<other>[0-9]{1,2})[-/](?P<last>[0-9]{2})" + _TIME,
    "short_dotted": r"^(?P<day>[0-9]{1,2})\.(?P<month>[0-9]{1,2})\.(?P<short>[0-9]{2})" + _TIME,
    "short_named": rf"(?i)^{_DAY_OF}'?(?P<short>[0-9]{{2}})" + _TIME,
    "compact": r"^(?P<year>1[6-9][0-9]{2}|2[0-9]{3})(?P<month>0[1-9]|1[0-2])(?P<day>0[1-9]|[12][0-9]|3[01])"
    r"(?:[Tt\s]?(?P<hour>[0-2][0-9]):?(?P<minute>[0-5][0-9]):?(?P<second>[0-5][0-9])(?:[.,](?P<fraction>[0-9]+))?"
    rf"(?P<half>[AaPp])?(?:{_OFFSET}|{_UTC})?)?$",
}
"""The forms of a date by their names, as regular expressions for Polars and for Python."""

# Longer texts are no dates.
_LONGEST = 60


def _with_the_name(form: str) -> str:
    """A form of which no group is kept but the month's name."""
    body = form.removeprefix("(?i)")
    kept = re.sub(r"\?P<(?!name>)\w+>", "?:", body).replace("?P<name>", "")
    return kept if body == form else f"(?i:{kept})"


_ANY = re.compile("|".join(map(_with_the_name, FAMILIES.values())))


def is_date(text: str) -> bool:
    """Whether trimmed text has one of the forms, and the month's name is known; its numbers may be no day's."""
    if len(text) > _LONGEST or (found := _ANY.match(text)) is None:
        return False
    return found.lastindex is None or found[found.lastindex].lower() in MONTHS
