"""Rows that add up or carry over others, such as `Grand Total` and `Opening balance`: they are no transactions."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

import polars as pl

from assay.datasets.transactions.roles import NUMBERS, Roles
from assay.datasets.transactions.rows import usable
from assay.formats import Table

IDS = ("order_id", "customer_id", "product_id", "product_name")
_MOST_COLUMNS = 12
_MOST_ROWS = 10_000
# These are names of nothing else; the others may be, such as that of a filling station.
_TELLING = (
    r"sub[ -]?tota(?:l|ls|les|le|al)|grand[ -]total|total[ -](?:general|général|geral|generale)|sous[ -]total"
    r"|totale complessivo|eindtotaal|zwischensumme|gesamtsumme|endsumme|gesamtbetrag"
    r"|(?:opening|closing|starting|ending|beginning|previous)[ -]balance|balance (?:brought|carried) forward"
    r"|(?:brought|carried) forward|(?:anfangs|end|schluss|begin|eind)saldo|(?:anfangs|end|schluss)bestand|saldovortrag"
    r"|(?:alter|neuer) (?:konto)?(?:saldo|stand)|solde (?:initial|final|précédent|d.ouverture|de clôture)"
    r"|saldo (?:inicial|final|anterior|iniziale|finale|precedente)|总计|小计|合计|期初余额|期末余额|総計|小計"
    r"|合計|итого"
)
_AMBIGUOUS = (
    r"totals?|sum|summe|gesamt|insgesamt|totale|totaal|somme|suma|soma|summa|всего|balance|saldo|solde|übertrag"
)
_TAIL = r"[ :]+.{1,30}"
_NAMED, _WORD, _SURE = 1, 2, 3


@dataclass(frozen=True)
class TotalRows:
    """The numbers of rows that are totals or balances by their words, in order.

    `left_out` are not counted; `unmatched` are those of them whose amount is not the sum of the rows above. `counted`
    are rows that may as well be named so, whose amount is no such sum.
    """

    left_out: list[int]
    unmatched: list[int]
    counted: list[int]


def total_word(table: Table, roles: Roles) -> pl.Expr:
    """How surely the texts of a row say that it is a total or a balance, from 1 to 3; 0 where they do not.

    1 is a name that begins so, 2 a word that may be a name, 3 one that can't be. A row with a number or name in any
    other column that identifies it is none.
    """
    ids = [roles.positions[role] for role in IDS if roles.has(role)]
    others = {roles.positions[role] for role in ("order_date", *NUMBERS) if roles.has(role)}
    free = [at for at in range(len(table.columns)) if at not in others and at not in ids]
    looked = [*ids, *free][:_MOST_COLUMNS]
    levels = {at: _level(pl.col(str(at)).str.strip_chars()) for at in looked}
    level = pl.max_horizontal([pl.lit(0, pl.Int8), *levels.values()])
    named = [pl.col(str(at)).str.strip_chars().fill_null("") for at in ids]
    identified = [(text != "") & (levels[at] == 0) for at, text in zip(ids, named, strict=True)]
    # Where it has no number or customer and other rows do, a word that may be a name is none.
    blank = pl.any_horizontal([text == "" for text in named]) if named else pl.lit(value=False)
    level = pl.when((level == _WORD) & blank).then(pl.lit(_SURE, pl.Int8)).otherwise(level)
    return pl.when(pl.any_horizontal(identified)).then(pl.lit(0, pl.Int8)).otherwise(level) if identified else level


def find_totals(rows: pl.LazyFrame) -> TotalRows:
    """Decide which rows that `total_word` marks are none, by the sums of the rows above and of all others."""
    marked = usable(rows).filter(pl.col("total") > 0).select("row", "total", "amount").head(_MOST_ROWS)
    candidates = marked.collect(engine="streaming").sort("row")
    if not candidates.height:
        return TotalRows([], [], [])
    following = candidates.lazy().select("row", pl.col("row").alias("next"))
    plain = usable(rows).filter(pl.col("total") == 0).select("row", "amount", "reason").sort("row")
    parts = plain.join_asof(following, on="row", strategy="forward").group_by("next")
    sums = parts.agg(
        pl.col("amount").sum().alias("all"), pl.col("amount").filter(pl.col("reason").is_null()).sum().alias("counted")
    ).collect(engine="streaming")
    above = {row["next"]: (row["all"], row["counted"]) for row in sums.iter_rows(named=True)}
    whole = [Decimal(sum(pair[side] for pair in above.values())) for side in (0, 1)]
    found = TotalRows([], [], [])
    since = [Decimal(0), Decimal(0)]
    running = [Decimal(0), Decimal(0)]
    for row, level, amount in candidates.iter_rows():
        part = above.get(row, (Decimal(0), Decimal(0)))
        since = [size + more for size, more in zip(since, part, strict=True)]
        running = [size + more for size, more in zip(running, part, strict=True)]
        matches = amount in {*since, *running, *whole}
        if not matches and level < _SURE:
            if level == _WORD:
                found.counted.append(row)
            # It is one of the rows that later totals add up.
            since, running = [size + amount for size in since], [size + amount for size in running]
            continue
        found.left_out.append(row)
        found.unmatched.extend([] if matches else [row])
        since = [Decimal(0), Decimal(0)]
    return found


def without_totals(rows: pl.LazyFrame, found: TotalRows) -> pl.LazyFrame:
    """Give the rows that are totals their reason."""
    if not found.left_out:
        return rows
    left_out = pl.col("row").is_in(found.left_out)
    return rows.with_columns(pl.when(left_out).then(pl.lit("total_row")).otherwise("reason").alias("reason"))


def _level(text: pl.Expr) -> pl.Expr:
    patterns = {
        _SURE: rf"(?i)^(?:{_TELLING})(?:{_TAIL}|:)?$",
        _WORD: rf"(?i)^(?:{_AMBIGUOUS}):?$",
        _NAMED: rf"(?i)^(?:{_AMBIGUOUS}){_TAIL}$",
    }
    levels = [pl.when(text.str.contains(pattern)).then(pl.lit(level, pl.Int8)) for level, pattern in patterns.items()]
    return pl.coalesce(*levels, pl.lit(0, pl.Int8))
