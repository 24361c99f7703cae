"""What a dataset type looks like, as its pipeline's rules.json says it, and which columns fit."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cached_property
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

_FOLDED_AWAY = re.compile(r"[\W_]+")
_UNIT = re.compile(r"(?<=\S)\s*(?:\([^()]*\)|\[[^\[\]]*\])\s*$")


def fold(name: str) -> str:
    """Fold a column's name: case, spaces, punctuation and a unit in brackets at its end make no difference."""
    return fold_all(_UNIT.sub("", name) if name.rstrip().endswith((")", "]")) else name)


def fold_all(name: str) -> str:
    """Fold a column's name, but keep a unit: `Result (flag)` is not `Result`."""
    return _FOLDED_AWAY.sub("", name).casefold()


def _compiles(pattern: str) -> str:
    re.compile(pattern)
    return pattern


class ColumnRule(BaseModel):
    """One column that a dataset type needs: the part it plays, its names, and what it holds.

    `patterns` are regular expressions that the whole folded name must match.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    role: str
    exact: tuple[str, ...] = Field(min_length=1)
    patterns: tuple[Annotated[str, AfterValidator(_compiles)], ...] = ()
    holds: Literal["text", "date", "number"]

    @cached_property
    def names(self) -> frozenset[str]:
        """The exact names, folded."""
        return frozenset(fold(exact) for exact in self.exact)

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """The patterns as one; it matches nothing where there are none."""
        return re.compile("|".join(f"(?:{pattern})" for pattern in self.patterns) or "(?!)")

    def is_written(self, name: str) -> bool:
        """Whether the name is one of the exact ones, with no unit behind it."""
        return fold_all(name) in self.names

    def is_named(self, name: str) -> bool:
        """Whether the name is one of the exact ones."""
        return fold(name) in self.names

    def is_like(self, name: str) -> bool:
        """Whether the name is an exact one or fits a pattern."""
        folded = fold(name)
        return folded in self.names or self.pattern.fullmatch(folded) is not None


class Rules(BaseModel):
    """One dataset type: the columns it needs, those of them whose values recur, and columns often seen beside them."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    columns: tuple[ColumnRule, ...] = Field(min_length=1)
    repeated: tuple[str, ...] = ()
    companions: tuple[str, ...] = ()

    def assign(self, names: Sequence[str]) -> dict[str, int]:
        """Give each role the position of its column.

        An exact name goes before one with a unit, that before a likely one, and the leftmost among equals. A role that
        no column fits is left out; no column plays two parts.
        """
        likely = [at for at, name in enumerate(names) if name and self._is_likely(name)]
        found: dict[str, int] = {}
        for fits in (ColumnRule.is_written, ColumnRule.is_named, ColumnRule.is_like):
            for rule in self.columns:
                free = (at for at in likely if at not in found.values() and fits(rule, names[at]))
                if rule.role not in found and (best := next(free, None)) is not None:
                    found[rule.role] = best
        return found

    @cached_property
    def _names(self) -> frozenset[str]:
        return frozenset(name for rule in self.columns for name in rule.names)

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        return re.compile("|".join(rule.pattern.pattern for rule in self.columns))

    def _is_likely(self, name: str) -> bool:
        """Whether the name is like that of any column: a first look, for a hostile row has ten thousand names."""
        folded = fold(name)
        return folded in self._names or self._pattern.fullmatch(folded) is not None or fold_all(name) in self._names

    def header_score(self, names: Sequence[str]) -> float:
        """How many of the needed columns a row of cells names; a likely name counts half."""
        found = self.assign(names)
        return sum(
            1.0 if rule.is_named(names[found[rule.role]]) else 0.5 for rule in self.columns if rule.role in found
        )
