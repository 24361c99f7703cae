"""Tables made of texts, read as the pipeline reads them, and the same figures worked out in plain Python."""

from __future__ import annotations

import tempfile
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl

from assay.datasets import registry
from assay.datasets.transactions.roles import Roles, choose
from assay.datasets.transactions.rows import counted, read_rows
from assay.datasets.transactions.statuses import decide
from assay.datasets.transactions.survey import Survey, look
from assay.datasets.transactions.total_rows import total_word
from assay.formats import Table
from assay.reading import Reading

Kpis = Callable[..., Any]

RULES = registry.rules_of(registry.for_type("transactions"))


@dataclass(frozen=True)
class Read:
    """What the pipeline made of a table: all rows, the used ones, and how it read them."""

    roles: Roles
    survey: Survey
    rows: pl.LazyFrame
    used: pl.LazyFrame


def read(columns: Mapping[str, Sequence[str]], only: str | None = None) -> Read:
    """Read texts by column; the rows are held in memory."""
    names = tuple(columns)
    cells = {str(at): pl.Series(list(columns[name]), dtype=pl.String) for at, name in enumerate(names)}
    frame = pl.DataFrame(cells).with_row_index("row", 1).with_columns(pl.col("row").cast(pl.Int64))
    frame = frame.with_columns(pl.lit(None, pl.String).alias("fault"))
    table = Table(names, frame.lazy(), {})
    roles = choose(RULES.assign(names))
    survey = look(table, roles, Reading())
    with tempfile.TemporaryDirectory() as folder:
        statuses = decide(survey.words, None)
        rows = (
            read_rows(table, roles, survey, statuses, only, Path(folder) / "rows.parquet", total_word(table, roles))
            .collect()
            .lazy()
        )
    return Read(roles, survey, rows, counted(rows))


@dataclass(frozen=True)
class Line:
    """One row of a made-up table."""

    order: str
    day: date
    amount: Decimal
    currency: str
    customer: str
    region: str


def columns_of(lines: Sequence[Line]) -> dict[str, list[str]]:
    """Write lines as a table of texts."""
    return {
        "order_id": [line.order for line in lines],
        "order_date": [line.day.isoformat() for line in lines],
        "revenue": [f"{line.amount:f}" for line in lines],
        "currency": [line.currency for line in lines],
        "customer_id": [line.customer for line in lines],
        "region": [line.region for line in lines],
    }


def sums_by(
    lines: Sequence[Line], key: Callable[[Line], object]
) -> dict[object, tuple[int, Decimal, Decimal, int, int]]:
    """Work out rows, amount, refunds, orders and customers of each group, in plain Python."""
    groups: dict[object, list[Line]] = defaultdict(list)
    for line in lines:
        groups[key(line)].append(line)
    return {
        name: (
            len(of),
            sum((line.amount for line in of), Decimal(0)),
            sum((line.amount for line in of if line.amount < 0), Decimal(0)),
            len({line.order for line in of if line.amount >= 0 and line.order}),
            len({line.customer for line in of if line.amount >= 0 and line.customer}),
        )
        for name, of in groups.items()
    }


def amounts(figures: Any) -> dict[str | None, str]:
    """Return the sum of each currency in kpis.json."""
    return {total["currency"]: total["amount"] for total in figures["currencies"]}
