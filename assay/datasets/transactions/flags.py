"""The words in which flags are written."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from assay.types.kinds import TRUE_FALSE


@dataclass(frozen=True)
class Words:
    """What stands for true and for false, in lower case."""

    true: tuple[str, ...]
    false: tuple[str, ...]


_YES = tuple(dict.fromkeys(["1", "1.0", *(yes for yes, _ in TRUE_FALSE)]))
_NO = tuple(dict.fromkeys(["0", "0.0", *(no for _, no in TRUE_FALSE)]))

FRAUD = Words(
    (*_YES, "fraud", "fraudulent", "confirmed", "suspicious", "flagged", "chargeback"),
    (*_NO, "legit", "legitimate", "genuine", "clean", "normal", "none", "ok", "not fraud", "non-fraud"),
)
SUCCESS = Words(
    (*_YES, "success", "successful", "succeeded", "ok", "approved", "completed", "complete", "paid", "settled"),
    (*_NO, "failure", "failed", "fail", "declined", "rejected", "error", "cancelled", "canceled", "unsuccessful"),
)


CANCELLED = Words(
    (*_YES, "x", "cancelled", "canceled", "void", "voided"),
    (*_NO, "active", "open", "not cancelled", "not canceled"),
)
# A day, with or without the time; or the seconds since 1970.
_DATED = r"[0-9]{1,4}[-/. ]\w{1,9}[-/. ,]+[0-9]{1,4}|[a-z]{3,9}\.? [0-9]{1,2},? [0-9]{4}|^[0-9]{8,13}$"


def cancelled(text: pl.Expr) -> pl.Expr:
    """Read trimmed text as a flag, or as the day on which a row was cancelled; null where it is neither."""
    dated = pl.when(text.str.to_lowercase().str.contains(_DATED)).then(pl.lit(value=True))
    return pl.coalesce(flag(text, CANCELLED), dated)


def flag(text: pl.Expr, words: Words) -> pl.Expr:
    """Read trimmed text as a flag, whatever its case; null where it is neither."""
    folded = text.str.to_lowercase()
    word = pl.when(folded.is_in(words.true)).then(pl.lit(value=True))
    return word.when(folded.is_in(words.false)).then(pl.lit(value=False))
