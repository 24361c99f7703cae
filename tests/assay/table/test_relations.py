"""Correlations and associations are those of their definitions, computed plainly."""

from __future__ import annotations

import itertools
import math
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assay.datasets.table.column import Profile, profile
from assay.datasets.table.counts import counted_columns
from assay.datasets.table.relations import Relation, Relations, relations
from assay.types import ColumnType, Kind

NUMBERS = st.none() | st.integers(-50, 50)
LABELS = st.none() | st.sampled_from(["a", "b", "c"])
ROWS = st.lists(st.tuples(NUMBERS, NUMBERS, LABELS, LABELS), min_size=8, max_size=60)


def compared(path: Path, frame: pl.DataFrame, most: int = 1_000_000) -> Relations:
    frame.write_parquet(path)
    columns: list[Profile] = []
    for at, counts in enumerate(counted_columns(path, frame.height)):
        kind = Kind.TEXT if frame.dtypes[at] == pl.String else Kind.NUMBER
        of = ColumnType(kind, frame.height - counts.extent.filled, counts.extent.filled, 0)
        columns.append(profile(frame.columns[at], at + 1, of, counts))
    return relations(path, columns, frame.height, lambda _done: None, most)


def value(relation: Relation, down: str, across: str) -> float | None:
    if down not in relation.down or across not in relation.across:
        return None
    return relation.values[relation.down.index(down)][relation.across.index(across)]


def both(left: Sequence[object], right: Sequence[object]) -> list[tuple[object, object]]:
    return [(x, y) for x, y in zip(left, right, strict=True) if x is not None and y is not None]


def pearson(pairs: Sequence[tuple[float, float]]) -> float | None:
    if len(pairs) < 2:
        return None
    x, y = ([pair[at] for pair in pairs] for at in (0, 1))
    x_mean, y_mean = math.fsum(x) / len(x), math.fsum(y) / len(y)
    x_off, y_off = [one - x_mean for one in x], [one - y_mean for one in y]
    spread = math.sqrt(math.fsum(one * one for one in x_off) * math.fsum(one * one for one in y_off))
    return math.fsum(one * other for one, other in zip(x_off, y_off, strict=True)) / spread if spread > 1e-9 else None


def ranks(values: Sequence[float | None]) -> list[float | None]:
    there = sorted(one for one in values if one is not None)
    return [None if one is None else sum(other < one for other in there) + (there.count(one) + 1) / 2 for one in values]


def cramers_v(pairs: Sequence[tuple[object, object]]) -> float | None:
    left, right, cells = Counter(x for x, _ in pairs), Counter(y for _, y in pairs), Counter(pairs)
    least = min(len(left), len(right)) - 1
    if least < 1:
        return None
    n = len(pairs)
    chi = sum(
        (cells[x, y] - left[x] * right[y] / n) ** 2 / (left[x] * right[y] / n)
        for x, y in itertools.product(left, right)
    )
    return math.sqrt(chi / (n * least))


def ratio(pairs: Sequence[tuple[float, object]]) -> float | None:
    groups: dict[object, list[float]] = {}
    for number, group in pairs:
        groups.setdefault(group, []).append(number)
    mean = math.fsum(number for number, _ in pairs) / len(pairs) if pairs else 0
    total = math.fsum((number - mean) ** 2 for number, _ in pairs)
    if total <= 0 or len(groups) < 2:
        return None
    between = math.fsum(len(one) * (math.fsum(one) / len(one) - mean) ** 2 for one in groups.values())
    return math.sqrt(between / total)


def same(found: float | None, expected: float | None) -> bool:
    return found == expected if found is None or expected is None else abs(found - expected) < 2e-6


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(ROWS)
def test_every_measure_is_that_of_its_definition(tmp_path: Path, rows: list[tuple[int, int, str, str]]) -> None:
    x, y, a, b = (list(column) for column in zip(*rows, strict=True))
    frame = pl.DataFrame(
        {"x": x, "y": y, "a": a, "b": b}, schema={"x": pl.Float64, "y": pl.Float64, "a": pl.String, "b": pl.String}
    )
    found = compared(tmp_path / "rows.parquet", frame)
    if {"x", "y"} <= {*found.pearson.down}:
        assert same(value(found.pearson, "x", "y"), pearson(both(x, y)))  # type: ignore[arg-type]
        expected = pearson(both(ranks(x), ranks(y)))  # type: ignore[arg-type]
        assert same(value(found.spearman, "y", "x"), expected)
    if {"a", "b"} <= {*found.cramers_v.down}:
        assert same(value(found.cramers_v, "a", "b"), cramers_v(both(a, b)))
    if "x" in found.pearson.down and "a" in found.cramers_v.down:
        assert same(value(found.correlation_ratio, "x", "a"), ratio(both(x, a)))  # type: ignore[arg-type]


def test_many_chunks_and_large_offsets_lose_nothing(tmp_path: Path) -> None:
    n = 300_000
    x = [1e9 + (at * 7919 % 1000) for at in range(n)]
    y = [-2 * one + at % 3 for at, one in enumerate(x)]
    found = compared(tmp_path / "long.parquet", pl.DataFrame({"x": x, "y": y}))
    assert value(found.pearson, "x", "y") == pytest.approx(pearson([*zip(x, y, strict=True)]), abs=2e-6)
    assert value(found.pearson, "x", "x") == 1.0


def test_whole_numbers_that_no_double_holds_are_told_apart(tmp_path: Path) -> None:
    x = [*range(30)]
    rows = {"x": x, "y": [2**53 + 1 + one for one in x], "z": [5 - one - 2**62 for one in x], "a": ["p", "q", "q"] * 10}
    found = compared(tmp_path / "long.parquet", pl.DataFrame({**rows, "w": [1e17 + 16 * one for one in x]}))
    for relation in (found.pearson, found.spearman):
        assert relation.values == ((1, 1, -1, 1), (1, 1, -1, 1), (-1, -1, 1, -1), (1, 1, -1, 1))
    assert len({value(found.correlation_ratio, name, "a") for name in ("x", "y", "z", "w")}) == 1


@pytest.mark.parametrize("size", [1.0, 1e300, 1.7976931348623157e308])
def test_doubles_of_any_size_are_compared(tmp_path: Path, size: float) -> None:
    shares = [-1.0, 0.3, 0.5, 1.0, None]
    frame = pl.DataFrame({"x": shares, "y": [None if one is None else one * size for one in shares]})
    assert value(compared(tmp_path / "large.parquet", frame).pearson, "x", "y") == 1.0


def test_what_is_taken_from_a_sample_says_so(tmp_path: Path) -> None:
    frame = pl.DataFrame({"x": [*range(1000)], "y": [one * one for one in range(1000)], "a": ["p", "q"] * 500})
    found = compared(tmp_path / "rows.parquet", frame.cast({"x": pl.Float64, "y": pl.Float64}), most=300)
    assert found.pearson.exact
    assert (found.spearman.rows, found.spearman.exact) == (250, False)
    assert value(found.spearman, "x", "y") == 1.0
    assert not found.correlation_ratio.exact
