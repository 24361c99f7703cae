"""What a dataset type looks like, as its pipeline's rules.json says it, and which columns fit."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import cached_property
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

_FOLDED_AWAY = re.compile(r"[\W_]+")
_ACCENTS = re.compile("[\u0300-\u036f]+")
_UNIT = re.compile(r"(?<=\S)\s*(?:\([^()]*\)|\[[^\[\]]*\])\s*$")
# A name that was cut off, as by a format of ten characters a name, keeps most of its letters.
_CUT_LETTERS = 5
_CUT_SHARE = 0.6
# No name that is known comes near it.
_LONGEST = 120
# How a column may fit a role, the best first.
_TIERS = ("written", "named", "like", "cut")


def fold(name: str) -> str:
    """Fold a column's name: case, accents, spaces, punctuation and a unit in brackets at its end make no difference."""
    return fold_all(_UNIT.sub("", name) if name.rstrip().endswith((")", "]")) else name)


def fold_all(name: str) -> str:
    """Fold a column's name, but keep a unit: `Result (flag)` is not `Result`."""
    if not name.isascii():
        name = _ACCENTS.sub("", unicodedata.normalize("NFKD", name))
    return _FOLDED_AWAY.sub("", name).casefold()


def _compiles(pattern: str) -> str:
    try:
        re.compile(pattern)
    except re.error as error:
        raise ValueError(f"no regular expression: {error}") from error
    return pattern


Language = Annotated[str, Field(pattern="^[a-z]{2}$", description="ISO 639-1")]


class ColumnRule(BaseModel):
    """One column of a dataset type: the part it plays, the names that it goes by, and what it holds."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    role: str = Field(pattern="^[a-z][a-z0-9_]*$", description="what pipelines call the column")
    exact: tuple[str, ...] = Field(min_length=1, description="its own names, the usual one first")
    translations: dict[Language, tuple[str, ...]] = Field(
        default_factory=dict, description="what it is called in other languages; these count as likely names"
    )
    patterns: tuple[Annotated[str, AfterValidator(_compiles)], ...] = Field(
        default=(), description="regular expressions of likely names, which the whole name must match, once folded"
    )
    holds: Literal["text", "date", "number"] = Field(description="what most of its cells are")
    telling: bool = Field(
        default=True, description="false for what many kinds of tables have, such as a country; it counts half"
    )

    @cached_property
    def names(self) -> frozenset[str]:
        """The exact names, folded."""
        return frozenset(fold(exact) for exact in self.exact)

    @cached_property
    def likely_names(self) -> frozenset[str]:
        """The exact names and the translations, folded."""
        abroad = (fold(name) for names in self.translations.values() for name in names)
        return self.names | frozenset(abroad)

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


class Rules(BaseModel):
    """One dataset type: which columns it has, which of them it can't be without, and what speaks for and against it."""

    model_config = ConfigDict(extra="forbid", frozen=True, serialize_by_alias=True)

    schema_: str | None = Field(default=None, alias="$schema", description="where this schema lies, for editors")
    title: str = Field(min_length=1, max_length=60)
    description: str = Field(min_length=1, max_length=300, description="what such a file holds, in a sentence")
    fallback: bool = Field(
        default=False, description="takes any table that is nothing else; such a type names no columns"
    )
    columns: tuple[ColumnRule, ...] = ()
    needs: tuple[tuple[str | tuple[str, ...], ...], ...] = Field(
        default=(),
        description="roles that it can't be without; of each list one is enough; a list in it wants all of its roles",
    )
    enough: float = Field(default=4, gt=0, description="how many columns, found, leave no doubt about the names")
    repeated: tuple[str, ...] = Field(default=(), description="roles whose values recur from row to row")
    companions: tuple[str, ...] = Field(default=(), description="names of columns often seen beside these")
    against: tuple[str, ...] = Field(default=(), description="names of columns that speak for another kind of table")

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        roles = [rule.role for rule in self.columns]
        if len(set(roles)) < len(roles):
            raise ValueError("two columns play the same part")
        named = self.needed | set(self.repeated)
        if unknown := named - set(roles):
            raise ValueError(f"no column plays the part of {sorted(unknown)}")
        if self.fallback != (not self.columns) or bool(self.needs) != bool(self.columns) or not all(self.needs):
            raise ValueError("either a type needs columns, or it takes what is nothing else")
        return self

    @cached_property
    def by_role(self) -> Mapping[str, ColumnRule]:
        """The columns by the part they play."""
        return {rule.role: rule for rule in self.columns}

    def assign(self, names: Sequence[str]) -> dict[str, int]:
        """Give each role the position of its column.

        An exact name goes before one with a unit, that before a likely one, that before one that was cut off, and the
        leftmost among equals. A role that no column fits is left out; no column plays two parts.
        """
        fit = self._fitting(names)
        found: dict[str, int] = {}
        taken: set[int] = set()
        for tier in _TIERS:
            for rule in self.columns:
                best = next((at for at in fit.get((tier, rule.role), ()) if at not in taken), None)
                if rule.role not in found and best is not None:
                    found[rule.role] = best
                    taken.add(best)
        return found

    def _fitting(self, names: Sequence[str]) -> dict[tuple[str, str], list[int]]:
        """The positions that fit, in order, by how they do and the role.

        A hostile row has ten thousand names: what a folded name is like is looked up once.
        """
        fit: dict[tuple[str, str], list[int]] = {}
        like: dict[str, list[str]] = {}
        for at, name in enumerate(names):
            if not name or len(name) > _LONGEST:
                continue
            folded = fold(name)
            whole = fold_all(name) if name.rstrip().endswith((")", "]")) else folded
            if folded not in like:
                like[folded] = self._like(folded)
            keys = [("like", role) for role in like[folded]]
            keys += [("named", role) for role in self._own.get(folded, ())]
            keys += [("written", role) for role in self._own.get(whole, ())]
            keys += [("cut", self._cut[folded])] if folded in self._cut else []
            for key in keys:
                fit.setdefault(key, []).append(at)
        return fit

    def _like(self, folded: str) -> list[str]:
        if folded not in self._names and self._pattern.fullmatch(folded) is None:
            return []
        return [
            rule.role
            for rule in self.columns
            if folded in rule.likely_names or rule.pattern.fullmatch(folded) is not None
        ]

    @cached_property
    def alternatives(self) -> tuple[tuple[frozenset[str], ...], ...]:
        """`needs` as sets: of each line one set, the whole of it."""
        return tuple(tuple(frozenset((one,) if isinstance(one, str) else one) for one in group) for group in self.needs)

    @property
    def needed(self) -> frozenset[str]:
        """Every role that is needed, or would do in place of another."""
        return frozenset().union(*(one for group in self.alternatives for one in group))

    def lacking(self, found: Collection[str]) -> list[tuple[frozenset[str], ...]]:
        """Return the lines of `alternatives` of which no set is found whole."""
        there = set(found)
        return [group for group in self.alternatives if not any(one <= there for one in group)]

    def missing(self, found: Collection[str]) -> list[str]:
        """What is needed and was not found, in words: the usual names, `A or B` where one of them would do."""
        return [self.in_words(group) for group in self.lacking(found)]

    def in_words(self, group: Iterable[frozenset[str]]) -> str:
        """Name a line of `alternatives` by the usual names, in the order of the columns."""
        sets = [[rule.exact[0] for rule in self.columns if rule.role in one] for one in group]
        return " or ".join(" with ".join(names) for names in sets)

    @cached_property
    def companion_names(self) -> frozenset[str]:
        """The companions, folded."""
        return frozenset(fold(name) for name in self.companions)

    @cached_property
    def names_against(self) -> frozenset[str]:
        """The names that speak against the type, folded."""
        return frozenset(fold(name) for name in self.against)

    @cached_property
    def _own(self) -> Mapping[str, list[str]]:
        """The roles of each exact name, folded."""
        own: dict[str, list[str]] = {}
        for rule in self.columns:
            for name in rule.names:
                own.setdefault(name, []).append(rule.role)
        return own

    @cached_property
    def _names(self) -> frozenset[str]:
        return frozenset(name for rule in self.columns for name in rule.likely_names)

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        return re.compile("|".join(rule.pattern.pattern for rule in self.columns) or "(?!)")

    @cached_property
    def _cut(self) -> Mapping[str, str]:
        """The role of each beginning of an exact name that is long enough, and not that of two roles."""
        roles: dict[str, set[str]] = {}
        for rule in self.columns:
            for name in rule.names:
                for end in range(max(_CUT_LETTERS, round(_CUT_SHARE * len(name))), len(name)):
                    roles.setdefault(name[:end], set()).add(rule.role)
        return {cut: one for cut, (one, *others) in ((cut, sorted(of)) for cut, of in roles.items()) if not others}

    def header_score(self, names: Sequence[str]) -> float:
        """How many of the columns a row of cells names, a likely name counting half; 0 for fewer than two of several.

        A single word, such as the Currency of a note above the table, makes no header.
        """
        found = self.assign(names)
        if len(found) < min(2, len(self.columns)):
            return 0.0
        return sum(1.0 if self.by_role[role].is_named(names[at]) else 0.5 for role, at in found.items())
