"""Which column plays which part: as a person said, else by a known layout, by its name, or by one like it.

What is looked at is the header and the head of the table. The order of the columns makes no difference: among columns
of the same rank the values decide, then the arithmetic of amounts, then the names.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence

from assay.detection.arithmetic import decide
from assay.detection.evidence import TYPE_SHARE, count_of, filled
from assay.detection.given import label, position_of, roles_given
from assay.detection.layouts import names_of
from assay.detection.names import fold, fold_all
from assay.detection.roles import Columns, Found, How, how_to_choose, told
from assay.detection.rules import TIERS, ColumnRule, Rules
from assay.detection.unused import numbers
from assay.errors import Unprocessable
from assay.formats import Preview
from assay.formats.problems import listed

Choice = Mapping[str, str | None]
"""The column of each role, as a person says it: a header, a place such as #7, or None where there is none."""

_FITS = 2
_FEWEST_PAIRS = 3
_FEW_KINDS = 3


def resolve(
    head: Preview,
    rules: Rules,
    dataset_type: str,
    given: Choice | None = None,
    remembered: Choice | None = None,
) -> Columns:
    """Find the column of each role.

    `given` is what a person said for this file, `remembered` what was confirmed for files with this header: a hint, of
    which all that does not fit the file is passed over. Roles that no column fits are left out.
    Raises Unprocessable: unknown_role, unknown_column, duplicate_columns, invalid_columns.
    """
    names = head.columns
    found: dict[str, Found] = {}
    for role, column in roles_given(rules, given or {}, dataset_type).items():
        at = None if column is None else position_of(names, column, role)
        found[role] = Found(at, "given", "it was given")
    notes = _remembered(names, rules, remembered or {}, found)
    layout = rules.layout_of(names)
    if layout is not None:
        taken = {one.at for one in found.values()}
        for role, header in layout.columns.items():
            at = None if header is None else _in_layout(names, header)
            if role not in found and (header is None or (at is not None and at not in taken)):
                found[role] = Found(at, "layout", f"the header is that of {layout.title}")
    _by_name(head, rules, found)
    _by_content(head, rules, found)
    notes += [f"{layout.title}: {layout.note}"] if layout is not None and layout.note else []
    notes += _by_arithmetic(head, rules, found)
    return told(head, rules, found, layout.title if layout else None, notes)


def _remembered(names: Sequence[str], rules: Rules, choice: Choice, found: dict[str, Found]) -> list[str]:
    """Take the remembered columns that are in the file and that nobody gave to a role; say which are not there."""
    taken = {one.at for one in found.values() if one.at is not None}
    notes: list[str] = []
    for word, column in choice.items():
        role = rules.role_of(word)
        if role is None or role in found:
            continue
        try:
            at = None if column is None else position_of(names, column, role)
        except Unprocessable as problem:
            notes.append(f"What is remembered for {role} was passed over. {problem.detail}")
            continue
        if at is None or at not in taken:
            found[role] = Found(at, "remembered", "it was chosen before for files with this header")
    return notes


def require_columns(columns: Columns, names: Sequence[str], rules: Rules, dataset_type: str) -> dict[str, int]:
    """Return the position of each role's column; roles that the type can be without may be missing.

    Raises Unprocessable: missing_columns, or duplicate_columns where the name of a needed role stands there twice.
    """
    missing = rules.missing(columns.at)
    if missing:
        wanted = rules.lacking(columns.at)[0][0]
        first = next(rule.role for rule in rules.columns if rule.role in wanted)
        raise Unprocessable(
            "missing_columns",
            f"A file of type {dataset_type} needs {listed(missing)}; found: {listed(list(names))}.",
            f"Say which column it is ({how_to_choose(first, 'HEADER')}), or add it to the file.",
        )
    free = set(range(len(names))) - {*columns.at.values()}
    for name in rules.in_play(columns.at):
        role, at = columns.roles[name], columns.at[name]
        folded = fold_all if rules.by_role[name].is_written(names[at]) else fold
        same = [other for other in sorted(free) if folded(names[other]) == folded(names[at])]
        if role.others and same:
            both = [label(names, one) for one in sorted([at, *same])]
            raise Unprocessable(
                "duplicate_columns",
                f"More than one column could be {rules.by_role[name].exact[0]}: {listed(both)}.",
                f"Say which one it is: {how_to_choose(name, both[0])}.",
            )
    return columns.at


def header_key(names: Sequence[str]) -> str | None:
    """Return the SHA-256, in hex, that stands for a header in any order; None where names are blank or repeat.

    Columns are remembered by it: names alone say there which column is meant.
    """
    if not all(names) or len({*names}) < len(names):
        return None
    return hashlib.sha256(json.dumps(sorted(names)).encode()).hexdigest()


def _in_layout(names: Sequence[str], column: str | tuple[str, ...]) -> int | None:
    """Where a layout's column stands, by the first of its names; None where the file lacks it or has it twice."""
    for name in names_of(column):
        same = [at for at, one in enumerate(names) if fold_all(one) == fold_all(name)]
        if same:
            return same[0] if len(same) == 1 else None
    return None


def _by_name(head: Preview, rules: Rules, found: dict[str, Found]) -> None:
    """Give each role that is left the best of the columns whose names fit it: by rank, values, and the name itself."""
    fitting = rules.fitting(head.columns)
    taken = {one.at for one in found.values() if one.at is not None}
    for rank, tier in enumerate(TIERS):
        for rule in rules.columns:
            free = [at for at in fitting.get((tier, rule.role), ()) if at not in taken]
            if rule.role in found or not free:
                continue
            fits = {at: _fit(head, at, rule) for at in free}
            best = min(free, key=lambda at: (-fits[at], *_name_key(head, at)))
            usual = f"its name is like {rule.exact[0]}" if tier in {"like", "cut"} else "its name is the role's"
            how: How = "like" if tier in {"like", "cut"} else "named"
            others = tuple(at for at in free if at != best and fits[at] == fits[best])
            found[rule.role] = Found(best, how, usual, (rank,), others)
            taken.add(best)
    for one in found.values():
        one.others = tuple(sorted((at for at in one.others if at not in taken), key=lambda at: _name_key(head, at)))


def _by_content(head: Preview, rules: Rules, found: dict[str, Found]) -> None:
    """Give a role whose cells are all of one kind, such as <, a column of such cells, whatever its name is."""
    taken = {one.at for one in found.values()}
    for rule in rules.columns:
        if rule.content is None or rule.role in found:
            continue
        free = [at for at in range(len(head.columns)) if at not in taken and _are_all(rule.content, filled(head, at))]
        if free:
            best, *others = sorted(free, key=lambda at: _name_key(head, at))
            found[rule.role] = Found(
                best, "like", f"its cells are nothing but {_some(filled(head, best))}", (), tuple(others)
            )


def _some(cells: list[str]) -> str:
    return " and ".join(sorted({*cells})[:_FEW_KINDS])


def _are_all(pattern: str, cells: list[str]) -> bool:
    return bool(cells) and all(re.fullmatch(pattern, cell) for cell in cells)


def _fit(head: Preview, at: int, rule: ColumnRule) -> int:
    """_FITS where the cells are what the role holds, 1 where there are none, 0 where they are something else."""
    cells = filled(head, at)
    if not cells:
        return 1
    return _FITS if count_of(rule.holds, cells) >= TYPE_SHARE * len(cells) else 0


def _name_key(head: Preview, at: int) -> tuple[str, list[str]]:
    # Of columns with one name the cells tell which is which, wherever they stand.
    return head.columns[at], [cell or "" for cell in head.column(at)]


def _by_arithmetic(head: Preview, rules: Rules, found: dict[str, Found]) -> list[str]:
    """Let sums, or values that say the same, decide between columns of one rank; say in words what they decided."""
    notes: list[str] = []
    for rule in rules.columns:
        one = found.get(rule.role)
        if one is None or one.at is None or not one.others:
            continue
        same = [at for at in one.others if _says_the_same(head, one.at, at, rule)]
        one.others = tuple(at for at in one.others if at not in same)
        if not one.others or rule.holds != "number":
            continue
        candidates = [one.at, *one.others]
        figures = numbers(head, candidates)
        if any(at not in figures for at in candidates):
            continue
        decided = decide(candidates, head.columns, figures, _factors(rule, found))
        if decided is not None:
            left = [at for at in candidates if at not in decided.at]
            taken = f"Taken as {rule.role}: {label(head.columns, decided.at[0])}" if len(decided.at) == 1 else ""
            one.at, *others = sorted(decided.at, key=lambda at: _name_key(head, at))
            one.others, one.because = tuple(others), f"{one.because}; {decided.because}"
            beaten = f"{f'{taken}, not' if taken else f'Not taken as {rule.role}:'}"
            notes.append(f"{beaten} {listed([label(head.columns, at) for at in left])}, since {decided.because}.")
    return notes


def _factors(rule: ColumnRule, found: Mapping[str, Found]) -> tuple[Sequence[int], Sequence[int]]:
    first, second = (
        (found[role].at, *found[role].others) if rule.product_of and role in found else ()
        for role in rule.product_of or ("", "")
    )
    return [at for at in first if at is not None], [at for at in second if at is not None]


def _says_the_same(head: Preview, taken: int, other: int, rule: ColumnRule) -> bool:
    """Whether it makes no difference which of two columns is taken: equal cells, or of texts one for one."""
    rows = list(zip(head.column(taken), head.column(other), strict=True))
    if all(one == two for one, two in rows):
        return head.columns[taken] != head.columns[other]
    if rule.holds != "text":
        return False
    pairs = {row for row in rows if row != (None, None)}
    one_to_one = len({one for one, _ in pairs}) == len({two for _, two in pairs}) == len(pairs)
    return one_to_one and len(rows) >= _FEWEST_PAIRS
