"""What a dataset type looks like, as its pipeline's rules.json says it, and which columns fit."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

_FOLDED_AWAY = re.compile(r"[\W_]+")
_UNIT = re.compile(r"(?<=\S)\s*(?:\([^()]*\)|\[[^\[\]]*\])\s*$")


def fold(name: str) -> str:
    """Fold a column's name: case, spaces, punctuation and a unit in brackets at its end make no difference."""
    return _FOLDED_AWAY.sub("", _UNIT.sub("", name)).casefold()


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

    def is_written(self, name: str) -> bool:
        """Whether the name is one of the exact ones, with no unit behind it."""
        return fold_all(name) in {fold(exact) for exact in self.exact}

    def is_named(self, name: str) -> bool:
        """Whether the name is one of the exact ones."""
        return fold(name) in {fold(exact) for exact in self.exact}

    def is_like(self, name: str) -> bool:
        """Whether the name is an exact one or fits a pattern."""
        return self.is_named(name) or any(re.fullmatch(pattern, fold(name)) for pattern in self.patterns)


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
        found: dict[str, int] = {}
        for fits in (ColumnRule.is_written, ColumnRule.is_named, ColumnRule.is_like):
            for rule in self.columns:
                free = (i for i, name in enumerate(names) if name and i not in found.values() and fits(rule, name))
                if rule.role not in found and (at := next(free, None)) is not None:
                    found[rule.role] = at
        return found

    def header_score(self, names: Sequence[str]) -> float:
        """How many of the needed columns a row of cells names; a likely name counts half."""
        found = self.assign(names)
        return sum(
            1.0 if rule.is_named(names[found[rule.role]]) else 0.5 for rule in self.columns if rule.role in found
        )
