"""Four looks at the head of a table, weighed into one confidence for each dataset type, and what follows from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from assay.detection.columns import Choice, header_key, require_columns, resolve
from assay.detection.confidence import among_all, of_incomplete, of_layout, of_score, of_sufficient, of_table, of_wide
from assay.detection.evidence import (
    Evidence,
    could_be_filled,
    data_types,
    evidence,
    exact_names,
    heuristics,
    is_enough,
    name_patterns,
)
from assay.detection.given import unknown_role
from assay.detection.roles import Columns
from assay.detection.rules import Rules
from assay.detection.tabular import tabular
from assay.detection.wide import is_wide, measured, telling
from assay.errors import Unprocessable
from assay.formats import Preview
from assay.formats.problems import listed, shown

# Counted up whenever the same file and rules may give another answer.
DETECTOR_VERSION = "3.0.0"
SURE = 0.9
LIKELY = 0.7
UNSURE = 0.5

# What is less likely is not named in the decision.
_WORTH_A_WORD = 0.1

Band = Literal["sure", "likely", "review", "unsure", "chosen"]


class Candidate(BaseModel):
    """A dataset type, how likely it is, and which columns it would need that were not found."""

    model_config = ConfigDict(frozen=True)

    dataset_type: str
    confidence: float = Field(ge=0, le=1)
    missing: tuple[str, ...] = ()


class Detection(BaseModel):
    """What a file is taken for, and what follows.

    `confidence` is the probability that the file is of the type `likeliest`, and `evidence` is what speaks for that.
    `dataset_type` is what it is run as: None in the band `unsure`, where a person must choose; the fallback type in the
    band `review`; else the likeliest. In the band `chosen` it is the one that a person asked for, whatever is likely.
    `decision` says it in words. `columns` are the roles of the columns for the type that the file is taken for.
    `header_sha256` names the header, see `header_key`. `runners_up` are all other types, the likeliest first.
    """

    model_config = ConfigDict(frozen=True)

    dataset_type: str | None
    band: Band
    likeliest: str
    confidence: float = Field(ge=0, le=1)
    decision: str
    columns: Columns
    header_sha256: str | None
    evidence: tuple[Evidence, ...]
    runners_up: tuple[Candidate, ...]
    detector_version: str


@dataclass(frozen=True)
class _Weighed:
    """A type on its own: how well it fits, as a probability if no other type were known, and why.

    `fits` says that the needed columns are there, hold what they should, and that no others could be meant.
    """

    alone: float
    evidence: tuple[Evidence, ...]
    missing: tuple[str, ...]
    columns: Columns
    fits: bool


def detect(
    head: Preview,
    known: Mapping[str, Rules],
    requested: str | None,
    given: Choice | None = None,
    remembered: Mapping[str, Choice] | None = None,
) -> Detection:
    """Weigh every known type; take the likeliest, or the one that a person asked for.

    `given` are the columns that a person named, by role; `remembered` those confirmed before for files with this
    header, by dataset type. Named columns rule out the types without such roles; where one type is left, and its
    columns are there, it is taken.

    Raises Unprocessable: unknown_dataset_type; missing_columns where the requested type needs columns that aren't
    there; unknown_role, unknown_column, duplicate_columns or invalid_columns where a named column is none.
    """
    if requested is not None and requested not in known:
        raise Unprocessable(
            "unknown_dataset_type",
            f"There is no dataset type {shown(requested)!r}.",
            f"Choose one of: {', '.join(sorted(known))}; or leave it out to have the file recognised.",
        )
    given, remembered = given or {}, remembered or {}
    known = _with_roles(known, requested, given)
    columns = {name: resolve(head, rules, name, given, remembered.get(name)) for name, rules in known.items()}
    weighed = {
        name: _weigh_fallback(head, columns[name]) if rules.fallback else _weigh(head, rules, columns[name])
        for name, rules in known.items()
    }
    if given and requested is None and len(known) == 1:
        (only,) = known
        requested = only if weighed[only].fits else None
    fallback = next((name for name, rules in known.items() if rules.fallback), None)
    confidences = among_all({name: one.alone for name, one in weighed.items() if name != fallback})
    if fallback is not None:
        confidences[fallback] = round(weighed[fallback].alone * (1 - sum(confidences.values())), 4)
    ranking = sorted(confidences, key=lambda name: (-confidences[name], name != fallback, name))
    if requested is not None and not _may_be_wide(head, known[requested], columns[requested]):
        require_columns(columns[requested], head.columns, known[requested], requested)
    likeliest = requested or ranking[0]
    band: Band = "chosen" if requested is not None else band_of(confidences[likeliest])
    named = likeliest if band != "review" else fallback
    if named is None:
        # There is no type to run it as meanwhile.
        band = "unsure"
    if band == "unsure":
        named = None
    candidates = [
        Candidate(dataset_type=name, confidence=confidences[name], missing=weighed[name].missing) for name in ranking
    ]
    return Detection(
        dataset_type=named,
        band=band,
        likeliest=likeliest,
        confidence=confidences[likeliest],
        decision=_decision(band, named, sorted(candidates, key=lambda one: one.dataset_type != likeliest), columns),
        columns=columns[likeliest],
        header_sha256=header_key(head.columns),
        evidence=weighed[likeliest].evidence,
        runners_up=tuple(one for one in candidates if one.dataset_type != named),
        detector_version=DETECTOR_VERSION,
    )


def band_of(confidence: float) -> Literal["sure", "likely", "review", "unsure"]:
    """What a confidence leads to."""
    if confidence >= SURE:
        return "sure"
    if confidence >= LIKELY:
        return "likely"
    return "review" if confidence >= UNSURE else "unsure"


def _with_roles(known: Mapping[str, Rules], requested: str | None, given: Choice) -> Mapping[str, Rules]:
    """Return the types that may be meant: those that know every role of which a column was given."""
    if not given or requested is not None:
        return known if requested is None else {requested: known[requested]} if given else known
    able = {name: rules for name, rules in known.items() if all(rules.role_of(word) is not None for word in given)}
    if not able:
        typed = {name: rules for name, rules in known.items() if not rules.fallback}
        unknown = next(
            (word for word in given if all(rules.role_of(word) is None for rules in typed.values())), next(iter(given))
        )
        raise unknown_role(unknown, typed)
    return able


def _may_be_wide(head: Preview, rules: Rules, columns: Columns) -> bool:
    """Whether a file can be read as a wide table of a type that was asked for."""
    return is_wide(rules, columns.at) and bool(measured(head, rules, columns.at))


def _weigh(head: Preview, rules: Rules, columns: Columns) -> _Weighed:
    """The weighted mean of what the strategies say, made a probability; one with nothing to go by stays out of it.

    The needed columns are judged one by one: where one of them holds something else, or another could be meant as
    well, the rest can't make up for it.
    """
    at = columns.at
    missing = tuple(rules.missing(at))
    types, misfits = data_types(head, rules, at)
    seen = [exact_names(head, rules, at), name_patterns(head, rules, at), types, heuristics(head, rules, at)]
    weighed = tuple(item for item in seen if item is not None)
    header = f"the header is that of {columns.layout}" if columns.layout is not None else ""
    if any(role.how == "remembered" for role in columns.roles.values()):
        header = "the columns of files with this header were confirmed before"
    if header:
        weighed = (evidence("layout", 1.0, header), *weighed)
    wide = telling(head, rules, at) if missing and not misfits & {*(rules.wide.needs if rules.wide else ())} else None
    if wide is not None:
        columns = columns.model_copy(update={"missing": ()})
        return _Weighed(of_wide(wide.score), (wide, *weighed), (), columns, fits=True)
    if missing:
        names = next(item.score for item in weighed if item.strategy == "name_patterns")
        return _Weighed(
            of_incomplete(names, fillable=could_be_filled(head, rules, at)), weighed, missing, columns, fits=False
        )
    score = sum(item.weight * item.score for item in weighed) / sum(item.weight for item in weighed)
    fits = not rules.lacking(at.keys() - misfits) and not columns.doubts
    if header:
        return _Weighed(of_layout(fits=fits), weighed, missing, columns, fits)
    alone = of_score(score, fits=fits)
    if is_enough(head, rules, at, misfits):
        alone = max(alone, of_sufficient(fits=fits))
    return _Weighed(alone, weighed, missing, columns, fits)


def _weigh_fallback(head: Preview, columns: Columns) -> _Weighed:
    seen = tabular(head)
    return _Weighed(of_table(*(item.score for item in seen)), seen, (), columns, fits=True)


def _decision(band: Band, named: str | None, ranking: list[Candidate], columns: Mapping[str, Columns]) -> str:
    """Say in words what follows; `ranking` has all types, the one that is spoken of first."""
    first = f"{ranking[0].dataset_type} ({ranking[0].confidence:.2f})"
    said = {
        "sure": f"This is {first}.",
        "likely": f"This is likely {first}.",
        "unsure": f"No dataset type fits well enough; the likeliest is {first}. A person must choose.",
    }
    if band in said:
        return said[band]
    if band == "chosen":
        likeliest = max(ranking, key=lambda one: one.confidence)
        by_itself = f"; by itself it would be taken for {likeliest.dataset_type} ({likeliest.confidence:.2f})"
        return f"Run as {named}, as asked for{by_itself if likeliest.dataset_type != named else ''}."
    other = next(one for one in ranking if one.dataset_type != named)
    if other.confidence < _WORTH_A_WORD:
        return f"Run as {named}, but please review whether it is one."
    maybe = f"Run as {named}, but please review: it may be {other.dataset_type} ({other.confidence:.2f})"
    if other.missing:
        return (
            f"{maybe}, though no column has the name of {listed(other.missing)}. If it is, say which column that is: "
            "--column ROLE=HEADER."
        )
    if doubts := columns[other.dataset_type].doubts:
        return f"{maybe}. {' '.join(doubts)}"
    return f"{maybe}. If it is, choose that type."
