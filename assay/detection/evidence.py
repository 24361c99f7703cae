"""What the four strategies see in the head of a table, for one dataset type."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence

from pydantic import BaseModel, ConfigDict, Field

from assay.detection.names import fold
from assay.detection.rules import ColumnRule, Rules
from assay.formats import Preview
from assay.formats.date_forms import is_date
from assay.formats.number_forms import NUMBER, is_number
from assay.formats.problems import listed, shown

WEIGHTS = {"layout": 1.0, "wide": 1.0, "exact_names": 1.0, "name_patterns": 0.8, "data_types": 0.6, "heuristics": 0.4}
# Most cells of a column must be what it holds.
TYPE_SHARE = 0.8

# What laboratories write besides: a bound, a number with a flag, or that nothing was detected.
_RESULT = re.compile(
    rf"(?:[<>]=?|[≤≥~])?\s?{NUMBER}\s?[A-Za-z]{{0,5}}|"
    r"(?i:n\.?\s?[dn]\.?|uj?|b[dmqr]?l|(?:<|not |non-?)\s?[a-z]{2,10})"
)
_FEW_ROWS = 10
_MOSTLY = 2 / 3
_FEW_CELLS = 100


class Evidence(BaseModel):
    """What one strategy saw: its score in [0, 1], and in words."""

    model_config = ConfigDict(frozen=True)

    strategy: str
    weight: float
    score: float = Field(ge=0, le=1)
    found: str


def evidence(strategy: str, score: float, found: str) -> Evidence:
    """Make one; the weight is the strategy's."""
    return Evidence(strategy=strategy, weight=WEIGHTS[strategy], score=round(score, 4), found=found)


def count_of(kind: str, cells: Sequence[str]) -> int:
    """Count the cells that have the form of a `date`, a `number` or a `result`; all of them are `text`.

    The form alone: to read them takes the engine a hundred times as long, and does not tell columns apart better.
    """
    if kind == "date":
        return sum(map(is_date, cells))
    if kind == "number":
        return sum(map(is_number, cells))
    if kind == "result":
        return sum(_RESULT.fullmatch(cell) is not None for cell in cells)
    return len(cells)


def filled(head: Preview, position: int) -> list[str]:
    """Return the first cells of a column that are not blank."""
    return [cell for cell in head.column(position) if cell][:_FEW_CELLS]


def exact_names(head: Preview, rules: Rules, at: dict[str, int]) -> Evidence:
    """How many columns bear one of their own names; `enough` of them are all that is asked for."""
    named = [rule for rule in rules.columns if rule.role in at and rule.is_named(head.columns[at[rule.role]])]
    return evidence("exact_names", _share(named, rules), _columns(named, rules, head, at))


def name_patterns(head: Preview, rules: Rules, at: dict[str, int]) -> Evidence:
    """How many columns bear a name of theirs or one like it, a translation, or its beginning."""
    like = [rule for rule in rules.columns if rule.role in at]
    return evidence("name_patterns", _share(like, rules), _columns(like, rules, head, at))


def data_types(head: Preview, rules: Rules, at: dict[str, int]) -> tuple[Evidence | None, set[str]]:
    """Look whether the cells are what the columns should hold; a column that is all blank says nothing.

    Returns the evidence, None where nothing is to be seen, and the roles whose columns hold something else.
    """
    misfits: set[str] = set()
    words: list[str] = []
    for rule in rules.columns:
        cells = filled(head, at[rule.role]) if rule.role in at else []
        if not cells:
            continue
        good = count_of(rule.holds, cells)
        if good < TYPE_SHARE * len(cells):
            misfits.add(rule.role)
        words.append(f"{shown(head.columns[at[rule.role]])}: {good} of {len(cells)} are {rule.holds}")
    if not words:
        return None, misfits
    return evidence("data_types", 1 - len(misfits) / len(words), "; ".join(words)), misfits


def heuristics(head: Preview, rules: Rules, at: dict[str, int]) -> Evidence:
    """How much of the table the type explains, and whether its keys recur; nothing where a name speaks against it."""
    taken = set(at.values())
    left = {fold(name): name for place, name in enumerate(head.columns) if name and place not in taken}
    beside = [name for folded, name in left.items() if folded in rules.companion_names]
    against = [name for folded, name in left.items() if folded in rules.names_against]
    named = len(taken) + len(left)
    explained = (len(taken) + len(beside)) / named if named else 0.0
    words = [f"{len(taken) + len(beside)} of {named} columns are what such a file has"]
    if beside:
        words.append(f"beside them {listed(beside)}")
    recurring = _recurring(head, rules, at, words)
    if against:
        return evidence("heuristics", 0.0, "; ".join([*words, f"{listed(against)} speaks for something else"]))
    return evidence("heuristics", max(explained, recurring), "; ".join(words))


def is_enough(head: Preview, rules: Rules, at: Mapping[str, int], misfits: Collection[str]) -> bool:
    """Whether columns were found that suffice by themselves, hold what they should, and are most of the table."""
    found = at.keys() - misfits
    if not any(found >= set(roles) for roles in rules.suffices):
        return False
    left = [fold(name) for place, name in enumerate(head.columns) if name and place not in at.values()]
    if any(name in rules.names_against for name in left):
        return False
    beside = sum(name in rules.companion_names for name in left)
    return len(at) + beside >= _MOSTLY * (len(at) + len(left))


def could_be_filled(head: Preview, rules: Rules, at: dict[str, int]) -> bool:
    """Whether the columns that are left over hold what the missing ones would: one for each, of the right kind.

    Of text only values that recur count, as those of a key do: there is a column of some text in every table.
    """
    left = [cells for place in range(len(head.columns)) if place not in at.values() and (cells := filled(head, place))]
    for group in rules.lacking(at):
        wanted = min(group, key=lambda roles: len(roles - at.keys())) - at.keys()
        for role in sorted(wanted):
            fit = next((cells for cells in left if _could_be(cells, rules, role)), None)
            if fit is None:
                return False
            left.remove(fit)
    return True


def _could_be(cells: list[str], rules: Rules, role: str) -> bool:
    holds = rules.by_role[role].holds
    if holds != "text":
        return count_of(holds, cells) >= TYPE_SHARE * len(cells)
    is_text = max(count_of("date", cells), count_of("number", cells)) < TYPE_SHARE * len(cells)
    recurs = len(cells) < _FEW_ROWS or 2 * len(set(cells)) <= len(cells)
    return role in rules.repeated and is_text and recurs


def _recurring(head: Preview, rules: Rules, at: dict[str, int], words: list[str]) -> float:
    """The share of the recurring roles that are found and do recur; says what it sees in `words`."""
    good = 0
    for role in rules.repeated:
        cells = [cell for cell in head.column(at[role]) if cell] if role in at else []
        if len(cells) >= _FEW_ROWS:
            distinct = len(set(cells))
            good += 2 * distinct <= len(cells)
            words.append(f"{distinct} values of {role} in {len(cells)} rows")
    return good / len(rules.repeated) if rules.repeated else 0.0


def _share(rules_found: list[ColumnRule], rules: Rules) -> float:
    return min(1.0, sum(1.0 if rule.telling else 0.5 for rule in rules_found) / rules.enough)


def _columns(fit: list[ColumnRule], rules: Rules, head: Preview, at: dict[str, int]) -> str:
    """Say in words which columns fit, and which needed ones are missing."""
    missing = rules.missing([rule.role for rule in fit])
    return (
        "; ".join(
            text
            for text in (
                f"found {listed([head.columns[at[rule.role]] for rule in fit])}" if fit else "",
                f"not found {listed(missing)}" if missing else "",
            )
            if text
        )
        or "found none"
    )
