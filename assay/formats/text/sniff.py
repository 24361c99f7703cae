"""Finds the marks of a text: every pair of delimiter and quote is tried, and what it makes of the text is weighed."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice

from assay.errors import Unprocessable
from assay.formats.cells import Looks, looks
from assay.formats.header_rank import HEADER_LINES, Scorer, header_rank
from assay.formats.heading import header_evidence
from assay.formats.text.around import FEW, NEARLY, are_wrapped, is_framed, is_ruled, trims_blanks
from assay.formats.text.dialect import RUNS, Dialect, unwrapped
from assay.formats.text.records import Record, records
from assay.reading import Reading

# What parts cells, and how readily that is believed of it: the last ones stand in many texts for what they are.
_DELIMITERS = {
    ",": 1.0, ";": 1.0, "\t": 1.0, "|": 1.0, "\x1f": 1.0, "\x1e": 1.0, "\x01": 1.0, "§": 0.95, "¦": 0.95, "||": 1.02,
    "::": 0.95, "\t\t": 1.01, ";;": 0.95, "~": 0.9, "^": 0.9, RUNS: 0.85, "#": 0.7, "!": 0.7, "*": 0.7, "&": 0.7,
    ":": 0.7, "=": 0.6, "/": 0.5, "_": 0.45, " ": 0.62,
}  # fmt: skip
_COMMENTS = ("#", "//", "%", "--", "!", "*", ";")
# So much of the text is looked at.
_LINES = 400
_CHARACTERS = 1 << 17
# Below this no delimiter is believed in, and a line is a cell.
_LEAST = 0.3
# So well must another delimiter do for the commas in numbers to be decimal marks.
_GOOD = 0.4
_USUAL = ",;\t|"
_NOT_PROSE = r"[\^~§¦\x1f\x1e\x01]|(?<=[^\s\d]):(?=[^\s/\d\\])"
_DECIMAL = re.compile(r"(?<=[0-9])[.,](?=[0-9])")
# So much of the best one's weight must a delimiter have for the header that it makes to count.
_RIVAL = 0.6
_NOTE = 0.15
# How much is left of the weight of a mark that is rather a part of the cells of one column.
_ONE_COLUMN = 0.3
# A row of so many words or more, of which so many are no numbers and dates, is a sentence.
_SENTENCE, _WORDS = 5, 0.8
# Phones, addresses of devices: values that marks part.
_WHOLE_VALUE = re.compile(
    r"(?:\+[0-9]{1,4}|\(\+?[0-9]{1,5}\)|0[0-9]{1,5}|[0-9]{3}(?=[-. ][0-9]{3}[-. ][0-9]{4}))"
    r"(?:[ /.-]{1,3}\(?[0-9]{2,}\)?)+"
    r"(?: ?(?:x|ext\.?|#) ?[0-9]{1,6})?|(?:[0-9A-Fa-f]{2}[:-]){5,7}[0-9A-Fa-f]{2}"
    r"|(?:[0-9A-Fa-f]{0,4}:){2,7}[0-9A-Fa-f]{1,4}|(?:[A-Za-z]:)?[\\/]?(?:[^\\/\s,;|]+[\\/])+[^\\/,;|]*"
)
_QUOTES = "'`~^|$#§"
# Cells of a text that are looked at for what they hold.
_CELLS = 3000
_CELLS_OF_A_ROW = 100


@dataclass(frozen=True)
class _Weighed:
    weight: float
    wanted: float
    dialect: Dialect
    width: int = 1


def detect_dialect(lines: Sequence[str], score: Scorer, reading: Reading) -> Dialect:
    """Find the marks of a text from its first lines (with their ends); what `reading` names is not looked for.

    A delimiter that makes a header which somebody wants goes before those that do about as well.
    """
    sample = _sample(lines)
    inner = [unwrapped(line) for line in sample]
    if reading.quote in (None, '"') and are_wrapped(sample, inner):
        best = _best(inner, score, reading)
        if best.weight >= _GOOD and (best.width > 2 or any('""' in line for line in sample)):
            return replace(_commented(inner, best.dialect, reading), wrapped=True)
    best = _best(sample, score, reading)
    is_column = best.weight < _LEAST or _is_one_column(sample, best.dialect)
    if reading.delimiter is None and best.wanted <= 0 and is_column:
        quote = next(_quotes(sample, "", reading))
        return _commented(sample, Dialect("", quote, comment=reading.comment or ""), reading)
    return _commented(sample, best.dialect, reading)


def _is_one_column(sample: Sequence[str], dialect: Dialect) -> bool:
    """Whether lines are cells of one column, in which a delimiter stands: dates and times, numbers, links, names."""
    first, *below = [line.strip() for line in sample if line.strip() and not dialect.passes_over(line)] or [""]
    if not below or (dialect.quote and any(dialect.quote in line for line in below)):
        return False
    delimiter, is_usual = dialect.delimiter, dialect.delimiter in _USUAL
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


def _best(sample: Sequence[str], score: Scorer, reading: Reading) -> _Weighed:
    found: list[_Weighed] = []
    for delimiter, trust in _delimiters(sample, reading).items():
        drawn = Dialect(delimiter, comment=reading.comment or "", framed=is_framed(sample, delimiter),
                        ruled=is_ruled(sample, delimiter))  # fmt: skip
        for quote in _quotes(sample, delimiter, reading):
            trims = trims_blanks(sample, delimiter, quote)
            for escape in _escapes(sample, quote, reading):
                dialect = replace(drawn, quote=quote, escape=escape, trims=trims)
                found.append(_weigh(sample, dialect, trust, score))
    weighed = _without_decimals(found, sample)
    least = _RIVAL * max(one.weight for one in weighed)
    # What somebody wants chooses among marks that do about as well; it makes no table of what is none.
    best = max(weighed, key=lambda one: (one.weight >= least and one.wanted, one.weight))
    if best.wanted <= 0 and best.dialect.delimiter not in _USUAL:
        usual = [one for one in weighed if one.dialect.delimiter in _USUAL and _ends_in_table(sample, one.dialect)]
        return max(usual, key=lambda one: one.weight, default=best)
    return best


def _ends_in_table(lines: Sequence[str], dialect: Dialect) -> bool:
    """Whether a delimiter parts nothing but the last lines, and these are a header and rows that it names."""
    found = _parted(lines, dialect)
    width = len(found[-1].cells) if found else 1
    table = [one.cells for one in found if len(one.cells) > 1]
    if not len(table) > 2 <= width or any(len(one.cells) != width for one in found[-len(table) :]):
        return False
    return header_evidence([cell.strip() for cell in table[0]], table[1:], width) > 0


def _commented(sample: Sequence[str], dialect: Dialect, reading: Reading) -> Dialect:
    return dialect if reading.comment is not None else replace(dialect, comment=_comment(sample, dialect))


def _without_decimals(found: list[_Weighed], lines: Sequence[str]) -> list[_Weighed]:
    """Trust a comma less that stands between digits alone, where something else parts the lines as well."""
    text = "".join(lines)
    if text.count(",") > len(_DECIMAL.findall(text)) - text.count("."):
        return found
    if not any(one.weight >= _GOOD for one in found if one.dialect.delimiter != ","):
        return found
    return [replace(one, weight=one.weight / 2) if one.dialect.delimiter == "," else one for one in found]


def _sample(lines: Sequence[str]) -> list[str]:
    taken: list[str] = []
    size = 0
    for line in lines:
        if (size and size + len(line) > _CHARACTERS) or len(taken) >= _LINES:
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
        or (one in _USUAL and any(one in line for line in filled))
    }
    text = re.sub('"[^"]*"', "text", "".join(filled))
    for one in _USUAL + ":":
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


def _weigh(lines: Sequence[str], dialect: Dialect, trust: float, score: Scorer) -> _Weighed:
    found = _parted(lines, dialect)
    if not found:
        return _Weighed(0, 0, dialect)
    wanted = max(header_rank(one.cells, score)[0] for one in found[:HEADER_LINES])
    wanted = wanted if any(score(one.cells) > 0 for one in found[:HEADER_LINES]) else 0
    widths = Counter(len(one.cells) for one in found)
    width, most = max(widths.items(), key=lambda item: (item[0] > 1, item[1] * min(item[0], 3) ** 0.5, item[0]))
    if width < 2:
        return _Weighed(0, wanted, dialect)
    # Lines of one cell above and below the rows are notes, and count less against it than rows of another width.
    places = [at for at, record in enumerate(found) if len(record.cells) == width]
    notes = len(found) - (places[-1] + 1 - places[0])
    notes = sum(len(record.cells) == 1 for record in (*found[: places[0]], *found[places[-1] + 1 :])) if notes else 0
    even = most / (len(found) - (1 - _NOTE) * notes)
    near = sum(count for one, count in widths.items() if abs(one - width) == 1 and one > 1) / len(found)
    rows = [one for one in found if len(one.cells) == width]
    broken = sum(one.broken for one in found) / len(found)
    kept = _plausible(rows, dialect)
    weight = trust * (even + 0.2 * near) * kept * (width / (width + 0.4)) * (1 - 0.5 * broken)
    at = places[0]
    if at and len(found[at - 1].cells) == 1 and len(found) > 2 and not _is_apart(lines, found[at - 1], found[at]):
        # A header without delimiters, or a note with no blank line below it, which is rarer.
        weight *= 0.8 if dialect.delimiter in _USUAL else _ONE_COLUMN
    if most == 1 and len(found) > 1 and notes:
        # A line alone that it parts is a cell with such a mark in it.
        weight *= _ONE_COLUMN
    if dialect.delimiter == " " and width >= _SENTENCE and _are_words(rows):
        weight *= _ONE_COLUMN
    if dialect.trims:
        weight *= 0.9
    if dialect.quote == "'" and any('"' in line for line in lines):
        # In doubt it is an apostrophe.
        weight *= 0.95
    if dialect.escape:
        # Only where it mends what would be broken without.
        weight *= 0.995
    return _Weighed(weight, wanted, dialect, width)


def _are_words(rows: Sequence[Record]) -> bool:
    """Whether most cells are texts, as those of sentences are that blanks part."""
    found = [looks(cell) for row in rows[:_CELLS_OF_A_ROW] for cell in row.cells[:_CELLS_OF_A_ROW]]
    return found.count(Looks.TEXT) >= _WORDS * len(found)


def _is_apart(lines: Sequence[str], one: Record, other: Record) -> bool:
    """Whether a blank line stands between two records."""
    texts = [id(line) for line in lines]
    return texts.index(id(other.lines[0])) > texts.index(id(one.lines[-1])) + 1


def _parted(lines: Sequence[str], dialect: Dialect) -> list[Record]:
    try:
        return [one for one in islice(records(lines, dialect, 0), _LINES) if not one.is_blank]
    except Unprocessable:
        return []


def _plausible(rows: Sequence[Record], dialect: Dialect) -> float:
    """How much the cells are like cells, in [0, 1]: numbers and dates most, texts with delimiters in them least."""
    total = count = 0.0
    # What parts cells elsewhere, and no words: with no blank behind it.
    usual = "".join(one for one in _USUAL if one != dialect.delimiter)
    others = re.compile(rf"[{re.escape(usual)}](?=[^\s{re.escape(usual)}])|{_NOT_PROSE}")
    for row in rows:
        for cell in row.cells[:_CELLS_OF_A_ROW]:
            count += 1
            total += _cell_weight(cell, dialect.quote, others)
        if count > _CELLS:
            break
    return total / count if count else 0


def _cell_weight(cell: str, quote: str, others: re.Pattern[str]) -> float:
    kind = looks(cell)
    if kind is Looks.BLANK:
        return 0.85
    if kind is not Looks.TEXT:
        return 1.0
    text = cell.strip()
    edge = text[0] + text[-1]
    if ('"' in edge and text.count('"') < 3 and quote != '"') or (
        quote and quote in edge and len(text) > 1 and edge[0] != edge[1]
    ):
        return 0.35
    if text[0] == "'" and quote != "'" and len(text) > 1:
        return 0.5
    if quote and text.count(quote) % 2:
        return 0.6
    return 0.35 if others.search(_DECIMAL.sub("", text)) else 0.92


def _comment(lines: Sequence[str], dialect: Dialect) -> str:
    """What begins lines that are no rows: they have another number of cells than the rows, or stand above all."""
    found = _parted(lines, dialect)
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
