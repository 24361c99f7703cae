"""Wide tables: a column for each parameter, where the type's own form has a row for each."""

from __future__ import annotations

import re
from collections.abc import Mapping

from assay.detection.evidence import TYPE_SHARE, Evidence, count_of, evidence, filled
from assay.detection.names import fold
from assay.detection.rules import Rules
from assay.formats import Preview
from assay.formats.problems import listed

_FEWEST = 2
_MOSTLY = 0.5
_WHOLE = re.compile(r"[-+]?[0-9]+(?:[.,]0*)?")
_IN_BRACKETS = re.compile(r"[(\[]\s*([^()\[\]]{1,30}?)\s*[)\]]\s*$")


def is_wide(rules: Rules, at: Mapping[str, int]) -> bool:
    """Whether no column names the parameters or has the results of all, and what a wide table needs is there."""
    wide = rules.wide
    return wide is not None and not any(role in at for role in wide.replaced) and all(role in at for role in wide.needs)


def measured(head: Preview, rules: Rules, at: Mapping[str, int]) -> tuple[int, ...]:
    """Return the positions of the columns that hold results: nearly all numbers, by the first cells, and no key."""
    return tuple(place for place in _numeric(head, rules, at) if not _measures_nothing(head, rules, place))


def passed_over(head: Preview, rules: Rules, at: Mapping[str, int]) -> tuple[int, ...]:
    """Return the positions of the columns of numbers that hold no results, as far as their names say."""
    return tuple(place for place in _numeric(head, rules, at) if _measures_nothing(head, rules, place))


def _numeric(head: Preview, rules: Rules, at: Mapping[str, int]) -> list[int]:
    wide = rules.wide
    if wide is None:
        return []
    taken = {at[role] for role in wide.kept if role in at}
    free = [place for place, name in enumerate(head.columns) if name and place not in taken]
    return [
        place
        for place in free
        if (cells := filled(head, place)) and count_of("result", cells) >= TYPE_SHARE * len(cells)
    ]


def _measures_nothing(head: Preview, rules: Rules, place: int) -> bool:
    name = head.columns[place]
    wide = rules.wide
    if wide is None or wide.is_no_result(fold(name)):
        return True
    is_whole = all(_WHOLE.fullmatch(cell) for cell in filled(head, place))
    return wide.is_counter(fold(name)) and is_whole and not _has_unit(name, rules)


def telling(head: Preview, rules: Rules, at: Mapping[str, int]) -> Evidence | None:
    """What speaks for a wide table of this type: units in the headers, or names of what is measured.

    Two columns are enough, or one beside a key that recurs, where at least half of the columns of numbers are such;
    else None. The score is 1 for two beside a key.
    """
    wide = rules.wide
    if wide is None or not is_wide(rules, at):
        return None
    columns = measured(head, rules, at)
    told = [head.columns[place] for place in columns if wide.names_a_result(fold(head.columns[place]))]
    told += [name for name in (head.columns[place] for place in columns) if name not in told and _has_unit(name, rules)]
    has_key = any(role in at for role in rules.repeated if role not in wide.replaced)
    if len(told) < (1 if has_key else _FEWEST) or len(told) < _MOSTLY * len(columns):
        return None
    return evidence("wide", 1.0 if has_key and len(told) >= _FEWEST else 0.5, f"a column for each of {listed(told)}")


def _has_unit(name: str, rules: Rules) -> bool:
    unit = _IN_BRACKETS.search(name)
    return unit is not None and rules.wide is not None and rules.wide.is_unit(unit[1])
