"""profile.json: everything that was found, for programs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from math import floor, isfinite
from typing import cast

import polars as pl
from pydantic import JsonValue

from assay.datasets.table import numbers
from assay.datasets.table.column import Profile, Value
from assay.datasets.table.duplicates import Duplicates
from assay.datasets.table.numbers import QUANTILES, Spread
from assay.datasets.table.relations import Relation, Relations
from assay.datasets.table.score import WEIGHTS, Score, score
from assay.types import Kind

QUANTILE_NAMES = tuple(f"p{round(100 * q):02d}" for q in QUANTILES)
_ESTIMATED_ALWAYS = ("distinct", "top")
_DATES: dict[Kind, pl.DataType] = {Kind.DATE: pl.Date(), Kind.DATETIME: pl.Datetime("us"), Kind.TIME: pl.Time()}


@dataclass(frozen=True)
class Findings:
    """The profile of a table; `refused` lists cells that are not of their column's type, none of them personal."""

    rows: int
    columns: Sequence[Profile]
    cleaned: Sequence[str]
    duplicates: Duplicates
    relations: Relations
    score: Score
    refused: pl.DataFrame
    read_as: dict[str, JsonValue]

    @property
    def blank(self) -> int:
        """Blank cells of the table."""
        return sum(column.blank for column in self.columns)

    @property
    def refused_cells(self) -> int:
        """Cells that are not of their column's type."""
        return sum(column.type.refused for column in self.columns)


def profile_json(found: Findings) -> JsonValue:
    """Shape profile.json; docs/decisions/profile.md defines every figure."""
    content = {
        "rows": found.rows,
        "columns": [column_json(column, cleaned) for column, cleaned in zip(found.columns, found.cleaned, strict=True)],
        "cells": {
            "all": found.rows * len(found.columns),
            "blank": found.blank,
            "refused": found.refused_cells,
        },
        "duplicate_rows": {**asdict(found.duplicates), "exact": True},
        "quality": {**asdict(found.score), "weights": WEIGHTS},
        "correlations": {
            "pearson": _relation(found.relations.pearson),
            "spearman": _relation(found.relations.spearman),
        },
        "associations": {
            "cramers_v": _relation(found.relations.cramers_v),
            "correlation_ratio": _relation(found.relations.correlation_ratio),
        },
        "columns_not_compared": list(found.relations.left_out),
        "refused": found.refused.to_dicts(),
        "definitions": {
            "quantiles": "type 7 (linear)",
            "std": "of a sample (n - 1)",
            "outliers": {"z_above": numbers.OUTLIER_Z, "iqr_times": numbers.OUTLIER_IQR},
        },
        "read_as": found.read_as,
    }
    return cast("JsonValue", content)


def column_json(column: Profile, cleaned: str) -> dict[str, object]:
    """Shape one column; `cleaned` is its name in cleaned.parquet and cleaned.csv."""
    extent = column.extent
    content: dict[str, object] = {
        "name": column.name,
        "name_cleaned": cleaned,
        "position": column.position,
        "type": {"name": str(column.type.kind), "unit": column.type.unit, "note": column.type.note},
        "filled": column.filled,
        "blank": column.blank,
        "refused": column.type.refused,
        "distinct": extent.distinct,
        "exact": extent.exact,
        "estimated": [] if extent.exact else estimated(column),
        "flags": list(column.flags),
        "step": extent.step,
        "meaning": asdict(column.meaning),
        "personal": [asdict(one) for one in column.personal],
        "values_withheld": column.withheld,
        "top": [asdict(one) for one in column.top],
        "quality": asdict(score([column], column.rows, None)),
    }
    if column.spread is not None:
        content["dates" if column.is_time else "numbers"] = spread_json(column, column.spread)
    if column.outliers is not None:
        content["outliers"] = {
            "z": column.outliers.z,
            "iqr": column.outliers.iqr,
            "fences": None
            if column.withheld or column.outliers.low_fence is None
            else [column.outliers.low_fence, column.outliers.high_fence],
        }
    if column.bins is not None and not column.withheld:
        edges = [as_value(column, edge) for edge in column.bins.edges]
        content["histogram"] = {"edges": edges, "counts": list(column.bins.counts)}
    if column.texts is not None:
        texts = column.texts
        content["texts"] = {
            "shortest": texts.shortest,
            "longest": texts.longest,
            "mean_length": texts.lengths.mean,
            "lengths": {
                **dict(zip(QUANTILE_NAMES, texts.lengths.quantiles, strict=False)),
                "histogram": asdict(texts.length_bins),
            },
            "padded": texts.padded,
            "respelled": texts.respelled,
            "forms": asdict(column.forms) if column.forms is not None else None,
        }
    return content


def estimated(column: Profile) -> list[str]:
    """Name the figures of a column that come from a sample of its rows."""
    if column.spread is None:
        return [*_ESTIMATED_ALWAYS, "texts"]
    names = ["mean", "sum", "std", "skewness", "kurtosis", "quantiles", "zeros", "negative", "infinite", "histogram"]
    return [*_ESTIMATED_ALWAYS, *names, *(["outliers"] if column.outliers else [])]


def spread_json(column: Profile, spread: Spread) -> dict[str, object]:
    """Shape the figures of numbers or dates; nothing that is one row's value where these are withheld."""
    ends: dict[str, Value] = dict.fromkeys(("min", *QUANTILE_NAMES, "max"))
    if not column.withheld and column.filled:
        ends = {"min": as_value(column, column.extent.least), "max": as_value(column, column.extent.greatest)}
        ends |= {name: as_value(column, value) for name, value in zip(QUANTILE_NAMES, spread.quantiles, strict=False)}
    if column.is_time:
        return {**ends, "mean": None if column.withheld else as_value(column, spread.mean)}
    return {
        **ends,
        "mean": spread.mean,
        "sum": spread.sum,
        "std": spread.std,
        "skewness": spread.skewness,
        "kurtosis": spread.kurtosis,
        "zeros": spread.zeros,
        "negative": spread.negative,
        "infinite": spread.infinite,
    }


def as_value(column: Profile, number: float | None) -> Value:
    """Turn a number back into what its column holds: a date as ISO 8601, rounded down; an infinity as its name."""
    if number is None or not column.is_time:
        if isinstance(number, float) and not isfinite(number):
            return "infinity" if number > 0 else "-infinity"
        return number
    kind = _DATES[column.type.kind]
    whole = pl.Series([floor(number)], dtype=pl.Int32 if column.type.kind is Kind.DATE else pl.Int64)
    return str(whole.cast(kind).dt.to_string("iso:strict").item())


def _relation(one: Relation) -> dict[str, object]:
    return {
        "rows": list(one.down),
        "columns": list(one.across),
        "values": [list(row) for row in one.values],
        "rows_compared": one.rows,
        "exact": one.exact,
    }
