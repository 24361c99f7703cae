"""What a survey of a column's cells says of its type: which types it may have, the likeliest first, and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from assay.reading import Reading
from assay.types import dates, numbers
from assay.types.dates import DateOrder
from assay.types.kinds import TRUE_FALSE, ColumnType, Kind
from assay.types.numbers import NumberForm

NEARLY_ALL = 0.95
# Of a column of numbers so many are numbers, where the other cells are words, or numbers written otherwise.
MOSTLY = 0.8
_LOOSE_PAIRS = {("true", "false"), ("yes", "no")}

Found = dict[str, Any]  # what an aggregate gives: counts, flags, lists of units


@dataclass
class Surveyed:
    """What is known of a column while its type is looked for."""

    name: str
    guess: Kind
    pair: tuple[str, str] | None = None
    rows: int = 0
    filled: int = 0
    markers: int = 0
    found: Found | None = None
    type: ColumnType | None = None
    missing: tuple[str, ...] = ()


@dataclass(frozen=True)
class Hints:
    """What the columns that leave no doubt say of those that do: the decimal mark, and what a date begins with."""

    decimal: str = "."
    first: Literal["day", "month"] | None = None


def hints_of(columns: Sequence[Surveyed]) -> Hints:
    """What those columns say that can be read in one way alone."""
    marks, firsts = set[str](), set[bool]()
    for one in columns:
        if one.found is None or one.type is None:
            continue
        if one.type.kind in (Kind.INTEGER, Kind.NUMBER) and (form := number_form(one.found, Reading(), ".")):
            marks |= {form.decimal} if form.sure and form.rival < MOSTLY * form.cells else set()
        if (order := one.type.dates) is not None and order.sure and not order.year_first:
            firsts.add(order.day_first)
    first: Literal["day", "month"] | None = None if len(firsts) != 1 else "day" if firsts.pop() else "month"
    return Hints("," if marks == {","} else ".", first)


def number_form(found: Found, reading: Reading, decimal: str) -> NumberForm | None:
    """How most numbers of a column are written, by `decimal` where they leave that open; None where none was sought."""
    if "number_units" not in found:
        return None
    return numbers.decide_number(found, found["number_units"], reading.decimal, reading.thousands, decimal)


def candidates(one: Surveyed, reading: Reading, hints: Hints) -> list[ColumnType]:
    """The types that nearly all cells may have, the likeliest first."""
    found = one.found or {}
    values = found["values"]
    filled = one.filled - one.markers
    base = ColumnType(Kind.TEXT, one.rows - filled, filled, 0, missing=one.missing)
    if not values:
        return [replace(base, kind=Kind.EMPTY, note="only missing markers", plain=True)]
    enough = NEARLY_ALL * values
    listed: list[ColumnType] = []
    order = dates.decide(found, reading.date_order, hints.first) if "date_plain" in found else None
    if order and order.families:
        listed.append(replace(base, kind=Kind.DATETIME, dates=order, note=_date_note(order)))
    form = number_form(found, reading, hints.decimal)
    if form and _are_numbers(form, found) and not form.identifying:
        kind = Kind.INTEGER if form.whole and form.unit != "mixed" else Kind.NUMBER
        listed.append(
            replace(
                base,
                kind=kind,
                decimal=form.decimal,
                thousands=form.thousands,
                unit=form.unit,
                note=_number_note(form, one.missing),
            )
        )
    if found.get("times", 0) >= enough:
        listed.append(replace(base, kind=Kind.TIME, note="times of day"))
    if (pair := _pair(found, values)) is not None:
        listed.append(replace(base, kind=Kind.BOOLEAN, note=in_words(pair)))
    return listed


def _are_numbers(form: NumberForm, found: Found) -> bool:
    """Whether nearly all cells are numbers, or most are and the others words, or numbers with other marks."""
    values: int = found["values"]
    odd: int = found["number_words"] + max(found["number_signs"] - form.cells, 0)
    return form.cells >= NEARLY_ALL * values or (form.cells >= MOSTLY * values and form.cells + odd >= values)


def has_both(pair: tuple[str, str], yes: int, no: int) -> bool:
    """Whether a column has both words: one alone may be a name, such as NO for Norway."""
    return bool(yes and no) or pair == ("true", "false")


def in_words(pair: tuple[str, str]) -> str:
    """Name the two words of a column of flags."""
    return f"{pair[0]} and {pair[1]}"


def _pair(found: Found, values: int) -> tuple[str, str] | None:
    for at, pair in enumerate(TRUE_FALSE):
        yes, no = found.get(f"flag_{at}_0", 0), found.get(f"flag_{at}_1", 0)
        needed = NEARLY_ALL * values if pair in _LOOSE_PAIRS else values
        if has_both(pair, yes, no) and yes + no >= needed:
            return pair
    return None


def _date_note(order: DateOrder) -> str:
    zoned = f"; {order.zoned:,} name a zone, which is left aside" if order.zoned else ""
    return f"dates, {order.decided}{zoned}" if order.decided else f"dates{zoned}"


def _number_note(form: NumberForm, missing: Sequence[str]) -> str:
    marks = {".": "point", ",": "comma", " ": "space", "'": "apostrophe"}
    said = ["whole numbers" if form.whole else f"numbers with a decimal {marks[form.decimal]}"]
    if form.thousands:
        said.append(f"thousands by {marks[form.thousands]}")
    if form.unit:
        said.append("units that differ" if form.unit == "mixed" else f"all in {form.unit}")
    if missing:
        said.append(f"{missing[0]} taken for no value")
    return ", ".join(said) + ("" if form.sure or form.plain else "; another decimal mark would read as many cells")


def why_text(one: Surveyed, reading: Reading) -> str:
    """Say why a column is text."""
    found = one.found or {}
    form = number_form(found, reading, ".")
    if form and form.identifying and form.cells >= NEARLY_ALL * found["values"]:
        return f"digits that are no numbers: {form.identifying}"
    return "no other kind fits 95 % of the cells"
