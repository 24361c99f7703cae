"""Text to numbers as people write them: one way of marking decimals and thousands for a whole column."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from assay.formats.currencies import CODE_OF, CURRENCY
from assay.formats.number_forms import NO_CENTS, SPACES

# Beside a code these stand for that, though they may stand for others too.
_SAME = CODE_OF | {"£": "GBP", "₩": "KRW"}
_CELL = (
    rf"^(?P<open>\()?\s*(?P<sign>[-+])?\s*(?P<front>{CURRENCY})?\s*(?P<second>[-+])?\s*"
    rf"(?:(?P<even>[0-9][0-9.,' ]*[.,]){NO_CENTS}"
    r"|(?P<body>[0-9][0-9.,' ]*|[.,][0-9]+)(?P<exponent>[eE][-+]?[0-9]{1,3})?)"
    rf"\s*(?P<back>%|{CURRENCY})?\s*(?P<trail>-)?\s*(?P<close>\))?$"
)
_GROUPED = {
    "": r"[0-9]+",
    # Also as in India: 12,34,567.
    ",": r"(?:[0-9]+|[1-9][0-9]{0,2}(?:,[0-9]{3})+|[1-9][0-9]?(?:,[0-9]{2})+,[0-9]{3})",
    ".": r"(?:[0-9]+|[1-9][0-9]{0,2}(?:\.[0-9]{3})+)",
    " ": r"(?:[0-9]+|[1-9][0-9]{0,2}(?: [0-9]{3})+)",
    "'": r"(?:[0-9]+|[1-9][0-9]{0,2}(?:'[0-9]{3})+)",
}
# What reads the same cells is preferred in this order: the fewer marks the better.
_STYLES = [(".", ""), (".", ","), (".", " "), (".", "'"), (",", ""), (",", "."), (",", " "), (",", "'")]
_AS_PROGRAMS = r"^-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?$"
_LONG = 7
_MOST_SAFE = 19
# So many of the cells must a style read that the decimal mark of other columns suggests.
_NEARLY = 0.8


@dataclass(frozen=True)
class NumberForm:
    """How the numbers of a column are written.

    `cells` is how many can be read so, `whole` that all of these are whole numbers; `identifying` says why they are no
    numbers but names made of digits (leading zeros, or more digits than any whole number has), and else is empty.
    `sure` is whether no other decimal mark would do as well, which reads `rival` cells; `plain` whether they are digits
    alone.
    """

    decimal: str
    thousands: str
    unit: str
    cells: int
    whole: bool
    identifying: str
    sure: bool
    plain: bool
    rival: int


def tidy(text: pl.Expr) -> pl.Expr:
    """Write the signs that look alike in one way: spaces that do not break, apostrophes, the minus of typesetters."""
    return text.str.replace_many([*SPACES, "\u2019", "\u2212"], [*[" "] * len(SPACES), "'", "-"])


def groups(text: pl.Expr) -> pl.Expr:
    """Take trimmed cells apart: a struct of text, all of it null where the cell is no number in any style."""
    parts = tidy(text).str.extract_groups(_CELL)
    return parts.struct.with_fields(pl.coalesce(pl.field("body"), pl.field("even")).alias("body"))


def is_plain(text: pl.Expr) -> pl.Expr:
    """Whether a cell is as programs write numbers: digits, a point and more digits, a minus; no zero before others."""
    return text.str.contains(_AS_PROGRAMS) & (text.str.len_bytes() < _MOST_SAFE)


def odd(text: pl.Expr) -> pl.Expr:
    """The cells that are not plain, and null for those that are: most columns have few or none to be taken apart."""
    return pl.when(~is_plain(text)).then(text)


def may_group(text: pl.Expr) -> pl.Expr:
    """Whether all points of a column may group thousands as well: an aggregate over trimmed cells.

    Each has exactly three digits behind it (1.100), and no cell of four digits or more is without one.
    """
    dotted = text.str.contains(".", literal=True)
    grouped = text.str.contains(r"^-?[1-9][0-9]{0,2}\.[0-9]{3}$")
    return dotted.any() & (~dotted | grouped).all() & ~(~dotted & text.str.contains("[0-9]{4}")).any()


def survey(parts: pl.Expr, text: pl.Expr) -> dict[str, pl.Expr]:
    """Aggregates from which `decide_number` tells the form, over trimmed cells. Every row is looked at.

    `parts` is what `groups` gave of the `odd` ones.
    """
    plain = is_plain(text)
    dotted = plain & text.str.contains(".", literal=True)
    digits = (plain & ~dotted).sum()
    # 1.234 is a whole number too, by points for thousands.
    grouped = (dotted & text.str.contains(r"^-?[1-9][0-9]{0,2}\.[0-9]{3}$")).sum()
    field = parts.struct.field
    body, exponent = field("body").str.strip_chars(), field("exponent")
    comma, dot, spaced = (body.str.contains(mark) for mark in (",", r"\.", "[ ']"))
    bare = body.is_not_null() & ~comma & ~dot & ~spaced
    # A cell is held only to the styles that its marks allow.
    marked = {
        "": (pl.when(comma != dot, ~spaced).then(body), [(".", ""), (",", ""), (".", ","), (",", ".")]),
        "both": (pl.when(comma, dot, ~spaced).then(body), [(".", ","), (",", ".")]),
        "spaced": (pl.when(spaced).then(body), [(".", " "), (",", " "), (".", "'"), (",", "'")]),
    }
    found: dict[str, pl.Expr] = {}
    for style in _STYLES:
        name = f"number_{style[0]}{style[1]}"
        pattern, whole = _body(*style), f"^{_GROUPED[style[1]]}$"
        looked = [cells for cells, styles in marked.values() if style in styles]
        if style[1] in (" ", "'"):  # also what has no thousands
            looked.append(pl.when(comma if style[0] == "," else dot, ~spaced).then(body))
        by_points = [grouped] if style == (",", ".") else []
        points = [dotted.sum()] if style[0] == "." else by_points
        counts = [cells.str.contains(pattern).sum() for cells in looked]
        found[name] = pl.sum_horizontal(digits, bare.sum(), *points, *counts)
        wholes = [(cells.str.contains(whole) & exponent.is_null()).sum() for cells in looked if style[1]]
        found[f"{name}_whole"] = pl.sum_horizontal(digits, (bare & exponent.is_null()).sum(), *by_points, *wholes)
    # What has so few digits is no number of more than 64 bits.
    long = pl.when(body.str.len_bytes() >= _MOST_SAFE).then(body).str.replace_all("[.,' ]", "")
    signed = pl.concat_str(pl.when(_negative(parts)).then(pl.lit("-")).otherwise(pl.lit("")), long)
    found["number_long"] = (long.is_not_null() & signed.cast(pl.Int64, strict=False).is_null()).sum()
    found["number_zeros"] = body.str.contains("^0[0-9]").sum()
    found["number_plus"] = ((field("sign") == "+") & (body.str.len_bytes() >= _LONG)).sum()
    unit = unit_of(parts)
    # A few cells without a digit are words among numbers; with digits and signs alone, numbers written otherwise.
    found["number_words"] = (~text.str.contains("[0-9]")).sum()
    found["number_signs"] = text.str.contains(r"^[-+]?[0-9., ']*[0-9][0-9., ']*$").sum()
    found["number_has_unit"] = unit.is_not_null().any()
    filled = (plain & text.str.contains("[1-9]")).any()
    found["number_bare"] = filled | (body.is_not_null() & unit.is_null() & body.str.contains("[1-9]")).any()
    return found


def decide_number(
    found: Mapping[str, int], units: Sequence[str], decimal: str | None, thousands: str | None, hint: str
) -> NumberForm | None:
    """Tell the form from what `survey` found: the style that reads the most cells.

    `decimal` and `thousands` are what a user said, `hint` is the decimal mark of the file's other columns, which
    decides between styles that read the same cells. None where no cell is a number.
    """
    styles = [
        style for style in _STYLES if decimal in (None, style[0]) and (thousands is None or style[1] in ("", thousands))
    ]
    styles.sort(key=lambda style: style[0] != hint)
    if not styles:
        return None
    counts = {style: found[f"number_{style[0]}{style[1]}"] for style in styles}
    best = max(styles, key=lambda style: counts[style])
    hinted = max((style for style in styles if style[0] == hint), key=lambda style: counts[style], default=best)
    # A few odd cells do not make decimals of whole numbers with points for thousands.
    if hint == "," and hinted[1] and counts[hinted] >= _NEARLY * counts[best]:
        best = hinted
    cells = counts[best]
    if not cells:
        return None
    rivals = [counts[style] for style in styles if style[0] != best[0]]
    whole = found[f"number_{best[0]}{best[1]}_whole"] == cells
    identifying = ""
    if whole and found["number_zeros"]:
        identifying = f"{found['number_zeros']:,} cells begin with a zero that a number would lose"
    elif whole and found["number_plus"]:
        identifying = f"{found['number_plus']:,} cells begin with a plus that a number would lose"
    elif whole and found["number_long"]:
        identifying = f"{found['number_long']:,} cells have more digits than a whole number of 64 bits"
    return NumberForm(
        *best,
        unit=_one_unit(units, bare=bool(found["number_bare"])),
        cells=cells,
        whole=whole,
        identifying=identifying,
        sure=cells > max(rivals, default=0),
        plain=found["number_._whole"] == cells,
        rival=max(rivals, default=0),
    )


def number(parts: pl.Expr, decimal: str, thousands: str, *, whole: bool) -> pl.Expr:
    """Turn what `groups` gave into Int64 where `whole`, else into Float64; null for what is not in this style."""
    field = parts.struct.field
    body = field("body").str.strip_chars()
    digits = body.str.replace_all(thousands, "", literal=True) if thousands else body
    digits = digits.str.replace(decimal, ".", literal=True) if decimal != "." else digits
    signed = pl.concat_str(
        pl.when(_negative(parts)).then(pl.lit("-")).otherwise(pl.lit("")), digits, field("exponent").fill_null("")
    )
    signs = pl.sum_horizontal(field(name).is_not_null() for name in ("sign", "second", "trail", "open"))
    fits = body.str.contains(_body(decimal, thousands)) & (signs <= 1)
    fits &= field("open").is_null() == field("close").is_null()
    value = signed.cast(pl.Int64 if whole else pl.Float64, strict=False)
    return pl.when(fits & (value.is_not_null() if whole else value.is_finite())).then(value)


def _body(decimal: str, thousands: str) -> str:
    mark = rf"\{decimal}"
    return rf"^(?:{_GROUPED[thousands]}(?:{mark}[0-9]*)?|{mark}[0-9]+)$"


def _negative(parts: pl.Expr) -> pl.Expr:
    field = parts.struct.field
    minus = [(field(name) == "-").fill_null(value=False) for name in ("sign", "second", "trail")]
    return pl.any_horizontal(*minus, field("open").is_not_null())


def unit_of(parts: pl.Expr) -> pl.Expr:
    """The unit of each cell; a code where a sign stands beside it, as in `$5 USD`."""
    back, front = parts.struct.field("back"), parts.struct.field("front")
    return pl.coalesce(back, front)


def _one_unit(units: Sequence[str], *, bare: bool) -> str:
    if len(units) == 1 and not (bare and units[0] == "%"):
        return units[0]
    same = {_SAME.get(unit, unit) for unit in units}
    if len(same) == 1 and "%" not in same:
        return same.pop()
    return "mixed" if units else ""
