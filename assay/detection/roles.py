"""The columns that were found for the roles of a dataset type, and what is told of them."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from assay.detection.evidence import count_of, filled
from assay.detection.given import label
from assay.detection.rules import ColumnRule, Rules
from assay.detection.unused import amounts
from assay.formats import Preview
from assay.formats.problems import listed, shown

How = Literal["given", "remembered", "layout", "named", "like"]
_LISTED = 200
_LONGEST_NAME = 200


class Role(BaseModel):
    """The column of one role, and why it is that.

    `column` is its whole header, or its place (such as #7) where that is blank or repeated; None where a person or a
    layout said that there is none. `values_fit` counts the cells, of the first 100 filled ones, that are what the role
    holds. `others` are the columns that no role took and that rank no lower, by name and by values.
    """

    model_config = ConfigDict(frozen=True)

    column: str | None
    position: int | None = Field(description="the place of the column, from 1")
    how: How
    because: str
    values_fit: str | None
    others: tuple[str, ...] = ()


class Columns(BaseModel):
    """The role of each column of a table, for one dataset type.

    `missing` names what the type needs and no column was found for. `unused` are the columns that no role took,
    `unused_amounts` those of them that are sums of money or quantities by their names. `doubts` are what a person
    should decide about a needed role; `notes` what else was decided.
    """

    model_config = ConfigDict(frozen=True)

    layout: str | None
    roles: dict[str, Role]
    missing: tuple[str, ...]
    unused: tuple[str, ...]
    unused_amounts: tuple[str, ...]
    doubts: tuple[str, ...]
    notes: tuple[str, ...]

    @property
    def at(self) -> dict[str, int]:
        """The position of each role's column, from 0."""
        return {name: role.position - 1 for name, role in self.roles.items() if role.position is not None}


@dataclass
class Found:
    """A role's column while columns are still being found; `rank` says what `others` would have to match."""

    at: int | None
    how: How
    because: str
    rank: tuple[int, ...] = ()
    others: tuple[int, ...] = ()


def told(head: Preview, rules: Rules, found: Mapping[str, Found], layout: str | None, notes: list[str]) -> Columns:
    """Return the roles of the columns that were found, with what a person should decide, and what nobody took."""
    names = head.columns
    taken = {one.at for one in found.values() if one.at is not None}
    free = sorted((at for at in range(len(names)) if at not in taken), key=lambda at: (names[at], at))
    money = amounts(head, free)
    roles = {rule.role: _role(head, rule, found[rule.role]) for rule in rules.columns if rule.role in found}
    doubts = []
    present = [name for name, role in roles.items() if role.column is not None]
    by_content = [rule.role for rule in rules.columns if rule.content is not None and rule.role in present]
    for name in (*rules.in_play(present), *by_content):
        role = roles[name]
        column = shown(role.column or "", _LONGEST_NAME)
        if role.others:
            doubts.append(
                f"{column} was taken as {name}, but {listed(list(role.others))} could be it as well. "
                f"Say which one it is: {how_to_choose(name, role.others[0])}."
            )
        elif name in rules.lesser and money and role.how in {"named", "like"}:
            doubts.append(
                f"{column} was taken as {name} and is the only amount known by its name, but "
                f"{listed([label(names, at) for at in money])} may be amounts too. "
                f"Say which column the amount is: {how_to_choose('amount', label(names, money[0]))}."
            )
    return Columns(
        layout=layout,
        roles=roles,
        missing=tuple(rules.missing(present)),
        unused=tuple(_label(names, at) for at in islice((at for at in free if names[at]), _LISTED)),
        unused_amounts=tuple(_label(names, at) for at in money[:_LISTED]),
        doubts=tuple(doubts),
        notes=tuple(notes),
    )


def _role(head: Preview, rule: ColumnRule, one: Found) -> Role:
    if one.at is None:
        return Role(column=None, position=None, how=one.how, because=one.because, values_fit=None)
    cells = filled(head, one.at)
    return Role(
        # It names the column to later files, and in a command: cut, it is another. PostgreSQL's JSON has no NUL.
        column=label(head.columns, one.at).replace("\0", "\ufffd"),
        position=one.at + 1,
        how=one.how,
        because=one.because,
        values_fit=f"{count_of(rule.holds, cells)} of {len(cells)}",
        others=tuple(_label(head.columns, at) for at in one.others[:_LISTED]),
    )


def _label(names: Sequence[str], at: int) -> str:
    return shown(label(names, at), _LONGEST_NAME)


def how_to_choose(role: str, column: str) -> str:
    """Say how a person chooses the column of a role: as a parameter, and as an option of the command."""
    return f"columns {json.dumps({role: column}, ensure_ascii=False)}, or --column {shlex.quote(f'{role}={column}')}"
