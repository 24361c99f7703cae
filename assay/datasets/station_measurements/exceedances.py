"""Results held against the limits that a user gives, each in the unit of its series."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Self

import polars as pl
from pydantic import BaseModel, ConfigDict, Field, model_validator

from assay.datasets.station_measurements.series import Arrangement
from assay.datasets.station_measurements.units import change


class Limit(BaseModel):
    """The least and the most that a parameter may have, both allowed themselves."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    max: float | None = Field(default=None, allow_inf_nan=False)
    min: float | None = Field(default=None, allow_inf_nan=False)
    unit: str | None = Field(default=None, min_length=1, max_length=60, description="such as mg/L")

    @model_validator(mode="after")
    def _limits_something(self) -> Self:
        if self.max is None and self.min is None:
            raise ValueError("a limit needs max or min")
        if self.max is not None and self.min is not None and self.min > self.max:
            raise ValueError("min is above max")
        return self


@dataclass(frozen=True)
class Held:
    """A series held against a limit: `max` and `min` are in the unit of the series.

    `assumed_unit` is the unit of the limit where the results have none and were taken to be in it.
    """

    pcode: str
    max: float | None
    min: float | None
    assumed_unit: str = ""


@dataclass(frozen=True)
class Exceedances:
    """How many results of one station and series are above or below the limit.

    `undecided` are bounds that may lie on either side: <100 for a limit of 50.
    """

    station: str
    pcode: str
    results: int
    above: int
    below: int
    undecided: int


def held_against(limits: Mapping[str, Limit], arrangement: Arrangement) -> tuple[list[Held], list[str]]:
    """Bring each limit into the unit of the series that it names.

    Returns with them a sentence for each limit that can't be used.
    """
    held, problems = [], []
    for name, limit in limits.items():
        keys = arrangement.found(name)
        if not keys:
            problems.append(f"No results for the limit of {name}.")
        if limit.unit is None and len(keys) > 1:
            labels = " and ".join(arrangement.series[key].label for key in keys)
            problems.append(f"The limit of {name} was not used: it needs a unit, as there are {labels}.")
            continue
        for key in keys:
            series = arrangement.series[key]
            way = change(limit.unit or series.unit, series.unit or limit.unit or "")
            if way is None:
                problems.append(
                    f"The limit of {name} was not used for {series.label}: {limit.unit} can't be converted "
                    f"to {series.unit}."
                )
                continue
            highest, lowest = (
                None if bound is None else float(Fraction(bound) * way.scale + way.shift)
                for bound in (limit.max, limit.min)
            )
            held.append(Held(key, highest, lowest, "" if series.unit else limit.unit or ""))
    return held, problems


def exceedances(usable: pl.LazyFrame, held: list[Held]) -> list[Exceedances]:
    """Count the results beyond their limits, by station and series; bounds only where it is certain."""
    if not held:
        return []
    schema = {"pcode": usable.collect_schema()["pcode"], "max": pl.Float64(), "min": pl.Float64()}
    limits = pl.LazyFrame([(one.pcode, one.max, one.min) for one in held], schema=schema, orient="row")
    x, sign, most, least = (pl.col(name) for name in ("result", "sign", "max", "min"))
    value, strictly_below, strictly_above = sign == 0, sign == -1, sign == 1
    above = (value & (x > most)) | (strictly_above & (x >= most)) | ((sign > 1) & (x > most))
    below = (value & (x < least)) | (strictly_below & (x <= least)) | ((sign < -1) & (x < least))
    within_most = (value | (sign < 0)) & (x <= most)
    within_least = (value | (sign > 0)) & (x >= least)
    decided = above | below | ((most.is_null() | within_most) & (least.is_null() | within_least))
    counts = (
        usable.join(limits, on="pcode")
        .group_by("station", "pcode")
        .agg(
            pl.len().alias("results"), above.sum().alias("above"), below.sum().alias("below"),
            (~decided.fill_null(value=False)).sum().alias("undecided"),
        )
        .collect(engine="streaming")
    )  # fmt: skip
    rows = counts.cast({"station": pl.String, "pcode": pl.String}).sort("pcode", "station")
    return [Exceedances(*row) for row in rows.iter_rows()]
