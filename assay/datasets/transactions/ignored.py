"""Columns that no figure uses, though their name and cells say that rows do not count, or count for less."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Literal

import polars as pl

from assay.datasets.transactions.amounts import EXACT, product
from assay.datasets.transactions.flags import CANCELLED
from assay.datasets.transactions.roles import Roles
from assay.datasets.transactions.rows import counted
from assay.datasets.transactions.statuses import MAX_WORDS, NOT_COUNTED, class_of, direction_of
from assay.detection.given import label
from assay.detection.names import fold_all
from assay.formats import Table
from assay.types.kinds import blank_or

Says = Literal["status", "type", "mark", "discount"]

_MOST = 8
_PERCENT = 100
_HUNDREDTH = Decimal("0.01")
_STATUS = re.compile(r"(status|state|statut|estado|situacao|stato|zustand)$|^(status|statut)")
# Goods on their way were sold all the same.
_DELIVERY = re.compile(
    r"fulfil|ship|deliver|versand|liefer|livraison|envio|entrega|spedizione|levering|inventory|stock"
)
_TYPE = re.compile(r"(type|kind|art|typ|tipo|soort)$|^(type|tipo)|indicator$|direction$|^(dr|debit)cr")
_MARK = re.compile(
    r"refund|return|chargeback|cancel|void|deleted|disputed|erstatt|retour|storno|rembours|reembols|devol|estorn"
    r"|rimbors|^reso$|terugbet|creditnote|annul"
)
_NO_MARK = re.compile(r"returning|able|policy|window|days|rate|pct|percent|reason|address|shipment")
_DISCOUNT = re.compile(r"discount|rabatt|remise|descuento|desconto|sconto|korting|rebate|coupon(amount|value)|promo")
_NO = (*CANCELLED.false, "not returned", "not refunded", "none")


@dataclass(frozen=True)
class Ignored:
    """A column that no figure uses: its header, what it seems to say, and the rows and sums that this would change.

    `words` are those found in it, of a status or a type. `amounts` adds up the counted rows of which it says
    something, by currency; `others` holds, for a discount, what the sum would be were it taken off, by what the
    discount may be.
    """

    name: str
    role: Says
    words: tuple[str, ...]
    rows: int
    amounts: Mapping[str | None, Decimal]
    others: Mapping[str, Mapping[str | None, Decimal]]


def without_flags(table: Table, roles: Roles) -> Roles:
    """Take the part of a refunded amount from a column of yes and no, or of 1 and 0: it has no amounts."""
    at = roles.positions.get("refunded_amount")
    if at is None:
        return roles
    text = blank_or(pl.col(str(at)), markers=True)
    numbers = pl.when(text.str.contains("[1-9]")).then(text)
    counts = table.frame.select(
        ones=(numbers.str.contains(r"^1(\.0+)?$")).all(), some=numbers.count(), words=text.count()
    )
    only_ones, some, filled = counts.collect(engine="streaming").row(0)
    zeros = table.frame.select(text.str.contains("[0-9]").any()).collect(engine="streaming").item()
    if (some and only_ones) or (filled and not some and not zeros):
        return replace(roles, positions={role: place for role, place in roles.positions.items() if place != at})
    return roles


def ignored(table: Table, roles: Roles, rows: pl.LazyFrame) -> list[Ignored]:
    """Look at the columns that no part was found for, at most 8 with such a name, and at `rows` that count."""
    taken = set(roles.positions.values())
    names = {at: fold_all(name) for at, name in enumerate(table.columns) if at not in taken}
    said = {at: says for at, name in names.items() if (says := _says(name, roles)) is not None}
    said = dict(list(said.items())[:_MOST])
    found = {at: hit for at, says in said.items() if (hit := _hit(table, at, says, names[at])) is not None}
    if not found:
        return []
    hits = {f"hit {at}": expression.fill_null(value=False) for at, (expression, _) in found.items()}
    offs = {f"off {at}": _size(at) for at in found if said[at] == "discount"}
    marked = table.frame.select("row", **hits, **offs).filter(pl.any_horizontal(list(hits)))
    used = counted(rows).select("row", "amount", "currency").join(marked, on="row", how="inner")
    wanted = [pl.col(name).sum().cast(pl.Int64).alias(f"rows {name}") for name in hits]
    wanted += [pl.col("amount").filter(pl.col(name)).sum().alias(f"sum {name}") for name in hits]
    for off in offs:
        wanted += [product(pl.col("amount"), pl.col(off)).sum().alias(f"share {off}")]
        wanted += [pl.col(off).sum().alias(f"whole {off}"), pl.col(off).max().alias(f"most {off}")]
    table_of = used.group_by("currency").agg(wanted).sort("currency").collect(engine="streaming")
    listed = [_told(table, at, said[at], words, table_of) for at, (_, words) in found.items()]
    return [one for one in listed if one.rows]


def _says(name: str, roles: Roles) -> Says | None:
    if _NO_MARK.search(name):
        return None
    if _STATUS.search(name):
        return "status"
    if _MARK.search(name):
        return "mark"
    if _DISCOUNT.search(name) and not roles.amount_columns and roles.measure == "revenue":
        return "discount"
    return "type" if _TYPE.search(name) else None


def _hit(table: Table, at: int, says: Says, name: str) -> tuple[pl.Expr, tuple[str, ...]] | None:
    """Whether a cell says that its row does not count or counts for less, and the words that do; None for no cell."""
    text = blank_or(pl.col(str(at)), markers=True)
    if says == "discount":
        return _size(at) > 0, ()
    if says == "mark":
        folded = text.str.to_lowercase()
        return text.is_not_null() & ~folded.is_in(_NO) & ~text.str.contains(r"^[-+0.,\s]*$"), ()
    if table.frame.select(text.approx_n_unique()).collect(engine="streaming").item() > 2 * MAX_WORDS:
        return None
    words = table.frame.select(text.unique()).collect(engine="streaming").to_series().drop_nulls().sort().to_list()
    out = tuple(word for word in words if _is_out(word, says, delivery=_DELIVERY.search(name) is not None))
    if says == "type":
        sides = {word: side for word in words if (side := direction_of(word)) is not None}
        out += tuple(
            word for word, side in sides.items() if side == "debit" and {*sides.values()} == {"debit", "credit"}
        )
    return (text.is_in(out), out) if out else None


def _is_out(word: str, says: Says, *, delivery: bool) -> bool:
    if says == "status":
        return class_of("status", word) in set(NOT_COUNTED) - ({"pending"} if delivery else set())
    return class_of("type", word) in ("refund", "cancelled")


def _size(at: int) -> pl.Expr:
    """The size of a discount, whatever its sign."""
    text = pl.col(str(at)).str.strip_chars()
    size = text.str.replace(",", ".", literal=True).str.extract(r"([0-9]*\.?[0-9]+)").cast(EXACT, strict=False)
    return pl.when(text.str.ends_with("%")).then(product(size, pl.lit(_HUNDREDTH, EXACT))).otherwise(size)


def _told(table: Table, at: int, says: Says, words: tuple[str, ...], found: pl.DataFrame) -> Ignored:
    hit, off = f"hit {at}", f"off {at}"
    rows = list(found.iter_rows(named=True))
    amounts = {row["currency"]: row[f"sum {hit}"] for row in rows if row[f"rows {hit}"]}
    others: dict[str, Mapping[str | None, Decimal]] = {}
    if says == "discount" and amounts:
        most = max(row[f"most {off}"] or 0 for row in rows)
        shares = {"a share of the amount": Decimal(1)} if most <= 1 else {}
        shares |= {"percent": _HUNDREDTH} if 1 < most <= _PERCENT else {}
        for name, factor in shares.items():
            others[name] = {row["currency"]: _money((row[f"share {off}"] or 0) * factor) for row in rows}
        if most > 1:
            others["an amount of the row"] = {
                row["currency"]: _money(row[f"whole {off}"] or Decimal(0)) for row in rows
            }
    return Ignored(label(table.columns, at), says, words, sum(row[f"rows {hit}"] for row in rows), amounts, others)


def _money(size: Decimal) -> Decimal:
    return round(size, 2)


def choice(one: Ignored) -> str:
    """How a person has such a column decide; blank where it can't."""
    role = {"status": "status", "type": "type"}.get(one.role)
    return json.dumps({role: one.name}, ensure_ascii=False) if role else ""
