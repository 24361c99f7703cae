"""Four looks at the head of a table, weighed into one confidence for each dataset type."""

from __future__ import annotations

import re
from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict, Field

from functions.process.detection.rules import ColumnRule, Rules, fold, fold_all
from functions.process.readers import Preview
from functions.process.readers.dates import count_dates
from functions.process.readers.problems import listed, shown
from shared.errors import Unprocessable

# Counted up whenever the same file and rules may give another answer.
DETECTOR_VERSION = "1.1.0"
SURE = 0.9
UNSURE = 0.5

_WEIGHTS = {"exact_names": 1.0, "name_patterns": 0.8, "data_types": 0.6, "heuristics": 0.4}
# Written so that no digit can be matched in two ways: a cell may have a hundred thousand of them.
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_TYPE_SHARE = 0.8
_FEW_ROWS = 10
_FEW_DATES = 200


class Evidence(BaseModel):
    """What one strategy saw: its score in [0, 1], and in words."""

    model_config = ConfigDict(frozen=True)

    strategy: str
    weight: float
    score: float = Field(ge=0, le=1)
    found: str


class Candidate(BaseModel):
    """A dataset type and how sure it is."""

    model_config = ConfigDict(frozen=True)

    dataset_type: str
    confidence: float = Field(ge=0, le=1)


class Detection(BaseModel):
    """What a file is taken for; `dataset_type` is None where no type reaches 0.5 and a person must choose."""

    model_config = ConfigDict(frozen=True)

    dataset_type: str | None
    confidence: float = Field(ge=0, le=1)
    evidence: tuple[Evidence, ...]
    runners_up: tuple[Candidate, ...]
    detector_version: str


def detect(head: Preview, known: Mapping[str, Rules], requested: str | None) -> Detection:
    """Weigh every known type, or take the one that a person asked for.

    The confidence and the evidence are those of the type that is named, or of the best where none is. Raises
    Unprocessable: unknown_dataset_type, or missing_columns where the requested type needs columns that aren't there.
    """
    if requested is not None and requested not in known:
        raise Unprocessable(
            "unknown_dataset_type",
            f"There is no dataset type {shown(requested)!r}.",
            f"Choose one of: {', '.join(sorted(known))}; or leave it out to have the file recognised.",
        )
    weighed = {name: _weigh(head, rules) for name, rules in known.items()}
    ranking = sorted(weighed, key=lambda name: (-weighed[name][0], name))
    chosen = requested or ranking[0]
    confidence, evidence = weighed[chosen]
    if requested is not None:
        require_columns(known[requested], head.columns, requested)
    named = chosen if requested or confidence >= UNSURE else None
    return Detection(
        dataset_type=named,
        confidence=confidence,
        evidence=evidence,
        runners_up=tuple(
            Candidate(dataset_type=name, confidence=weighed[name][0]) for name in ranking if name != named
        ),
        detector_version=DETECTOR_VERSION,
    )


def require_columns(rules: Rules, names: tuple[str, ...], dataset_type: str) -> dict[str, int]:
    """Return the position of each role's column.

    Raises Unprocessable: missing_columns, or duplicate_columns where a needed name stands there twice.
    """
    found = rules.assign(names)
    missing = [rule.exact[0] for rule in rules.columns if rule.role not in found]
    if missing:
        raise Unprocessable(
            "missing_columns",
            f"A file of type {dataset_type} needs {listed(missing)}; found: {listed(names)}.",
            "Add these columns, or rename those that hold the same; case and punctuation make no difference.",
        )
    for rule in rules.columns:
        taken = names[found[rule.role]]
        folded = fold_all if rule.is_written(taken) else fold
        same = [name for name in names if folded(name) == folded(taken)]
        if len(same) > 1:
            raise Unprocessable(
                "duplicate_columns",
                f"More than one column could be {rule.exact[0]}: {listed(same)}.",
                "Remove or rename all but one of them.",
            )
    return found


def _weigh(head: Preview, rules: Rules) -> tuple[float, tuple[Evidence, ...]]:
    """One type's confidence: the weighted mean of what the strategies say; those with nothing to go by stay out of it.

    Heuristics can only raise it, and a type of which a needed column is missing stays below 0.5.
    """
    at = rules.assign(head.columns)
    seen = [_exact_names(head, rules, at), _name_patterns(head, rules, at), _data_types(head, rules, at)]
    evidence = [item for item in seen if item is not None]
    confidence = _mean(evidence)
    hints = _heuristics(head, rules, at)
    if hints is not None:
        evidence.append(hints)
        confidence = max(confidence, _mean(evidence))
    if len(at) < len(rules.columns):
        confidence = min(confidence, UNSURE - 0.01)
    return round(confidence, 4), tuple(evidence)


def _mean(evidence: list[Evidence]) -> float:
    return sum(item.weight * item.score for item in evidence) / sum(item.weight for item in evidence)


def _exact_names(head: Preview, rules: Rules, at: dict[str, int]) -> Evidence:
    named = [rule for rule in rules.columns if rule.role in at and rule.is_named(head.columns[at[rule.role]])]
    return _evidence("exact_names", len(named) / len(rules.columns), _columns(named, rules, head, at))


def _name_patterns(head: Preview, rules: Rules, at: dict[str, int]) -> Evidence:
    like = [rule for rule in rules.columns if rule.role in at]
    return _evidence("name_patterns", len(like) / len(rules.columns), _columns(like, rules, head, at))


def _columns(fit: list[ColumnRule], rules: Rules, head: Preview, at: dict[str, int]) -> str:
    """Say in words which columns fit and which needed ones were not found."""
    missing = [rule.exact[0] for rule in rules.columns if rule not in fit]
    return "; ".join(
        text
        for text in (
            f"found {listed([head.columns[at[rule.role]] for rule in fit])}" if fit else "",
            f"not found {listed(missing)}" if missing else "",
        )
        if text
    )


def _data_types(head: Preview, rules: Rules, at: dict[str, int]) -> Evidence | None:
    """Look whether the cells are what the columns should hold; a column that is all blank says nothing."""
    judged = fit = 0
    words: list[str] = []
    for rule in rules.columns:
        cells = [cell for cell in head.column(at[rule.role]) if cell] if rule.role in at else []
        if rule.role in at and not cells:
            continue
        judged += 1
        if not cells:
            continue
        if rule.holds == "date":
            cells = cells[:_FEW_DATES]
            good = count_dates(cells)
        elif rule.holds == "number":
            good = sum(bool(_NUMBER.fullmatch(cell)) for cell in cells)
        else:
            good = len(cells)
        fit += good >= _TYPE_SHARE * len(cells)
        words.append(f"{shown(head.columns[at[rule.role]])}: {good} of {len(cells)} are {rule.holds}")
    return _evidence("data_types", fit / judged, "; ".join(words) or "no column to look at") if judged else None


def _heuristics(head: Preview, rules: Rules, at: dict[str, int]) -> Evidence | None:
    """Look whether keys recur from row to row, and for columns often seen beside the needed ones."""
    hints: list[tuple[bool, str]] = []
    for role in rules.repeated:
        cells = [cell for cell in head.column(at[role]) if cell] if role in at else []
        if len(cells) >= _FEW_ROWS:
            distinct = len(set(cells))
            hints.append((2 * distinct <= len(cells), f"{distinct} values of {role} in {len(cells)} rows"))
    names = {fold(name) for name in head.columns}
    beside = [name for name in rules.companions if fold(name) in names]
    if beside:
        hints.append((True, f"beside them {listed(beside)}"))
    if not hints:
        return None
    return _evidence("heuristics", sum(good for good, _ in hints) / len(hints), "; ".join(text for _, text in hints))


def _evidence(strategy: str, score: float, found: str) -> Evidence:
    return Evidence(strategy=strategy, weight=_WEIGHTS[strategy], score=round(score, 4), found=found)
