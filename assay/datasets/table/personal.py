"""Data of persons: found by content and by the names of columns, and never shown in full."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

import polars as pl

from assay.datasets.table.counts import Counts
from assay.datasets.table.patterns import CARD, EMAIL, IBAN, iban, luhn, without_secrets, words
from assay.datasets.table.texts import Forms

NEARLY_ALL = 0.9
# One in ten numbers passes Luhn's check by chance, and one in 97 that of an IBAN.
_GENUINE = 0.5
# Check digits are computed for so many values of a column.
_CHECKED = 20_000
_LEAST_CARD, _LEAST_IBAN = 13, 15

_BY_NAME = {
    "name of a person": (
        "first name|last name|full name|middle name|maiden name|surname|firstname|lastname|fullname|forename|"
        "given name|family name|customer name|client name|patient name|employee name|contact name|vorname|nachname|"
        "familienname|nom|prenom|prénom|nombre|apellido|apellidos|cognome"
    ),
    "e-mail address": "email|e mail|mail|email address|correo|courriel",
    "phone number": "phone|telephone|mobile|cell phone|fax|phone number|telefon|handy|téléphone|telefono|teléfono|tel",
    "date of birth": "dob|birth|birthday|birthdate|date of birth|birth date|geburtsdatum|date naissance|nacimiento",
    "address": "street|street address|home address|postal address|address|strasse|straße|adresse|anschrift|direccion",
    "number of a person": (
        "ssn|social security|social security number|passport|passport number|national id|tax id|nino|"
        "personalausweis|steuernummer|dni|nif|driver license|licence number"
    ),
    "bank account": "iban|bank account|account number|kontonummer",
    "card number": "card number|credit card|cc number|pan|kreditkarte",
    "IP address": "ip|ip address",
}
# What else than text each kind may be held as; a flag such as `is_mobile` is none of them.
_HELD_AS: dict[str, tuple[pl.DataType, ...]] = {
    "date of birth": (pl.Date(), pl.Datetime("us")),
    "phone number": (pl.Int64(),),
    "number of a person": (pl.Int64(),),
    "bank account": (pl.Int64(),),
    "card number": (pl.Int64(),),
}
_NAMED = {tuple(name.split()): kind for kind, names in _BY_NAME.items() for name in names.split("|")}


@dataclass(frozen=True)
class Personal:
    """One kind of personal data in a column; `cells` that hold it, None where only the column's name says so.

    `exact` is whether every value was looked at.
    """

    kind: str
    cells: int | None
    exact: bool


def by_name(name: str) -> str | None:
    """Tell which kind of personal data a column's name promises; the last words count: `customer_email`."""
    parts = words(name)
    for start in range(len(parts)):
        if kind := _NAMED.get(tuple(parts[start:])):
            return kind
    return None


def found(name: str, counts: Counts, longest: int, forms: Forms | None) -> list[Personal]:
    """Look for personal data in a column: `forms` and `longest` (characters) are those of its texts."""
    result: list[Personal] = []
    if counts.values.dtype == pl.String and forms is not None:
        result += _in_texts(counts, longest, forms, name)
    elif counts.values.dtype == pl.Int64 and len(counts.values):
        text = counts.values.cast(pl.String)
        # Numbers that only count upwards would be cards one time in ten.
        result += _checked("card number", text, counts, CARD, luhn) if int(counts.values[-1]) >= 10**12 else []
    promised = by_name(name)
    held = promised and counts.values.dtype in (pl.String(), *_HELD_AS.get(promised, ()))
    flag = counts.extent.distinct <= 2 < counts.extent.filled
    if promised and held and not flag and counts.extent.filled and promised not in {one.kind for one in result}:
        result.append(Personal(promised, None, exact=True))
    return result


def _in_texts(counts: Counts, longest: int, forms: Forms, name: str) -> list[Personal]:
    result = []
    text = counts.values
    ats = text.str.contains("@", literal=True)
    if ats.any():
        mails = pl.Series(counts.counts).filter(ats).filter(text.filter(ats).str.contains(EMAIL))
        if mails.len():
            result.append(Personal("e-mail address", int(mails.sum()), counts.extent.exact))
    looked_all = forms.looked_at == len(text) and counts.extent.exact
    if forms.phone >= NEARLY_ALL and (forms.phone_marked >= 0.5 or by_name(name) == "phone number"):
        result.append(Personal("phone number", round(forms.phone * counts.extent.filled), looked_all))
    if forms.ip >= NEARLY_ALL:
        result.append(Personal("IP address", round(forms.ip * counts.extent.filled), looked_all))
    if longest >= _LEAST_CARD:
        result += _checked("card number", text, counts, CARD, luhn)
    if longest >= _LEAST_IBAN:
        result += _checked("bank account", text, counts, IBAN, iban)
    return result


def _checked(kind: str, text: pl.Series, counts: Counts, form: str, check: Callable[[str], bool]) -> list[Personal]:
    likely = text.str.contains(form)
    if not likely.any():
        return []
    shown = pl.DataFrame({"text": text, "count": counts.counts}).filter(likely).sort("text")
    looked = shown.head(_CHECKED)
    pattern = re.compile(form)
    passed = pl.Series([any(check(part) for part in pattern.findall(one)) for one in looked["text"]], dtype=pl.Boolean)
    if passed.sum() < _GENUINE * looked.height:
        return []
    cells = int(looked["count"].filter(passed).sum())
    if looked.height < shown.height:
        cells = round(cells / int(looked["count"].sum()) * int(shown["count"].sum()))
    return [Personal(kind, cells, counts.extent.exact and looked.height == shown.height)]


def is_withheld(personal: list[Personal], filled: int) -> bool:
    """Tell whether no value of a column may be shown: it is named as personal, or half of its cells are."""
    return any(one.cells is None or 2 * one.cells >= filled for one in personal)


def shown(value: str, *, withheld: bool, most: int) -> str:
    """Cut a value short for showing; of a withheld one the first character is left."""
    if withheld:
        return value.strip()[:1] + "…"
    plain = without_secrets(value)
    return plain if len(plain) <= most else plain[: most - 1] + "…"
