"""From scores to probabilities: a confidence of 0.9 is to be right nine times in ten.

The weighted score of a type is mapped by a line with a few corners that only rises, drawn through what
`python -m benchmarks.calibration` measures; docs/decisions/recognising.md has the figures.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

# Score and probability.
_CORNERS = ((0.0, 0.0), (0.4, 0.03), (0.5, 0.2), (0.57, 0.45), (0.62, 0.75), (0.7, 0.85), (0.8, 0.93), (1.0, 0.99))
# Where a needed column is missing, but another could be it under a name that nobody knows: the score of the names alone
# and the probability. The type can't be run as long as the column is not found, so that it never gets beyond a review.
_CORNERS_OF_INCOMPLETE = ((0.0, 0.0), (0.3, 0.03), (0.5, 0.2), (0.65, 0.45), (0.8, 0.62), (1.0, 0.68))
_INCOMPLETE = 0.03
# A needed column that holds something else, or of which there are several: a person should look.
_MISFIT = 0.65
# A header that one program alone writes; and the few columns that a type can't be told apart by, but is run by.
_LAYOUT = 0.97
_SUFFICIENT = 0.75
_TABLE = 0.99


def of_score(score: float, *, fits: bool) -> float:
    """The probability that a type with this weighted score is the right one, if no other comes into question.

    `fits` says that the needed columns hold what they should, and that no others could be meant.
    """
    probability = _along(_CORNERS, score)
    return probability if fits else min(probability, _MISFIT)


def of_layout(*, fits: bool) -> float:
    """The same of a file with a known layout, or whose columns were confirmed before."""
    return _LAYOUT if fits else _MISFIT


def of_sufficient(*, fits: bool) -> float:
    """The same, at least, of a file with columns that are enough by themselves and hold what they should."""
    return _SUFFICIENT if fits else _MISFIT


def of_incomplete(names: float, *, fillable: bool) -> float:
    """The same of a type of which a needed column was not found, from the score of the names.

    `fillable` says that another column holds what the missing one would.
    """
    probability = _along(_CORNERS_OF_INCOMPLETE, names)
    return probability if fillable else min(probability, _INCOMPLETE)


def of_wide(score: float) -> float:
    """The probability of a type whose wide form was found, from what speaks for it."""
    return 0.93 if score == 1 else 0.8


def of_table(kinds: float, shape: float) -> float:
    """The probability that this is a table at all, of what tabular.py sees."""
    return _TABLE * shape * (0.6 + 0.4 * kinds if kinds else 0.4)


def among_all(alone: Mapping[str, float]) -> dict[str, float]:
    """The probability of each type where all may be: their odds against none of them, added up."""
    odds = {name: probability / (1 - probability) for name, probability in alone.items()}
    return {name: round(one / (1 + sum(odds.values())), 4) for name, one in odds.items()}


def _along(corners: Sequence[tuple[float, float]], score: float) -> float:
    for (left, low), (right, high) in pairwise(corners):
        if score <= right:
            return low + (high - low) * (score - left) / (right - left)
    return corners[-1][1]
