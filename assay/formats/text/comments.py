"""What begins the lines of a text that are comments."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from assay.formats.text.dialect import Dialect
from assay.formats.text.weigh import parted
from assay.reading import Reading

_COMMENTS = ("#", "//", "%", "--", "!", "*", ";")


def commented(sample: Sequence[str], dialect: Dialect, reading: Reading) -> Dialect:
    """A dialect with the mark of comments that the lines show, unless `reading` names one."""
    return dialect if reading.comment is not None else replace(dialect, comment=_comment_of(sample, dialect))


def _comment_of(lines: Sequence[str], dialect: Dialect) -> str:
    """What begins lines that are no rows: they have another number of cells than the rows, or stand above all."""
    found = parted(lines, dialect)
    widths = Counter(len(one.cells) for one in found)
    if not widths:
        return ""
    width = widths.most_common(1)[0][0]
    for mark in _COMMENTS:
        if mark == dialect.delimiter:
            continue
        begun = [at for at, one in enumerate(found) if one.lines[0].startswith(mark)]
        if not begun or len(begun) * 2 > len(found):
            continue
        odd = [at for at in begun if len(found[at].cells) != width or (width == 1 and mark in ("#", "//"))]
        first_row = next((at for at in range(len(found)) if at not in begun), 0)
        lone = len(begun) == 1 or len(odd) < len(begun)
        if width > 1 and mark not in ("#", "//", "%") and any(at > first_row for at in begun) and lone:
            continue
        if 2 * len(odd) > len(begun) or (begun[-1] < first_row and len(begun) > 1 and 2 * len(odd) >= len(begun)):
            return mark
    return ""
