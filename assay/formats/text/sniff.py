"""Finds the marks of a text: every pair of delimiter and quote is tried, and what it makes of the text is weighed."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from assay.errors import Unprocessable
from assay.formats.header_rank import Scorer
from assay.formats.heading import header_evidence
from assay.formats.text.around import FEW, NEARLY, are_wrapped, is_framed, is_ruled, trims_blanks
from assay.formats.text.comments import commented
from assay.formats.text.dialect import RUNS, Dialect, unwrapped
from assay.formats.text.one_column import is_one_column
from assay.formats.text.weigh import DECIMAL, SAMPLE_LINES, USUAL, Weighed, parted, weigh
from assay.reading import Reading

# What parts cells, and how readily that is believed of it: the last ones stand in many texts for what they are.
_DELIMITERS = {
    ",": 1.0, ";": 1.0, "\t": 1.0, "|": 1.0, "\x1f": 1.0, "\x1e": 1.0, "\x01": 1.0, "§": 0.95, "¦": 0.95, "||": 1.02,
    "::": 0.95, "\t\t": 1.01, ";;": 0.95, "~": 0.9, "^": 0.9, RUNS: 0.85, "#": 0.7, "!": 0.7, "*": 0.7, "&": 0.7,
    ":": 0.7, "=": 0.6, "/": 0.5, "_": 0.45, " ": 0.62,
}  # fmt: skip
# So much of the text is looked at, and no more than SAMPLE_LINES.
_CHARACTERS = 1 << 17
# Below this no delimiter is believed in, and a line is a cell.
_LEAST = 0.3
# So well must another delimiter do for the commas in numbers to be decimal marks.
_GOOD = 0.4
# So much of the best one's weight must a delimiter have for the header that it makes to count.
_RIVAL = 0.6
_QUOTES = "'`~^|$#§"


def detect_dialect(lines: Sequence[str], score: Scorer, reading: Reading) -> Dialect:
    """Find the marks of a text from its first lines (with their ends); what `reading` names is not looked for.

    A delimiter that makes a header which somebody wants goes before those that do about as well.
    """
    sample = _sample(lines)
    inner = [unwrapped(line) for line in sample]
    if reading.quote in (None, '"') and are_wrapped(sample, inner):
        best = _best(inner, score, reading)
        if best.weight >= _GOOD and (best.width > 2 or any('""' in line for line in sample)):
            return replace(commented(inner, best.dialect, reading), wrapped=True)
    best = _best(sample, score, reading)
    is_column = best.weight < _LEAST or is_one_column(sample, best.dialect)
    if reading.delimiter is None and best.wanted <= 0 and is_column:
        quote = next(_quotes(sample, "", reading))
        return commented(sample, Dialect("", quote, comment=reading.comment or ""), reading)
    return commented(sample, best.dialect, reading)


def _best(sample: Sequence[str], score: Scorer, reading: Reading) -> Weighed:
    found: list[Weighed] = []
    for delimiter, trust in _delimiters(sample, reading).items():
        drawn = Dialect(delimiter, comment=reading.comment or "", framed=is_framed(sample, delimiter),
                        ruled=is_ruled(sample, delimiter))  # fmt: skip
        for quote in _quotes(sample, delimiter, reading):
            trims = trims_blanks(sample, delimiter, quote)
            for escape in _escapes(sample, quote, reading):
                dialect = replace(drawn, quote=quote, escape=escape, trims=trims)
                found.append(weigh(sample, dialect, trust, score))
    weighed = _without_decimals(found, sample)
    least = _RIVAL * max(one.weight for one in weighed)
    # What somebody wants chooses among marks that do about as well; it makes no table of what is none.
    best = max(weighed, key=lambda one: (one.weight >= least and one.wanted, one.weight))
    if best.wanted <= 0 and best.dialect.delimiter not in USUAL:
        usual = [one for one in weighed if one.dialect.delimiter in USUAL and _ends_in_table(sample, one.dialect)]
        return max(usual, key=lambda one: one.weight, default=best)
    return best


def _ends_in_table(lines: Sequence[str], dialect: Dialect) -> bool:
    """Whether a delimiter parts nothing but the last lines, and these are a header and rows that it names."""
    found = parted(lines, dialect)
    width = len(found[-1].cells) if found else 1
    table = [one.cells for one in found if len(one.cells) > 1]
    if not len(table) > 2 <= width or any(len(one.cells) != width for one in found[-len(table) :]):
        return False
    return header_evidence([cell.strip() for cell in table[0]], table[1:], width) > 0


def _without_decimals(found: list[Weighed], lines: Sequence[str]) -> list[Weighed]:
    """Trust a comma less that stands between digits alone, where something else parts the lines as well."""
    text = "".join(lines)
    if text.count(",") > len(DECIMAL.findall(text)) - text.count("."):
        return found
    if not any(one.weight >= _GOOD for one in found if one.dialect.delimiter != ","):
        return found
    return [replace(one, weight=one.weight / 2) if one.dialect.delimiter == "," else one for one in found]


def _sample(lines: Sequence[str]) -> list[str]:
    taken: list[str] = []
    size = 0
    for line in lines:
        if (size and size + len(line) > _CHARACTERS) or len(taken) >= SAMPLE_LINES:
            break
        taken.append(line)
        size += len(line)
    return taken


def _delimiters(lines: Sequence[str], reading: Reading) -> dict[str, float]:
    if reading.delimiter is not None:
        if reading.delimiter in "\r\n":
            raise Unprocessable("invalid_reading", "A line end can't part cells.", "Name another delimiter.")
        return {reading.delimiter: 1.0}
    filled = [line for line in lines if line.strip()]
    common = {
        one: trust
        for one, trust in _DELIMITERS.items()
        if sum(one in line for line in filled) * 3 >= len(filled)
        or (one in USUAL and any(one in line for line in filled))
    }
    text = re.sub('"[^"]*"', "text", "".join(filled))
    for one in USUAL + ":":
        # Where it always stands twice, it parts nothing by itself.
        if one in common and 2 * text.count(one * 2) == text.count(one) and text.count(one * 2) >= len(filled):
            del common[one]
    return common or {",": 1.0}


def _quotes(lines: Sequence[str], delimiter: str, reading: Reading) -> Iterator[str]:
    if reading.quote is not None:
        yield reading.quote
        return
    has_double = any('"' in line for line in lines)
    if has_double:
        yield '"'
    mark = delimiter.strip() or delimiter
    for quote in _QUOTES if len(mark) == 1 else "'":
        beside = re.escape(mark) if mark else "\n"
        edges = re.compile(
            rf"(?:^|(?<={beside})|(?<={beside} )){re.escape(quote)}|{re.escape(quote)}(?= ?{beside}|\s*$)"
        )
        found = sum(len(edges.findall(line)) for line in lines)
        # An apostrophe may stand in any word; the others are quotes only where they stand around cells alone.
        most = found if quote == "'" else sum(line.count(quote) for line in lines)
        if quote not in delimiter and found >= 2 and found >= NEARLY * most and (quote == "'" or found > FEW):
            yield quote
    if not has_double:
        # Nothing is quoted as far as can be seen; below may be a quote yet.
        yield '"'


def _escapes(lines: Sequence[str], quote: str, reading: Reading) -> list[str]:
    if reading.escape is not None:
        return ["" if reading.escape == quote else reading.escape]
    if not quote:
        return [""]
    escaped = sum(line.count("\\" + quote) for line in lines)
    return ["", "\\"] if escaped else [""]
