"""What the figures of a sample say of several columns that could be the amount: which is the whole and which a part."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from itertools import combinations, permutations
from typing import Literal

from assay.detection.names import fold

# A sum must hold in so many of the rows that have all its figures, and in three of them at least.
_HOLDS = 0.99
_FEWEST_ROWS = 3
# Half a cent: what is written with two places adds up to the cent.
_TOLERANCE = Decimal("0.005")
# More columns of taxes, fees and the like are not tried in all their combinations.
_MOST_PARTS = 5
_MOST_CANDIDATES = 6
_LONGEST_NUMBER = 40

Part = Literal["added", "taken off", "fee"]
# By words within the folded name. What is added belongs to the whole; a fee is taken off what came in.
_PARTS: tuple[tuple[Part, re.Pattern[str]], ...] = (
    ("taken off", re.compile(r"discount|rebate|coupon|promotion|rabatt|remise|descuento|desconto|sconto|korting")),
    (
        "added",
        re.compile(
            r"tax|vat|gst|duty|shipping|freight|postage|delivery|handling|tip|gratuity|surcharge"
            r"|steuer|mwst|versand|tva|livraison|iva|impuesto|imposto|envio|frete|spedizione|btw|verzend"
        ),
    ),
    ("fee", re.compile(r"fee|commission|gebuhr|provision|frais|comision|comissao|commissione|tarifa")),
)
_RATE = re.compile(r"rate|pct|percent")
_AROUND = re.compile(r"^[^\d.,+\-()]+|[^\d.,()\-]+$")


@dataclass(frozen=True)
class Decided:
    """The columns that the arithmetic leaves, one where it decides, and the sums that hold, in words."""

    at: tuple[int, ...]
    because: str


def decide(
    candidates: Sequence[int],
    names: Sequence[str],
    columns: Mapping[int, Sequence[str | None]],
    factors: tuple[Sequence[int], Sequence[int]],
) -> Decided | None:
    """Choose among the columns that could be one amount; None where no sum tells any of them apart.

    `columns` has the cells of every column of numbers by its position, row by row; `factors` are the columns that
    could be the quantity, and the unit price. Line totals (quantity times price) go first, since that is what revenue
    is where no column has it. Else a total with taxes and shipping goes before one without, one with its discounts
    taken off before one without, and what came in before what is left of it after fees.
    """
    if len(candidates) > _MOST_CANDIDATES:
        return None
    figures = {at: _figures(cells) for at, cells in columns.items()}
    products = _products(candidates, names, figures, factors)
    if products:
        return products[0] if len(products) == 1 else None
    beaten: dict[int, str] = {}
    for whole, less in permutations(candidates, 2):
        said = _sum(whole, less, names, figures, candidates)
        if said is not None:
            beaten[less] = min(said, beaten.get(less, said))
    left = tuple(at for at in candidates if at not in beaten)
    return Decided(left, "; ".join(sorted(beaten.values()))) if beaten and left else None


def _products(
    candidates: Sequence[int],
    names: Sequence[str],
    figures: Mapping[int, list[Decimal | None]],
    factors: tuple[Sequence[int], Sequence[int]],
) -> list[Decided]:
    found: dict[int, Decided] = {}
    for quantity in factors[0]:
        for price in factors[1]:
            for at in candidates:
                if len({quantity, price, at}) < 3 or not {quantity, price, at} <= figures.keys():
                    continue
                rows = _rows(figures, quantity, price, at)
                # A quantity of one in every row makes the price the line total, and tells nothing of another column.
                held = _share([abs(many * each - total) <= _TOLERANCE for many, each, total in rows])
                if held is not None:
                    words = f"{names[quantity]} times {names[price]} = {names[at]} in {held}"
                    found.setdefault(at, Decided((at,), words))
    return list(found.values())


def _sum(
    whole: int,
    less: int,
    names: Sequence[str],
    figures: Mapping[int, list[Decimal | None]],
    candidates: Sequence[int],
) -> str | None:
    """Say how `whole` is made of `less` and columns that are named as parts of an amount; None if it is not."""
    parts = [(at, kind) for at in figures if at not in candidates and (kind := part_of(names[at])) is not None]
    parts = sorted(parts, key=lambda part: names[part[0]])[:_MOST_PARTS]
    for many in range(1, len(parts) + 1):
        for chosen in combinations(parts, many):
            rows = _rows(figures, whole, less, *(at for at, _ in chosen), blank_as_zero=True)
            if not all(any(abs(row[2 + place]) > _TOLERANCE for row in rows) for place in range(many)):
                continue
            kinds = [kind for _, kind in chosen]
            if "fee" in kinds and sum(abs(row[0]) for row in rows) <= sum(abs(row[1]) for row in rows):
                # What came in is more than what is left of it; the sum alone holds either way round.
                continue
            held = _share([_adds_up(row, kinds) for row in rows])
            if held is not None:
                totals = [sum(row[2 + place] for row in rows) for place in range(many)]
                minus = [
                    kind == "taken off" or (kind == "fee" and total < 0)
                    for kind, total in zip(kinds, totals, strict=True)
                ]
                signs = "".join(
                    f" {'-' if off else '+'} {names[at]}" for off, (at, _) in zip(minus, chosen, strict=True)
                )
                return f"{names[whole]} = {names[less]}{signs} in {held}"
    return None


def _adds_up(row: tuple[Decimal, ...], kinds: Sequence[Part]) -> bool:
    whole, less, *parts = row
    moved = Decimal(0)
    for part, kind in zip(parts, kinds, strict=True):
        # Fees and discounts are written with either sign; a fee given back has the other one of its column.
        moved += part if kind == "added" else -abs(part) if kind == "taken off" else _of_sign(whole, less, part)
    return abs(less + moved - whole) <= _TOLERANCE


def _of_sign(whole: Decimal, less: Decimal, fee: Decimal) -> Decimal:
    return fee if abs(less + fee - whole) <= abs(less - fee - whole) else -fee


def part_of(name: str) -> Part | None:
    """What a column named so is of an amount: added to it, taken off, or a fee; None if it is no part."""
    folded = fold(name)
    if _RATE.search(folded):
        return None
    return next((kind for kind, words in _PARTS if words.search(folded)), None)


def _rows(
    figures: Mapping[int, list[Decimal | None]], *positions: int, blank_as_zero: bool = False
) -> list[tuple[Decimal, ...]]:
    """The rows that have all these figures; of the third and later ones blanks are 0 where `blank_as_zero` says so."""
    rows = []
    for row in zip(*(figures[at] for at in positions), strict=True):
        filled = [Decimal(0) if one is None and blank_as_zero and place > 1 else one for place, one in enumerate(row)]
        if all(one is not None for one in filled):
            rows.append(tuple(one for one in filled if one is not None))
    return rows


def _share(held: Sequence[bool]) -> str | None:
    if len(held) < _FEWEST_ROWS or sum(held) < _HOLDS * len(held):
        return None
    return f"{sum(held)} of {len(held)} rows"


def _figures(cells: Sequence[str | None]) -> list[Decimal | None]:
    """Read a column's cells; the last mark of a cell with two kinds of them, or of any other, is the decimal one."""
    stripped = [_AROUND.sub("", cell) if cell and len(cell) <= _LONGEST_NUMBER else "" for cell in cells]
    comma = _decimal_is_comma(stripped)
    return [_figure(cell, comma=comma) for cell in stripped]


def _decimal_is_comma(cells: Sequence[str]) -> bool:
    for cell in cells:
        if "," in cell and "." in cell:
            return cell.rfind(",") > cell.rfind(".")
    with_comma = [cell for cell in cells if "," in cell]
    return any(not re.fullmatch(r"[-+(]*\d{1,3}(,\d{3})+\)?-?", cell) for cell in with_comma)


def _figure(cell: str, *, comma: bool) -> Decimal | None:
    negative = cell.startswith(("-", "(", "(-")) or cell.endswith("-")
    text = re.sub(r"[-+()'\s\u00a0\u202f]", "", cell)
    text = text.replace(".", "").replace(",", ".") if comma else text.replace(",", "")
    if not text:
        return None
    try:
        figure = Decimal(text)
    except InvalidOperation:
        return None
    return -figure if negative else figure
