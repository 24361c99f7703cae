"""Whether the lines of a text are the cells of one column."""

from __future__ import annotations

import re
from collections.abc import Sequence

from assay.formats.cells import Looks, looks
from assay.formats.text.around import NEARLY
from assay.formats.text.dialect import Dialect
from assay.formats.text.weigh import USUAL

# Phones, addresses of devices: values that marks part.
_WHOLE_VALUE = re.compile(
    r"(?:\+[0-9]{1,4}|\(\+?[0-9]{1,5}\)|0[0-9]{1,5}|[0-9]{3}(?=[-. ][0-9]{3}[-. ][0-9]{4}))"
    r"(?:[ /.-]{1,3}\(?[0-9]{2,}\)?)+"
    r"(?: ?(?:x|ext\.?|#) ?[0-9]{1,6})?|(?:[0-9A-Fa-f]{2}[:-]){5,7}[0-9A-Fa-f]{2}"
    r"|(?:[0-9A-Fa-f]{0,4}:){2,7}[0-9A-Fa-f]{1,4}|(?:[A-Za-z]:)?[\\/]?(?:[^\\/\s,;|]+[\\/])+[^\\/,;|]*"
)


def is_one_column(sample: Sequence[str], dialect: Dialect) -> bool:
    """Whether lines are cells of one column, in which a delimiter stands: dates and times, numbers, links, names."""
    first, *below = [line.strip() for line in sample if line.strip() and not dialect.passes_over(line)] or [""]
    if not below or (dialect.quote and any(dialect.quote in line for line in below)):
        return False
    delimiter, is_usual = dialect.delimiter, dialect.delimiter in USUAL
    named = delimiter.strip() not in first if delimiter.strip() else delimiter not in first
    kinds = [Looks.LINK if _WHOLE_VALUE.fullmatch(line) else looks(line) for line in (first, *below)]
    numbers, texts = kinds[1:].count(Looks.NUMBER), kinds[1:].count(Looks.TEXT)
    if texts <= (1 - NEARLY) * len(below):
        # Numbers with a mark in them may be two; dates with times, phones and links are one.
        return named or (not is_usual and not numbers)
    split = sum(all(looks(cell) is Looks.TEXT for cell in line.split(delimiter)) for line in below)
    if delimiter == " ":
        # Names of two words, with or without a header.
        return (
            split >= NEARLY * len(below)
            and len({len(line.split(" ")) for line in below}) <= 2
            and (named or len(first.split(" ")) <= 2)
        )
    # Surnames with a comma, addresses, sentences: a blank follows each comma, and the header has none.
    prose = all(line.count(", ") == line.count(",") for line in below)
    return named and delimiter == "," and prose and split == len(below)
