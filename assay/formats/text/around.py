"""What stands around the lines and the cells of a text, and is no part of them: quotes, bars, rules and blanks."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from itertools import islice

from assay.formats.text.dialect import BLANKS, RUNS, is_rule

# Of so many lines, or marks, must be true what is said of all.
NEARLY = 0.9
FEW = 4
# A rule stands among so many of the first lines.
_RULE_LINES = 12


def are_wrapped(lines: Sequence[str], inner: Sequence[str]) -> bool:
    """Whether (nearly) all lines but the first are quoted as a whole."""
    filled = [text != line for line, text in zip(lines, inner, strict=True) if line.strip()]
    return len(filled) > 1 and sum(filled[1:]) >= NEARLY * (len(filled) - 1)


def is_ruled(lines: Sequence[str], delimiter: str) -> bool:
    """Whether a line is drawn below the header, or above it."""
    if delimiter not in ("|", "\t", " ", RUNS):
        return False
    return any(is_rule(line) for line in islice((line for line in lines if line.strip()), _RULE_LINES))


def is_framed(lines: Sequence[str], delimiter: str) -> bool:
    """Whether (nearly) every line begins and ends with the delimiter, as in a table drawn with bars."""
    rows = [line.strip() for line in lines if line.strip() and not is_rule(line)]
    return delimiter == "|" and sum(row[0] == row[-1] == "|" for row in rows) > max(NEARLY * len(rows), 1)


def trims_blanks(lines: Sequence[str], delimiter: str, quote: str) -> bool:
    """Whether blanks stand beside (nearly) every delimiter or before all lines, or fill cells up to one width."""
    if delimiter in ("", " ", RUNS):
        return False
    rows = [line.rstrip("\r\n") for line in lines if delimiter in line and not is_rule(line)]
    if quote:
        mark = re.escape(quote)
        quoted = re.compile(f"{mark}[^{mark}]*{mark}")
        rows = [quoted.sub(lambda one: quote * len(one.group()), row) for row in rows]
    inner = [row.strip(BLANKS + delimiter) for row in rows]
    marks = sum(row.count(delimiter) for row in inner)
    beside = len(re.findall(rf"[{BLANKS}]{re.escape(delimiter)}|{re.escape(delimiter)}[{BLANKS}]", "\n".join(inner)))
    indented = sum(row[0] in BLANKS for row in rows)
    if (marks and beside >= NEARLY * marks) or indented > max(1, NEARLY * len(rows)):
        return True
    if not beside and not any(row[-1] in BLANKS for row in rows):
        return False
    places = Counter(tuple(one.start() for one in re.finditer(re.escape(delimiter), row)) for row in rows)
    return len(rows) > FEW and places.most_common(1)[0][1] >= NEARLY * len(rows)
