"""What a result says: a number, a bound such as <0.5, or that nothing was detected.

A result with a bound is censored: the value lies below it (`sign` -1, or -2 for ≤) or above it (1, or 2 for ≥).
Laboratories write that into the result, or into a column beside it: a qualifier, a detection condition, a yes or no.
"""

from __future__ import annotations

from collections.abc import Collection

import polars as pl

from assay.datasets.station_measurements.marks import Marks, plain

OPTIONAL = (
    "unit", "fraction", "qualifier", "prefix", "condition", "censored", "detection_limit", "quantitation_limit",
    "limit_unit",
)  # fmt: skip
"""The roles beside station, date_time, pcode and result; a file may lack any of them."""

_LIMITS = ("detection_limit", "quantitation_limit")
_FLAGS = ("condition", "qualifier", "censored", "prefix")
_SIGNS = {"<": -1, "<=": -2, "=<": -2, "≤": -2, ">": 1, ">=": 2, "=>": 2, "≥": 2}
_SPACES = "' \u2019\u00a0\u2007\u2009\u202f"
_NUMBER = rf"[-+]?(?:[0-9](?:[0-9.,{_SPACES}]*[0-9.,])?|[.,][0-9]+)(?:[eE][-+]?[0-9]{{1,3}})?"
# Limits of detection and of quantitation, as EPA, USGS and laboratories in other languages write them.
_BELOW = r"(?:present\s*)?(?:<|≤|below|under)\s*(?:the\s+)?(?:method\s+)?"
_OF_DETECTION = r"(?:lod|mdl|dl|lld|idl|ld|ng|detection(?:\s+limit)?)"
_OF_QUANTITATION = (
    r"(?:loq|lq|ql|pql|mql|rl|mrl|lor|crql|bg|rg|(?:quantification|quantitation|reporting|report)(?:\s+limit)?)"
)
_NOT_DETECTED = (
    rf"uj?|n\.?d\.?|n\.\s?n\.?|b(?:m?dl|lod|d)|not?[\s-]*detect(?:ed|able|s)?|non[\s-]*detect(?:ed|s)?|none\s+detected|"
    rf"nicht\s+nachweisbar|no\s+detectado|non\s+détecté|{_BELOW}{_OF_DETECTION}"
)
_NOT_QUANTIFIED = rf"b[qrp]l|bloq|pnq|detected\s+not\s+quantified|{_BELOW}{_OF_QUANTITATION}"
_BEYOND = (
    r"tntc|too\s+numerous\s+to\s+count|(?:present\s*)?(?:>|above|over)\s*(?:the\s+)?(?:range|quanti\w+\s+limit|ql|loq)"
)
_ESTIMATED = r"n?j[+-]?|e|est\.?|estimated|~"
_WORD = rf"{_NOT_DETECTED}|{_NOT_QUANTIFIED}|{_BEYOND}|{_ESTIMATED}"
_RESULT = (
    rf"(?i)^\*?\s*(?P<front>{_WORD})?[\s:]*(?P<sign>[<>]=?|=[<>]|[≤≥])?\s*\(?(?P<body>{_NUMBER})?\)?"
    rf"\s*\(?(?P<back>{_WORD})?\)?$"
)
# 1.5E may be an estimate, or 1.5E-7 cut off.
_CUT_OFF = r"[0-9.][eE]\)?$"
_GAP = r"[\s,;:|/]"
_YES = r"(?i)^(?:1|true|yes|y|t|x|left)$"
# Says nothing that would change how the number is taken.
_GOOD = r"=|nc|none|detected|valid|ok|good|pass|accepted|a|p|-"


def with_meaning(rows: pl.LazyFrame, roles: Collection[str], marks: Marks) -> pl.LazyFrame:
    """Add what each result means: `number`, `value`, `sign` (Int8), `estimated`, `by_limit` and `flag`.

    `rows` has the column `result` and those of OPTIONAL that are in `roles`, trimmed texts, null where blank. `number`
    is a plain number, null for any other text. `value` is the number or the bound: null with a sign where no bound is
    known, and null with sign 0 where the result can't be read. `by_limit` is whether the bound is from a column of
    limits, `flag` what the qualifier says that is not known here.
    """
    flags = [role for role in _FLAGS if role in roles]
    limits = [role for role in _LIMITS if role in roles]
    result = pl.col("result")
    rows = rows.with_columns(number(result, marks).alias("number"))
    is_odd = pl.col("number").is_null() & ~result.str.contains(_CUT_OFF)
    odd = pl.when(is_odd).then(result).str.extract_groups(_RESULT).struct
    rows = rows.with_columns(
        *(odd.field(name).alias(f"odd {name}") for name in ("front", "sign", "body", "back")),
        *(number(pl.col(role), marks).alias(f"number {role}") for role in limits),
    ).with_columns(number(pl.col("odd body"), marks).alias("bound"))
    words = [pl.col(name) for name in ("odd front", "odd back", *flags)]
    parts = [pl.col(f"odd {name}").is_not_null() for name in ("front", "sign", "body", "back")]
    # A body that is no number, such as 1.2.3, is not read at all.
    legible = pl.any_horizontal(parts) & (pl.col("odd body").is_null() == pl.col("bound").is_null())
    fits = result.is_null() | pl.col("number").is_not_null() | legible
    signs = [pl.col("odd sign").replace_strict(_SIGNS, default=None, return_dtype=pl.Int8), *map(_sign_of, words)]
    if "censored" in flags:
        signs.append(pl.when(pl.col("censored").str.contains(_YES)).then(pl.lit(-1, pl.Int8)))
    rows = rows.with_columns(
        pl.when(fits).then(pl.coalesce(signs)).fill_null(0).cast(pl.Int8).alias("sign"),
        pl.coalesce("number", "bound").alias("own"),
        pl.any_horizontal(_has(word, _NOT_QUANTIFIED) for word in words).alias("not quantified"),
        pl.any_horizontal(_has(word, f"{_NOT_DETECTED}|{_NOT_QUANTIFIED}") for word in words).alias("no find"),
        pl.any_horizontal(_has(word, _ESTIMATED) for word in words).fill_null(value=False).alias("is estimated"),
    )
    left = pl.col("sign") < 0
    limit = _limit(limits)
    # A zero that was not detected is no bound; neither is the number beside a U, where a column has the limit.
    own = pl.when(~(left & (pl.col("own") == 0))).then(pl.col("own"))
    written = pl.col("bound").is_not_null()
    by_limit = left & limit.is_not_null() & (own.is_null() | (pl.col("no find").fill_null(value=False) & ~written))
    # A mark alone, < without a number, says neither that nothing was found nor what it lies below.
    says_enough = pl.col("no find") | pl.any_horizontal(_has(word, _BEYOND) for word in words)
    if "censored" in flags:
        says_enough |= pl.col("censored").str.contains(_YES)
    known = limit.is_not_null() & left | own.is_not_null() | says_enough.fill_null(value=False)
    return rows.with_columns(
        pl.when(known).then(pl.col("sign")).otherwise(0).cast(pl.Int8).alias("sign"),
        pl.when(by_limit).then(limit).otherwise(own).alias("value"),
        (by_limit & pl.lit(bool(limits))).alias("by_limit"),
        ((pl.col("sign") == 0) & pl.col("is estimated") & own.is_not_null()).alias("estimated"),
        _unknown().alias("flag") if "qualifier" in roles else pl.lit(None, pl.String).alias("flag"),
    )


def number(text: pl.Expr, marks: Marks) -> pl.Expr:
    """The finite double that a text stands for, else null; null too where it is too small for a double but not 0."""
    text = plain(text, marks)
    value = text.cast(pl.Float64, strict=False)
    lost = pl.when(value == 0).then(text).str.contains("^[^eE]*[1-9]").fill_null(value=False)
    return pl.when(value.is_finite() & ~lost).then(value)


def _limit(limits: Collection[str]) -> pl.Expr:
    """The limit of a result that has none of its own: that of detection first, unless it was not quantified."""
    columns = {role: pl.col(f"number {role}") if role in limits else pl.lit(None, pl.Float64) for role in _LIMITS}
    detection, quantitation = (pl.when(limit > 0).then(limit) for limit in columns.values())
    by_quantitation = pl.col("not quantified").fill_null(value=False)
    return (
        pl.when(by_quantitation)
        .then(pl.coalesce(quantitation, detection))
        .otherwise(pl.coalesce(detection, quantitation))
    )


def _sign_of(word: pl.Expr) -> pl.Expr:
    """The sign that a flag stands for; null for none."""
    below = _has(word, f"<|lt|{_NOT_DETECTED}|{_NOT_QUANTIFIED}")
    tests = [(_has(word, "<=|≤"), -2), (_has(word, ">=|≥"), 2), (below, -1), (_has(word, f">|gt|{_BEYOND}"), 1)]
    return pl.coalesce(pl.when(test).then(pl.lit(sign, pl.Int8)) for test, sign in tests)


def _has(word: pl.Expr, patterns: str) -> pl.Expr:
    return word.str.contains(rf"(?i)(?:^|{_GAP})(?:{patterns})(?:$|{_GAP})")


def _unknown() -> pl.Expr:
    """The qualifiers that are none of the known flags."""
    known = rf"(?i)^(?:{_GAP}*(?:[<>]=?|[≤≥]|lt|gt|{_WORD}|{_GOOD})(?:{_GAP}+|$))+$"
    qualifier = pl.col("qualifier")
    return pl.when(~qualifier.str.contains(known)).then(qualifier)
