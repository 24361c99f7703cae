"""What a column is likely to mean: from its name, its type and the forms of its cells."""

from __future__ import annotations

from dataclasses import dataclass

from assay.datasets.table.counts import Counts
from assay.datasets.table.numbers import Spread
from assay.datasets.table.patterns import words
from assay.datasets.table.texts import Forms
from assay.types import ColumnType, Kind

_NEARLY_ALL = 0.9
_ID = "id ids no nr number key code uuid guid ref reference sku ean isbn index kennung nummer numero"
_MONEY = (
    "price amount revenue cost costs fee fees salary wage income total subtotal turnover payment balance tax discount "
    "profit loan budget preis betrag umsatz kosten gehalt summe prix montant salaire precio importe prezzo eur usd gbp"
)
_PERCENTAGE = "percent percentage pct rate ratio share prozent anteil quote pourcentage taux tasa"
_COUNTRY = "country nation land pays pais país paese nationality"
_PHONE = "phone telephone tel mobile fax telefon handy"
_YEAR = "year jahr année año"
# From so many words a cell on, it is a sentence.
_FREE_WORDS = 4.0
_MOST_CATEGORIES = 10_000
_REPEATED = 5
_FEW = 20


@dataclass(frozen=True)
class Meaning:
    """What a column is likely to mean, and why, in a few words; `other` where nothing is likely."""

    name: str
    because: str


def meaning(name: str, kind: ColumnType, counts: Counts, forms: Forms | None, figures: Spread | None) -> Meaning:
    """Tell what a column is likely to mean.

    One of: empty, date, flag, email, phone, country, url, ip_address, money, percentage, id, category, free_text,
    measure, other.
    """
    if not counts.extent.filled:
        return Meaning("empty", "no cell is filled")
    if kind.kind in (Kind.DATE, Kind.DATETIME, Kind.TIME):
        return Meaning("date", f"its cells are of type {kind.kind}")
    if kind.kind is Kind.BOOLEAN:
        return Meaning("flag", "its cells are true or false")
    parts = set(words(name))
    likely = _of_text(parts, counts, forms) if forms is not None else _of_number(parts, kind, counts, figures)
    return next(Meaning(found, because) for found, fits, because in likely if fits)


_Likely = list[tuple[str, bool, str]]


def _named(parts: set[str], any_of: str) -> bool:
    return not parts.isdisjoint(any_of.split())


def _of_text(parts: set[str], counts: Counts, forms: Forms) -> _Likely:
    filled, distinct = counts.extent.filled, counts.extent.distinct
    one_word = forms.words < 2
    form = "of its cells have that form"
    phone = forms.phone >= _NEARLY_ALL and (forms.phone_marked >= 0.5 or _named(parts, _PHONE))
    country = forms.country >= (0.5 if _named(parts, _COUNTRY) else _NEARLY_ALL)
    repeated = distinct <= _MOST_CATEGORIES and filled >= _REPEATED * distinct
    return [
        ("email", forms.email >= _NEARLY_ALL, f"{forms.email:.0%} {form}"),
        ("url", forms.url >= _NEARLY_ALL, f"{forms.url:.0%} {form}"),
        ("ip_address", forms.ip >= _NEARLY_ALL, f"{forms.ip:.0%} {form}"),
        ("id", forms.uuid >= _NEARLY_ALL, f"{forms.uuid:.0%} of its cells are UUIDs"),
        ("phone", phone, f"{forms.phone:.0%} {form}"),
        ("country", country, f"{forms.country:.0%} of its cells name a country"),
        ("free_text", forms.words >= _FREE_WORDS and distinct > filled / 2, f"{forms.words:.1f} words a cell"),
        ("id", distinct == filled > 1 and one_word, "no value occurs twice"),
        ("id", _named(parts, _ID) and one_word, "its name says so"),
        ("category", repeated, f"{distinct:,} values, each {filled / distinct:,.0f} times"),
        ("category", distinct <= _FEW and distinct < filled, f"{distinct:,} different values"),
        ("free_text", not one_word, "text that hardly repeats"),
        ("other", True, "text"),
    ]


def _of_number(parts: set[str], kind: ColumnType, counts: Counts, figures: Spread | None) -> _Likely:
    whole = kind.kind is Kind.INTEGER
    extent = counts.extent
    low, high = extent.least or 0, extent.greatest or 0
    different = whole and extent.distinct == extent.filled > 2 and figures is not None and not figures.negative
    return [
        ("percentage", kind.unit == "%", "its cells carry a percent sign"),
        ("money", bool(kind.unit), "its cells carry a currency"),
        ("flag", whole and low >= 0 and high <= 1, "its cells are 0 or 1"),
        ("id", whole and _named(parts, _ID), "whole numbers, and its name says so"),
        ("percentage", _named(parts, _PERCENTAGE) and low >= -100 and high <= 100, "its name says so"),
        ("money", _named(parts, _MONEY), "its name says so"),
        ("id", different, "whole numbers, none of which occurs twice"),
        ("date", whole and _named(parts, _YEAR) and low >= 1000 and high <= 2999, "years"),
        ("measure", True, "numbers"),
    ]
