"""Columns that a person names: by their header, or by their place, such as #7."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping, Sequence

from assay.detection.names import fold, fold_all
from assay.detection.rules import Rules
from assay.errors import Unprocessable
from assay.formats.problems import listed, shown

_PLACE = re.compile(r"#([1-9][0-9]{0,6})")
_NEAR = 3


def label(names: Sequence[str], at: int) -> str:
    """Return what names a column and no other: its header, or its place where that is blank or repeated."""
    name = names[at]
    return name if name and names.count(name) == 1 else f"#{at + 1}"


def roles_given(rules: Rules, given: Mapping[str, str | None], dataset_type: str) -> dict[str, str | None]:
    """Return the given columns under the roles' own names.

    Raises Unprocessable: unknown_role, or invalid_columns where one role is given twice.
    """
    found: dict[str, str | None] = {}
    for word, column in given.items():
        role = rules.role_of(word)
        if role is None:
            raise unknown_role(word, {dataset_type: rules})
        if role in found:
            raise Unprocessable(
                "invalid_columns",
                f"The column of {role} is given twice: {shown(word)} is another word for it.",
                "Give it once.",
            )
        found[role] = column
    return found


def unknown_role(word: str, known: Mapping[str, Rules]) -> Unprocessable:
    """Return the problem of a role that none of these dataset types has."""
    names = " or ".join(sorted(known))
    words = {name for rules in known.values() for rule in rules.columns for name in (rule.role, *rule.aliases)}
    if not words:
        return Unprocessable(
            "unknown_role",
            f"A file of type {names} has no columns with roles; {shown(word)!r} was given.",
            "Leave the columns out, or choose a dataset type whose columns have roles.",
        )
    roles = [rule.role for rules in known.values() for rule in rules.columns]
    return Unprocessable(
        "unknown_role",
        f"A file of type {names} has no role {shown(word)!r}.",
        f"{nearest(word, words)}The roles are: {listed(roles, len(roles))}.",
    )


def position_of(names: Sequence[str], given: str, role: str) -> int:
    """Return the position of the column that a person names: by its header as it stands, as #place, or folded.

    Raises Unprocessable: unknown_column, or duplicate_columns where several have the name.
    """
    place = _PLACE.fullmatch(given)
    if place is not None and given not in names and int(place[1]) <= len(names):
        return int(place[1]) - 1
    for folded in (str, fold_all, fold):
        wanted = folded(given)
        same = [at for at, name in enumerate(names) if name and wanted and folded(name) == wanted]
        if len(same) == 1:
            return same[0]
        if same:
            places = listed([f"#{at + 1}" for at in same])
            raise Unprocessable(
                "duplicate_columns",
                f"More than one column is called {shown(given)!r}: {places}.",
                f"Give the place of the one that is {role}, such as {role}=#{same[0] + 1}.",
            )
    if place is not None:
        raise Unprocessable(
            "unknown_column",
            f"There is no column {given} for {role}: the table has {len(names):,}.",
            f"Give a place from #1 to #{len(names)}, or a header.",
        )
    raise Unprocessable(
        "unknown_column",
        f"No column is called {shown(given)!r}, which was given for {role}.",
        f"{nearest(given, names)}The columns are: {listed(list(names))}.",
    )


def nearest(word: str, names: Iterable[str]) -> str:
    """Say which names come nearest to what a person wrote; nothing where none is near."""
    by_fold = {fold_all(name): name for name in sorted(names) if fold_all(name)}
    near = difflib.get_close_matches(fold_all(word[:100]), list(by_fold), _NEAR)
    return f"The nearest: {listed([by_fold[one] for one in near])}. " if near else ""
