"""Figures of texts: lengths, spellings, and which forms the cells have."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from assay.datasets.table import limits
from assay.datasets.table.countries import is_country
from assay.datasets.table.counts import Counts
from assay.datasets.table.numbers import Bins, Spread, histogram, spread
from assay.datasets.table.patterns import EMAIL, IP, NUMBER, PHONE, URL, UUID


@dataclass(frozen=True)
class Texts:
    """`lengths` are in characters; `padded` cells begin or end with blanks.

    `respelled` cells differ only in case or blanks from a text that stands there more often (None where the column has
    too many different texts to look).
    """

    shortest: int
    longest: int
    lengths: Spread
    length_bins: Bins
    padded: int
    respelled: int | None


@dataclass(frozen=True)
class Forms:
    """Which share of the cells has a form, from 0 to 1; `words` are a cell's on average.

    Of the most frequent values, `looked_at` of them.
    """

    looked_at: int
    email: float
    phone: float
    phone_marked: float
    url: float
    uuid: float
    ip: float
    number: float
    country: float
    words: float


def texts(counts: Counts) -> Texts:
    """Compute the figures of a column of text that has at least one value."""
    padded = counts.values.str.strip_chars() != counts.values
    sizes = pl.DataFrame({"size": counts.values.str.len_chars().cast(pl.Int64), "count": counts.counts})
    by_size = sizes.group_by("size").sum().sort("size")
    length, often = by_size["size"].to_numpy(), by_size["count"].to_numpy()
    return Texts(
        shortest=int(length[0]),
        longest=int(length[-1]),
        lengths=spread(length, often),
        length_bins=histogram(length, often),
        padded=int(counts.counts[padded.to_numpy()].sum()),
        respelled=_respelled(counts) if len(counts.values) <= limits.MAX_SPELLINGS else None,
    )


def _respelled(counts: Counts) -> int:
    plain = counts.values.str.strip_chars().str.replace_all(r"\s+", " ").str.to_lowercase()
    if plain.n_unique() == plain.len():
        return 0
    often = pl.DataFrame({"plain": plain, "count": counts.counts})
    rarer = often.group_by("plain").agg(pl.col("count").sum() - pl.col("count").max())
    return int(rarer["count"].sum())


def most_frequent(counts: Counts, most: int) -> pl.DataFrame:
    """List up to `most` values, the most frequent first and by themselves among equals: columns value, count."""
    if counts.values.dtype == pl.String:
        found = pl.DataFrame({"value": counts.values, "count": counts.counts})
        found = found.top_k(most, by=["count", "value"], reverse=[False, True])
        return found.sort("count", "value", descending=[True, False])
    # The values ascend, so the first of equals are the least.
    often = counts.counts
    least = int(np.partition(often, -most)[-most]) if len(often) > most else 0
    above, equal = np.flatnonzero(often > least), np.flatnonzero(often == least)
    at = np.concatenate([above, equal[: most - len(above)]])
    at = at[np.lexsort((at, -often[at]))]
    return pl.DataFrame({"value": counts.values.gather(at), "count": often[at]})


def forms(looked: pl.DataFrame) -> Forms:
    """Look which forms the most frequent texts have (columns value, count; at least one row)."""
    total = int(looked["count"].sum())
    text = pl.col("value").str.strip_chars()

    def weighed(condition: pl.Expr) -> pl.Expr:
        return pl.col("count").filter(condition).sum() / total

    def whole(form: str) -> pl.Expr:
        return weighed(text.str.contains(rf"^(?:{form})$"))

    digits = text.str.count_matches("[0-9]")
    phone = text.str.contains(rf"^(?:{PHONE})$") & (digits >= 7) & (digits <= 15)
    country = [is_country(one) for one in looked["value"]]
    found = looked.with_columns(country=pl.Series(country, dtype=pl.Boolean)).select(
        email=whole(EMAIL),
        phone=weighed(phone),
        phone_marked=weighed(phone & text.str.contains(r"^(?:\+|00|\()|[0-9][ /.\-][0-9]")),
        url=whole(URL),
        uuid=whole(UUID),
        ip=whole(IP),
        number=whole(NUMBER),
        country=weighed(pl.col("country")),
        words=(text.str.count_matches(r"\S+") * pl.col("count")).sum() / total,
    )
    return Forms(looked_at=looked.height, **{name: float(value) for name, value in found.row(0, named=True).items()})
