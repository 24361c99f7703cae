"""Which rows of a table name its columns, and what they name them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from assay.formats.cells import Column, Looks, columns_of, looks, shape
from assay.formats.currencies import CURRENCY
from assay.formats.header_rank import Cells, Scorer, header_cells
from assay.formats.labels import YEAR, are_labels, labels_in

# So many cells are looked at to learn what columns are like.
_PROFILE_CELLS = 50_000
_MOST_HEADER_ROWS = 3
_FEW_ROWS = 3
# Below two rows of words stand so many rows at least before they are taken for a header.
_FEWEST_BELOW = 2
_KEY = re.compile("(?:row|record|line)?[ _-]?(?:#|id|no|nr|num|number|index|key|code|name)\\.?")
_DAY = re.compile(r"date|datum|fecha|\bdays?\b|^(?:data|dia|tag|jour)$")
_WHOLE, _TWO_DIGITS = re.compile(r"[^\d.,]{0,4}[0-9]{1,9}"), re.compile("[0-9]{2}")
# The row below the names in the tables of the U.S. Geological Survey (RDB): the width and kind of each column.
_DEFINITION = re.compile("[0-9]{1,3}[sdnSDN]")
_UNIT = re.compile(r"\(.{1,20}\)|\[.{1,20}\]|<.{1,20}>")

_ONE_UNIT = (
    r"(?:[kMGmcdµμun]?(?:m|g|l|L|s|A|V|W|Wh|Hz|Pa|bar|J|N|S|mol|eq|B|C|t)|min|h|hr|hrs|d|day|days|yr|a|sec|secs|"
    r"minutes|hours|months|years|ft|in|inch|inches|yd|mi|mph|kn|kt|knots|lb|lbs|oz|gal|psi|ac|ha|acre|cfs|cms|gpm|MGD|"
    r"ppm|ppb|ppt|psu|PSU|pH|NTU|FNU|FNTU|FTU|JTU|CFU|cfu|MPN|hPa|mbar|atm|kcal|cal|kVA|rpm|dB|dBm|dB[AZ]|lx|lux|lm|"
    r"[°º]? ?[CFK]|[Dd]eg(?:rees?)?(?: ?[CFK]| Celsius)?|[%‰]|percent|pct|counts?|each|"
    r"pcs|pieces|units?|items|persons?|people|Volts?|volts?|Watts?|Amps?|mV|meters?|metres?|seconds?|TS|RN|unitless|"
    r"none|n/a|-|[A-Z]?Mio\.?|Mrd\.?|Stk\.?|Stück|thousands?|millions?|billions?|bn|[Mm]n|'?000s?|"
    rf"{CURRENCY})"
)
_BARE_UNIT = re.compile(
    rf"(?:10\^?[0-9] ?)?{_ONE_UNIT}[²³0-9⁻¹^+-]*(?: ?[/.·*_ ] ?(?:per )?(?:[0-9]+ ?)?{_ONE_UNIT}[²³0-9⁻¹^+-]*){{0,3}}"
    r"(?: (?:as )?[A-Z][A-Za-z0-9]{0,5})?|Smp|Avg|Min|Max|Tot|Std|Med|Sample|Totali[sz]e|WVc|ETXs|yyyy.?mm.?dd.*|"
    r"YYYY.?MM.?DD.*|[Dd][Dd].?[Mm][Mm].?[Yy]{4}.*|[Hh][Hh].?[Mm][Mm].*|UTC|GMT|local|text|date|time"
)


@dataclass(frozen=True)
class Row:
    """A row of cells as text, and where it stands: `line` is its first line's number, 0 for the file's first.

    `after` is the number of the line that follows it. `quoted` is whether it begins with a quote in the file.
    """

    line: int
    after: int
    cells: Sequence[str]
    quoted: bool = False

    @property
    def filled(self) -> int:
        """How many of its cells hold something."""
        return sum(1 for cell in self.cells if cell and not cell.isspace())


def has_header(first: Sequence[str], body: Sequence[Sequence[str]], width: int) -> bool:
    """Whether the first row names the columns: it is of words where the others are not, or is like none of them."""
    cells = [cell.strip() for cell in first]
    filled = [cell for cell in cells if cell]
    values = sum(looks(cell) is not Looks.TEXT for cell in filled)
    body = [row for row in body if [cell.strip() for cell in row] != cells]
    if not body:
        return 2 * values < len(filled) or bool(labels_in(cells)) or not filled
    evidence = header_evidence(cells, body, width)
    if evidence <= 0 and _has_second_row(cells, body, width):
        return True
    if evidence:
        return evidence > 0
    # All of it is text: names are short, differ from one another, and hardly ever end like a sentence.
    lengths = sorted(len(cell) for row in body for cell in row if cell.strip())
    usual = lengths[len(lengths) // 2] if lengths else 0
    distinct = len({cell.casefold() for cell in filled}) == len(filled)
    longest = max(map(len, filled), default=0)
    return distinct and len(filled) * 2 > width and longest <= max(30, 2 * usual)


def _has_second_row(cells: Sequence[str], body: Sequence[Sequence[str]], width: int) -> bool:
    """Whether a row of words stands above others of words, and all of them name the columns of the rows below."""
    for rows in range(1, _MOST_HEADER_ROWS):
        *_, last = body[:rows]
        below = body[rows:]
        if len(below) < _FEWEST_BELOW or not all(_are_words(row) for row in (cells, last)):
            return False
        if min(header_evidence([cell.strip() for cell in row], below, width) for row in (cells, last)) > 0:
            return True
    return False


def _are_words(cells: Sequence[str]) -> bool:
    """Whether a row is mostly filled, and with texts alone."""
    found = [looks(cell) for cell in cells if cell and not cell.isspace()]
    return 2 * len(found) >= len(cells) and all(kind is Looks.TEXT for kind in found)


def header_evidence(cells: Sequence[str], body: Sequence[Sequence[str]], width: int) -> float:
    """How much more speaks for a row of trimmed cells being the header of a body than against it; 0 for neither."""
    columns = columns_of(body, width)
    labels = labels_in(cells)
    if labels and not are_labels(cells, labels, body, columns):
        labels = frozenset()
    evidence = 0.0
    for at, (cell, column) in enumerate(zip(cells, columns, strict=False)):
        kind = looks(cell)
        if at in labels:
            evidence += 1
        elif not cell or column.kind is Looks.BLANK:
            continue
        elif column.kind is not Looks.TEXT:
            evidence += 1 if kind is Looks.TEXT else -1.5 * (kind is column.kind)
        elif column.shapes and len(body) > 2:
            evidence += 0.7 if shape(cell) not in column.shapes else -0.7
        elif kind is not Looks.TEXT:
            evidence -= 0.5
        if cell and at not in labels and at < width:
            evidence -= any(at < len(row) and row[at].strip() == cell for row in body)
    return evidence


@dataclass(frozen=True)
class Heading:
    """The rows that name a table's columns: the places of the first and the last, and those that make the names.

    `units` are the cells of a row of units below them that is no part of the names.
    """

    first: int
    last: int
    parts: Sequence[Sequence[str]]
    units: Sequence[str] = ()


def heading_at(rows: Sequence[Row], start: int, below: Sequence[int], first: int, width: int, score: Scorer) -> Heading:
    """The whole heading around one row of it, the `first` that is mostly filled.

    Above may stand the names of groups of columns. Below follow more rows where they are words too and stand above
    numbers or dates, or name the columns of a group, or say in which units the columns are.
    """
    own = [cell.strip() for cell in rows[first].cells]
    parts, units, last = [own], list[str](), first
    for number, at in enumerate(below[:_MOST_HEADER_ROWS]):
        cells = [cell.strip() for cell in rows[at].cells]
        if at != last + 1 or len(cells) != len(own) or len(cells) < 2 or not any(cells):
            break
        if all(_DEFINITION.fullmatch(cell) for cell in cells if cell):
            last = at
            continue
        body = [rows[place].cells for place in below[number + 1 :] if len(rows[place].cells) == width]
        # What stands below all the rows of words tells the columns.
        words = next((at for at, row in enumerate(body[:_MOST_HEADER_ROWS]) if not _are_words(row)), 0)
        columns = columns_of(body[words : words + profiled(width)], width)
        if (units or _are_distinct(own)) and _are_units(cells, body[: profiled(width)], columns):
            units = units or cells
            last = at
            continue
        if units or len(parts) == _MOST_HEADER_ROWS or not _goes_on(own, cells, columns, len(body)):
            break
        if score(header_cells(own)) > 0 and score(header_cells(_joined([own, cells]))) < score(header_cells(own)):
            break
        parts.append(cells)
        last = at
    top = first
    while len(parts) < _MOST_HEADER_ROWS and (group := _group_above(rows, start, top, width, parts)) is not None:
        parts.insert(0, group)
        top -= 1
    for at in range(len(parts) - 1):
        parts[at] = _filled_on(parts[at], parts[at + 1])
    return Heading(top, last, parts, units)


def _goes_on(own: Sequence[str], cells: Sequence[str], columns: Sequence[Column], rows_below: int) -> bool:
    """Whether a row below a header is a part of it."""
    if cells == own:
        return True
    filled = [at for at, cell in enumerate(cells) if cell]
    typed = [cells[at] for at in filled if at < len(columns) and columns[at].kind > Looks.TEXT]
    are_words = bool(typed) and rows_below >= 2 and all(looks(cell) is Looks.TEXT for cell in typed)
    if 2 * len(filled) >= len(cells) and (
        are_words or 2 * sum(bool(_UNIT.fullmatch(cell)) for cell in cells) > len(filled)
    ):
        return True
    # The names of a group's columns: they stand where the header has nothing, or the name of the group.
    blanks = [at for at in filled if not own[at]]
    in_groups = all(not own[at] or at + 1 == len(own) or (not own[at + 1] and bool(cells[at + 1])) for at in filled)
    are_texts = all(looks(cells[at]) is Looks.TEXT for at in filled)
    return bool(blanks) and in_groups and are_texts and rows_below >= 1


def _are_distinct(cells: Sequence[str]) -> bool:
    """Whether a row names every column but the last ones, each otherwise than the others."""
    names = header_cells(cells)
    return all(names) and len({*names}) == len(names)


def _are_units(cells: Sequence[str], body: Sequence[Sequence[str]], columns: Sequence[Column]) -> bool:
    """Whether a row below names says in which units they are, bare: units in brackets become part of the names."""
    filled = [(at, cell) for at, cell in enumerate(cells[: len(columns)]) if cell]
    known = sum(bool(_BARE_UNIT.fullmatch(cell)) for _, cell in filled)
    typed = [looks(cell) is Looks.TEXT for at, cell in filled if columns[at].kind > Looks.TEXT]
    recurs = any(row[at].strip() == cell for row in body for at, cell in filled if at < len(row))
    return 2 * known > len(filled) and bool(typed) and all(typed) and not recurs


def _group_above(
    rows: Sequence[Row], start: int, first: int, width: int, parts: Sequence[Sequence[str]]
) -> list[str] | None:
    """The row right above a header, where it names groups of columns: several cells, with blanks between."""
    above = first - 1
    if above < start or len(rows[above].cells) != width or rows[above].filled < 2:
        return None
    cells = [cell.strip() for cell in rows[above].cells]
    is_text = all(looks(cell) is Looks.TEXT or YEAR.fullmatch(cell) for cell in cells if cell)
    if not is_text or all(cells) or (is_left_part(cells) and _are_distinct(parts[-1])):
        return None
    return cells


def is_left_part(cells: Sequence[str]) -> bool:
    """Whether a row has some cells, no blank between them, then blank ones alone: a key and its value, or a note."""
    filled = sum(1 for cell in cells if cell.strip())
    return filled < len(cells) and all(cell.strip() for cell in cells[:filled])


def _filled_on(cells: Sequence[str], below: Sequence[str]) -> list[str]:
    """Let the name of a group stand above each of its columns: those with a name `below` up to the next group."""
    filled, last = [], ""
    for at, cell in enumerate(cells):
        under = at < len(below) and below[at].strip()
        last = cell.strip() or (last if under else "")
        filled.append(last)
        if not under:
            last = ""
    return filled


def _joined(parts: Sequence[Sequence[str]]) -> list[str]:
    """The parts of each column's name, one after another; what a column alone has in two rows stands once."""
    are_equal = all(part == parts[0] for part in parts)
    joined = []
    for at in range(max(map(len, parts))):
        cells = [part[at].strip() for part in parts if at < len(part) and part[at].strip()]
        joined.append(" ".join(cells if are_equal else dict.fromkeys(cells)))
    return joined


def names_of(parts: Sequence[Sequence[str]], width: int) -> tuple[Cells, int]:
    """The columns' names, and how many cells a row has, which may be more."""
    cells = [cell.strip() for cell in (_joined(parts) if len(parts) > 1 else parts[0])]
    while len(cells) > width > 1 and "" in cells:
        # One delimiter too many: the rows tell.
        cells.pop(cells.index("") if cells[-1] else len(cells) - 1)
    return header_cells(cells), max(len(cells), width)


def lacks_first(cells: Sequence[str], body: Sequence[Sequence[str]], width: int) -> bool:
    """Whether a header has no name for the first column, which names or numbers the rows, as R writes tables."""
    if len(cells) != width - 1 or len(cells) < 2 or len(body) < _FEW_ROWS or not all(cell.strip() for cell in cells):
        return False
    keys = {row[0].strip() for row in body}
    return (
        len(keys) == len(body)
        and "" not in keys
        and all(row[-1].strip() for row in body)
        and not _KEY.fullmatch(cells[0].strip().casefold())
        and not (_DAY.search(cells[0].casefold()) and all(looks(key) is Looks.DATE for key in keys))
        and not _ends_in_decimals(body)
    )


def _ends_in_decimals(body: Sequence[Sequence[str]]) -> bool:
    """Whether the last two cells are a number that its decimal comma parted: some end in 00, as no code does."""
    behind = {row[-1].strip() for row in body}
    return (
        "00" in behind
        and all(_TWO_DIGITS.fullmatch(cell) for cell in behind)
        and all(_WHOLE.fullmatch(row[-2].strip()) for row in body)
    )


def profiled(width: int) -> int:
    """How many rows of so many cells are looked at."""
    return min(1000, max(10, _PROFILE_CELLS // max(width, 1)))
