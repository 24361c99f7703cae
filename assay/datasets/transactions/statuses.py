"""Which rows count: what the words of the status column and of the type column say.

The words are in statuses.json, in several languages. A word that is not there is unknown: its rows are counted, and
the page names it.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal, cast

import polars as pl

from assay.detection.given import nearest
from assay.errors import Unprocessable
from assay.formats.problems import listed

Column = Literal["status", "type"]
COLUMNS: tuple[Column, ...] = ("status", "type")

NOT_COUNTED = ("cancelled", "failed", "pending", "refunded", "hold", "payout", "fee", "not_included")
"""Why a row that could be read is not counted."""

# A status and a type are a few words that recur; a column of more different texts holds something else.
MAX_WORDS = 100

_DIRECTIONS = ("debit", "credit")
_COUNTED_CLASSES = frozenset({"paid", "refund", "sale", "unknown", *_DIRECTIONS})
_WORD = re.compile(r"[^\W_]+")
_ACCENTS = re.compile("[\u0300-\u036f]+")


@dataclass(frozen=True)
class Statuses:
    """What each word of a column means, as it stands in the file.

    `classes` is by column and word: paid, sale, refund, debit, credit, unknown, or one of NOT_COUNTED. `chosen` are the
    columns whose words `include_status` names: there exactly the named ones count. `ignored` are columns whose
    texts are no words of this kind, with the reason.
    """

    classes: Mapping[Column, Mapping[str, str]]
    chosen: frozenset[Column]
    ignored: Mapping[Column, str]

    def words(self, column: Column, *classes: str) -> list[str]:
        """Return the words of a column that are of one of some classes, sorted."""
        return sorted(word for word, name in self.classes.get(column, {}).items() if name in classes)

    @property
    def unknown(self) -> list[tuple[Column, str]]:
        """Return the words that no rule knows, where `include_status` did not decide."""
        return [(column, word) for column in COLUMNS for word in self.words(column, "unknown")]

    def not_counted(self) -> pl.Expr:
        """Say why a row is not counted, by its status, its type and `cancelled`: one of NOT_COUNTED, or null."""
        tests = [pl.when("cancelled").then(pl.lit("cancelled"))]
        tests += [
            pl.when(pl.col(column).is_in(words)).then(pl.lit(reason))
            for reason in NOT_COUNTED
            for column in COLUMNS
            if (words := self.words(column, reason))
        ]
        return pl.coalesce(*tests)

    def is_refund(self) -> pl.Expr:
        """Whether the type of a row says that it is a refund."""
        return pl.col("type").is_in(self.words("type", "refund")).fill_null(value=False)

    def is_debit(self) -> pl.Expr:
        """Whether the type of a row says that its amount, which has no sign, was paid out."""
        return pl.col("type").is_in(self.words("type", "debit")).fill_null(value=False)


def class_of(column: Column, text: str) -> str:
    """Tell what a status or a type means: one of NOT_COUNTED, `paid`, `sale`, `refund`, or `unknown`.

    A status must be one of the known phrases, words such as `payment` aside. A type is told by a word within it, and
    what says that no sale was made goes first: `Payment Refund` is a refund, `Reversal of Account Hold` is a hold.
    """
    words = _words(text)
    if column == "status":
        rest = [word for word in words if word not in _vocabulary()["status_beside"]]
        phrases = {" ".join(words), " ".join(rest), "".join(words)}
        return next((name for name, known in _known("status").items() if phrases & known), "unknown")
    sentence = f" {' '.join(words)} "
    for name, known in _known("type").items():
        if any(f" {phrase} " in sentence or (not phrase.isascii() and phrase in sentence) for phrase in known):
            return "cancelled" if name == "void" else name
    return "unknown"


def decide(words: Mapping[Column, Collection[str] | None], include: Sequence[str] | None) -> Statuses:
    """Decide which rows count, from the different words of each column and what a person chose.

    `include` names words of either column, in any case; a column of which it names none is judged by the known words.
    A type column that names no sale and no refund says something else, such as how it was paid: it is ignored.
    Raises Unprocessable where no column has a word that is chosen.
    """
    classes: dict[Column, dict[str, str]] = {}
    ignored: dict[Column, str] = {}
    chosen: set[Column] = set()
    wanted = {_folded(word): word for word in include or ()}
    _check(wanted, words)
    for column, texts in words.items():
        if texts is None:
            ignored[column] = f"more than {MAX_WORDS} different texts"
            continue
        named = {word for word in texts if _folded(word) in wanted}
        meant = {word: class_of(column, word) for word in texts}
        meant |= _directions(meant) if column == "type" else {}
        if named:
            chosen.add(column)
            # A refund that a person chose is still a refund, and a debit is still paid out.
            kept = {word: meant[word] if meant[word] in ("refund", *_DIRECTIONS) else "paid" for word in named}
            classes[column] = {word: kept.get(word, _outside(meant[word])) for word in texts}
        elif column == "type" and not any(_tells_sales(word, name) for word, name in meant.items()):
            if texts:
                ignored[column] = "no word for a sale or a refund"
        else:
            classes[column] = meant
    return Statuses(classes, frozenset(chosen), ignored)


def with_refunds_in_rows(statuses: Statuses) -> Statuses:
    """Count the rows whose status is `refunded`: for a file that books each refund in a row of its own."""
    classes = {
        column: {word: "paid" if name == "refunded" and column == "status" else name for word, name in words.items()}
        for column, words in statuses.classes.items()
    }
    return Statuses(classes, statuses.chosen, statuses.ignored)


def with_signed_amounts(statuses: Statuses) -> Statuses:
    """Leave the amounts of debits and credits as they are: for a file whose amounts have signs of their own."""
    classes = {
        column: {word: "paid" if name in _DIRECTIONS else name for word, name in words.items()}
        for column, words in statuses.classes.items()
    }
    return Statuses(classes, statuses.chosen, statuses.ignored)


def direction_of(text: str) -> str | None:
    """Tell a word for money that goes out (`debit`) or comes in (`credit`); None for all others.

    All of the text must be such words, since a debit card is a way to pay, and a credit note is a refund.
    """
    known = _known("direction")
    words = [word for word in _words(text) if word not in known["beside"]]
    for name in _DIRECTIONS:
        if words and (" ".join(words) in known[name] or all(word in known[name] for word in words)):
            return name
    return None


def _directions(meant: Mapping[str, str]) -> dict[str, str]:
    """Return the words for debits and credits of a column that has both, and no word for a sale."""
    found = {word: name for word in meant if (name := direction_of(word)) is not None}
    others = any(name == "sale" for word, name in meant.items() if word not in found)
    return {} if others or {*found.values()} != {*_DIRECTIONS} else found


def _tells_sales(word: str, name: str) -> bool:
    """Whether a text says that a row is a sale or a refund, and not how it was paid, as `Card payment` does."""
    if name in _DIRECTIONS:
        return True
    return name in ("sale", "refund") and not set(_words(word)) & set(_vocabulary()["ways_to_pay"])


def _outside(name: str) -> str:
    return "not_included" if name in _COUNTED_CLASSES else name


def _check(wanted: Mapping[str, str], words: Mapping[Column, Collection[str] | None]) -> None:
    """Refuse a chosen word that no column has: the rows that a person meant would be counted, or left out, unseen."""
    there = {_folded(text): text for texts in words.values() for text in texts or ()}
    absent = [word for folded, word in wanted.items() if folded not in there]
    if not absent:
        return
    many = [column for column, texts in words.items() if texts is None]
    if there:
        suggestion = f"{nearest(absent[0], there.values())}The file has: {listed(sorted(there.values()))}."
    elif many:
        suggestion = f"The column of the {many[0]} has more than {MAX_WORDS} different texts, which are no such words."
    else:
        suggestion = "The file has no column of statuses or types that decides what counts: leave it out."
    raise Unprocessable(
        "no_such_status", f"No row has the status or type of `include_status`: {listed(absent)}.", suggestion
    )


def _folded(text: str) -> str:
    """Fold a text to its words; one without any, such as a tick, stays as it is."""
    return " ".join(_words(text)) or text.strip()


def _words(text: str) -> list[str]:
    """Part a text into words; case and accents make no difference."""
    return _WORD.findall(_ACCENTS.sub("", unicodedata.normalize("NFKD", text)).casefold())


@cache
def _vocabulary() -> dict[str, Any]:
    return cast("dict[str, Any]", json.loads(Path(__file__).with_name("statuses.json").read_text(encoding="utf-8")))


@cache
def _known(column: Literal["status", "type", "direction"]) -> Mapping[str, frozenset[str]]:
    """The phrases of each class, folded as the texts are."""
    return {name: frozenset(map(_folded, phrases)) for name, phrases in _vocabulary()[column].items()}
