"""The profile of one column, from its counts."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from assay.datasets.table import limits
from assay.datasets.table.counts import Counts, Extent
from assay.datasets.table.meaning import Meaning, meaning
from assay.datasets.table.numbers import Bins, Outliers, Spread, histogram, outliers, spread
from assay.datasets.table.personal import Personal, found, is_withheld, shown
from assay.datasets.table.texts import Forms, Texts, forms, most_frequent, texts
from assay.types import ColumnType, Kind

Value = str | int | float | bool | None

# A text column is mixed where between one cell in twenty and nineteen are numbers.
_MIXED = (0.05, 0.95)


@dataclass(frozen=True)
class Top:
    """A value, how many cells have it, and their share of the filled ones."""

    value: Value
    count: int
    share: float


@dataclass(frozen=True)
class Profile:
    """Everything that is known of a column; `withheld` where no value may be shown, for it is personal.

    `blank` cells are missing, `refused` ones hold something that is not of the type; `filled` ones are the others.

    """

    name: str
    position: int
    type: ColumnType
    extent: Extent
    flags: tuple[str, ...]
    meaning: Meaning
    personal: tuple[Personal, ...]
    withheld: bool
    top: tuple[Top, ...]
    spread: Spread | None
    outliers: Outliers | None
    bins: Bins | None
    texts: Texts | None
    forms: Forms | None

    @property
    def rows(self) -> int:
        """Cells of the column."""
        return self.extent.rows

    @property
    def filled(self) -> int:
        """Cells that hold a value of the column's type."""
        return self.extent.filled

    @property
    def blank(self) -> int:
        """Cells with nothing in them, or a marker for nothing such as NA."""
        return self.rows - self.filled - self.type.refused

    @property
    def is_number(self) -> bool:
        """Whether the column holds numbers."""
        return self.type.kind in (Kind.INTEGER, Kind.NUMBER)

    @property
    def is_time(self) -> bool:
        """Whether the column holds dates or times."""
        return self.type.kind in (Kind.DATE, Kind.DATETIME, Kind.TIME)


def profile(name: str, position: int, kind: ColumnType, counts: Counts) -> Profile:
    """Profile the column called `name`, the `position`-th of its table, counted from 1."""
    figures = far = bins = written = looked = None
    if counts.values.dtype == pl.String:
        if len(counts.values):
            written = texts(counts)
            looked = forms(most_frequent(counts, limits.LOOKED_AT))
    elif counts.values.dtype != pl.Boolean:
        ordered = counts.ordered
        figures = spread(ordered, counts.counts)
        far = outliers(ordered, counts.counts, figures)
        bins = histogram(ordered, counts.counts)
    personal = tuple(found(name, counts, written.longest if written else 0, looked))
    withheld = is_withheld([*personal], counts.extent.filled)
    return Profile(
        name=name,
        position=position,
        type=kind,
        extent=counts.extent,
        flags=_flags(kind, counts, looked),
        meaning=meaning(name, kind, counts, looked, figures),
        personal=personal,
        withheld=withheld,
        top=_top(counts, withheld=withheld),
        spread=figures,
        outliers=far if kind.kind in (Kind.INTEGER, Kind.NUMBER) else None,
        bins=bins,
        texts=written,
        forms=looked,
    )


def _flags(kind: ColumnType, counts: Counts, looked: Forms | None) -> tuple[str, ...]:
    flags = []
    if not counts.extent.filled:
        flags.append("empty")
    if counts.extent.distinct == 1:
        flags.append("constant")
    if counts.extent.exact and counts.extent.filled > 1 and counts.extent.distinct == counts.extent.filled:
        flags.append("unique")
    if counts.extent.step:
        flags.append("sequence")
    if kind.refused or (looked is not None and _MIXED[0] <= looked.number <= _MIXED[1]):
        flags.append("mixed")
    return tuple(flags)


def _top(counts: Counts, *, withheld: bool) -> tuple[Top, ...]:
    total = counts.counted
    found = most_frequent(counts, limits.TOP_VALUES)
    return tuple(Top(displayed(value, withheld=withheld), count, count / total) for value, count in found.iter_rows())


def displayed(value: object, *, withheld: bool) -> Value:
    """Make a value fit to be shown: texts cut short, dates as ISO 8601, nothing of persons."""
    if withheld:
        return shown(str(value), withheld=True, most=0)
    if isinstance(value, bool | int | float):
        return value
    return shown(str(value), withheld=False, most=limits.SHOWN_CHARACTERS)
