"""Which results belong together: those of one parameter in one unit, or in units that can be turned into one."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field

import polars as pl

from assay.datasets.station_measurements.units import Change, change, unit_in

_PLAIN = Change()


@dataclass(frozen=True)
class Series:
    """The results of one parameter that have one unit, blank where none is known.

    `label` names it in tables and charts: the parameter with its unit. No two series have the same.
    """

    code: str
    unit: str
    label: str


@dataclass
class Arrangement:
    """The series of a file, by their keys in the column `pcode`, and how each parameter and unit comes to its series.

    `places` has the series' key and the change of values for each parameter and unit that occurs. `converted` has for
    each parameter the units that were turned into another: from, to, and how many results; `apart` the units of
    parameters that have several series.
    """

    series: dict[str, Series] = field(default_factory=dict)
    places: dict[tuple[str, str | None], tuple[str, Change]] = field(default_factory=dict)
    converted: dict[str, list[tuple[str, str, int]]] = field(default_factory=dict)
    apart: dict[str, list[str]] = field(default_factory=dict)

    @property
    def is_plain(self) -> bool:
        """Whether every parameter is one series, and no value changes."""
        return all(key == code and way == _PLAIN for (code, _), (key, way) in self.places.items())

    def found(self, name: str) -> list[str]:
        """Return the keys of the series that a person means: by their label, or by the code, with or without unit."""
        labelled = [key for key, one in self.series.items() if one.label == name]
        return labelled or [key for key, one in self.series.items() if name in (one.code, _bare(one.code))]


def arrange(
    counts: Mapping[tuple[str, str | None], tuple[int, int]],
    chosen: Mapping[str, str],
    of_header: str = "",
    of_columns: Mapping[str, str] | None = None,
) -> Arrangement:
    """Make the series of what occurs: `counts` has for each parameter and unit its results, and those with a value.

    The unit of a series is the one that is `chosen` for the parameter, else the one in its name, else the one that the
    header has, for its own column (`of_columns`) or for all results (`of_header`), else that of most results. A unit
    that can be turned into it is; any other makes a series of its own. Results without a unit are in the one that the
    name or the header has, else in the one that is chosen, else they are a series of their own.
    """
    units: dict[str, Counter[str | None]] = defaultdict(Counter)
    for (code, unit), (rows, _) in counts.items():
        units[code][unit] += rows
    made = Arrangement()
    for code in sorted(units):
        implied = unit_in(code) or (of_columns or {}).get(code) or of_header
        wanted = chosen.get(code) or chosen.get(_bare(code)) or implied
        ranked = sorted(units[code], key=lambda unit: (unit is None, -units[code][unit], unit or ""))
        first = wanted or ranked[0] or ""
        ways: dict[str | None, tuple[str, Change]] = {}
        for unit in ranked:
            # What has no value, as ND without a limit, has no need of a unit.
            takes_first = unit is None and ((wanted and not implied) or not counts[code, None][1])
            known = [first, *dict.fromkeys(unit_of for unit_of, _ in ways.values())]
            ways[unit] = (first, _PLAIN) if takes_first else _way(unit or implied, known)
        own = list(dict.fromkeys(unit_of for unit_of, _ in ways.values()))
        keys = {unit: code if len(own) == 1 else f"{code}\x1f{unit}" for unit in own}
        for unit, (unit_of, way) in ways.items():
            made.places[code, unit] = (keys[unit_of], way)
            if way != _PLAIN:
                made.converted.setdefault(code, []).append((unit or implied, unit_of, units[code][unit]))
        if len(own) > 1:
            made.apart[code] = own
        for unit in own:
            has_it = unit_in(code) == unit and unit
            label = code if has_it or (not unit and len(own) == 1) else f"{code} ({unit or 'no unit'})"
            made.series[keys[unit]] = Series(code, unit, label)
    # A code may be called as another with its unit is.
    labels = Counter(one.label for one in made.series.values())
    for key, one in made.series.items():
        if labels[one.label] > 1 and one.label != one.code:
            made.series[key] = Series(one.code, one.unit, f"{one.label} of {one.code}")
    return made


def placed(rows: pl.LazyFrame, arrangement: Arrangement) -> pl.LazyFrame:
    """Turn the columns `pcode`, `unit` and `value` into the series' key as `pcode` (Enum) and the value in its unit.

    `raw` is the value as it was read. `unit` may be missing where no file has one.
    """
    kind = pl.Enum(sorted(arrangement.series))
    if arrangement.is_plain:
        return rows.with_columns(pl.col("pcode").cast(kind), pl.col("value").alias("raw"))
    table = [(code, unit, key, *_whole(way)) for (code, unit), (key, way) in arrangement.places.items()]
    numbers = dict.fromkeys(("times", "plus", "over"), pl.Float64())
    places = pl.LazyFrame(
        table, schema={"pcode": pl.String(), "unit": pl.String(), "key": kind, **numbers}, orient="row"
    )
    if "unit" not in rows.collect_schema():
        rows = rows.with_columns(pl.lit(None, pl.String).alias("unit"))
    value = pl.col("value")
    # (9 * 5 - 160) / 9 and 1500 / 1000 are rounded less often than products with rounded factors.
    changed = (value * pl.col("times") + pl.col("plus")) / pl.col("over")
    changed = pl.when(pl.col("times") == pl.col("over"), pl.col("plus") == 0).then(value).otherwise(changed)
    return (
        rows.join(places, on=["pcode", "unit"], how="left", nulls_equal=True, maintain_order="left")
        .with_columns(pl.col("key").alias("pcode"), value.alias("raw"), changed.alias("value"))
        .drop("key", *numbers)
    )


def _way(unit: str, known: list[str]) -> tuple[str, Change]:
    """The first known unit that this one can be turned into, and how; itself where there is none."""
    for other in known:
        way = change(unit, other)
        if way is not None:
            return other, way
    return unit, _PLAIN


def _whole(way: Change) -> tuple[float, float, float]:
    """The change as value * times + plus, divided by over: whole numbers as far as they go."""
    over = math.lcm(way.scale.denominator, way.shift.denominator)
    return float(way.scale * over), float(way.shift * over), float(over)


def _bare(code: str) -> str:
    unit = unit_in(code)
    return code[: code.rindex(unit) - 1].strip() if unit else code
