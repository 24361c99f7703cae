"""What a dataset type looks like, as its pipeline's rules.json says it, and which columns fit."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import cached_property
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator
from pydantic.json_schema import SkipJsonSchema

from assay.detection.layouts import Layout
from assay.detection.names import fold, fold_all
from assay.formats.limits import MAX_COLUMNS

# A name that was cut off, as by a format of ten characters a name, keeps most of its letters.
_CUT_LETTERS = 5
_CUT_SHARE = 0.6
# No name that is known comes near it.
_LONGEST = 120
# How a column may fit a role, the best first.
TIERS = ("usual", "written", "named", "like", "cut")


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
    content: Annotated[str, AfterValidator(_compiles)] | None = Field(
        default=None,
        description="a regular expression: a column that no role has by its name is this one where all cells match it",
    )
    holds: Literal["text", "date", "number", "result"] = Field(
        description="what most of its cells are; a result is a number or a bound such as <0.5"
    )
    telling: bool = Field(
        default=True, description="false for what many kinds of tables have, such as a country; it counts half"
    )
    aliases: tuple[Annotated[str, Field(pattern="^[a-z][a-z0-9_]*$")], ...] = Field(
        default=(), description="other words for the role, which a person may use to choose its column"
    )
    product_of: tuple[str, str] | None = Field(
        default=None, description="the two roles whose product it is, such as quantity and unit price"
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


_Patterns = tuple[Annotated[str, AfterValidator(_compiles)], ...]


class Wide(BaseModel):
    """The form of a type that has a column for each parameter, in place of a column of names and one of results."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    replaced: tuple[str, ...] = Field(min_length=1, description="roles that such a table has no column for")
    needs: tuple[str, ...] = Field(min_length=1, description="roles that it can't be without")
    kept: tuple[str, ...] = Field(description="roles whose columns hold no results")
    names: _Patterns = Field(description="regular expressions of names of what is measured, once folded")
    units: _Patterns = Field(description="regular expressions of units that stand in brackets behind a name")
    no_results: _Patterns = Field(description="the same of columns of numbers that measure nothing, such as a latitude")
    counters: _Patterns = Field(
        description="the same of whole numbers that measure nothing, such as a row number; a unit in brackets, or a "
        "cell that is no whole number, speaks against it"
    )

    def names_a_result(self, folded: str) -> bool:
        """Whether a folded name is of something that is measured."""
        return any(re.fullmatch(pattern, folded) for pattern in self.names)

    def is_unit(self, text: str) -> bool:
        """Whether a text is a unit of such a table."""
        return any(re.fullmatch(pattern, text, re.IGNORECASE) for pattern in self.units)

    def is_no_result(self, folded: str) -> bool:
        """Whether a folded name is of numbers that measure nothing."""
        return any(re.fullmatch(pattern, folded) for pattern in self.no_results)

    def is_counter(self, folded: str) -> bool:
        """Whether a folded name is of whole numbers that measure nothing."""
        return any(re.fullmatch(pattern, folded) for pattern in self.counters)


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
    suffices: tuple[tuple[str, ...], ...] = Field(
        default=(), description="roles that make the type likely by themselves, whatever their names are like"
    )
    lesser: tuple[str, ...] = Field(
        default=(), description="roles that stand for an amount only where the table has no other, such as a fee"
    )
    wide: Wide | None = Field(default=None, description="the form that has a column for each parameter")
    companions: tuple[str, ...] = Field(default=(), description="names of columns often seen beside these")
    against: tuple[str, ...] = Field(default=(), description="names of columns that speak for another kind of table")
    layouts: SkipJsonSchema[tuple[Layout, ...]] = ()
    """The known layouts of such files; each is a file of its own beside rules.json."""

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        roles = [word for rule in self.columns for word in (rule.role, *rule.aliases)]
        if len(set(roles)) < len(roles):
            raise ValueError("two columns play the same part")
        named = self.needed | set(self.repeated) | set(self.lesser) | set().union(*self.suffices)
        named |= {role for rule in self.columns for role in rule.product_of or ()}
        named |= {role for layout in self.layouts for role in layout.columns}
        named |= {*self.wide.replaced, *self.wide.needs, *self.wide.kept} if self.wide is not None else set()
        if unknown := named - self.by_role.keys():
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

        The usual name goes before other exact ones, these before one with a unit, that before a likely one, that before
        one that was cut off, and the leftmost among equals: names alone can't tell them apart, as `resolve` does. A
        role that no column fits is left out; no column plays two parts.
        """
        fit = self.fitting(names)
        found: dict[str, int] = {}
        taken: set[int] = set()
        for tier in TIERS:
            for rule in self.columns:
                best = next((at for at in fit.get((tier, rule.role), ()) if at not in taken), None)
                if rule.role not in found and best is not None:
                    found[rule.role] = best
                    taken.add(best)
        return found

    def fitting(self, names: Sequence[str]) -> dict[tuple[str, str], list[int]]:
        """Return the positions that fit, in order, by how they do (one of TIERS) and the role.

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
            keys += [("usual", self._usual[whole])] if whole in self._usual else []
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

    def role_of(self, word: str) -> str | None:
        """Return the role that a person calls so: its own name or another word for it; None if there is none."""
        return next((rule.role for rule in self.columns if word == rule.role or word in rule.aliases), None)

    def in_play(self, found: Collection[str]) -> list[str]:
        """Return the roles that meet the needs: of each line of `needs` the first set that is found whole."""
        there = set(found)
        met = (next((one for one in group if one <= there), frozenset[str]()) for group in self.alternatives)
        roles = frozenset().union(*met)
        return [rule.role for rule in self.columns if rule.role in roles]

    def layout_of(self, names: Sequence[str]) -> Layout | None:
        """Return the known layout that a header is of: that with the most headers of its own; None if it is of none."""
        if not self.layouts:
            return None
        folded = {fold_all(name) for name in names if len(name) <= _LONGEST}
        matching = [layout for layout in self.layouts if layout.matches(folded)]
        return min(matching, key=lambda layout: (-len(layout.headers), layout.name), default=None)

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
    def _usual(self) -> Mapping[str, str]:
        """The role of each usual name, folded."""
        return {fold_all(rule.exact[0]): rule.role for rule in self.columns}

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

        A single word, such as the Currency of a note above the table, makes no header; nor do more than 10,000 cells.
        """
        if len(names) > MAX_COLUMNS:
            return 0.0
        layout = self.layout_of(names)
        known = len(layout.headers) if layout else 0
        found = self.assign(names)
        if len(found) < min(2, len(self.columns)):
            return float(known)
        return max(known, sum(1.0 if self.by_role[role].is_named(names[at]) else 0.5 for role, at in found.items()))
