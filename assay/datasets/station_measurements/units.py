"""Units as people write them: which of them are the same, and what turns one into another.

The factors are Pint's (https://pint.readthedocs.io), as exact fractions. Pint is not given the texts as they are: to
it pH is a picohenry, C a coulomb and `mg/L as N` a product with newtons. So only the spellings below, and long names
such as micrograms, are put to it; any other unit is one of its own. What follows `as` or `@` (mg/L as N, uS/cm @25C)
says what was weighed or how, and is never converted.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from typing import TYPE_CHECKING, Any

from assay.detection.given import label

if TYPE_CHECKING:
    import pint

_SPELLINGS = {
    "gram": "g gr", "kilogram": "kg KG", "milligram": "mg MG", "microgram": "ug UG μg mcg", "nanogram": "ng NG",
    "picogram": "pg", "tonne": "t",
    "liter": "l L", "milliliter": "ml mL", "microliter": "ul uL μl μL", "deciliter": "dl dL", "megaliter": "ML",
    "meter": "m", "kilometer": "km", "centimeter": "cm CM", "millimeter": "mm MM", "micrometer": "um μm",
    "foot": "ft FT feet", "inch": "in IN", "mile": "mi mile", "yard": "yd", "acre": "ac", "hectare": "ha",
    "second": "s sec SEC", "minute": "min MIN", "hour": "h hr HR hour", "day": "d day", "year": "yr year",
    "mole": "mol", "millimole": "mmol", "micromole": "umol μmol",
    "siemens": "S", "millisiemens": "mS", "microsiemens": "uS μS US", "mho": "mho mhos", "micromho": "umho umhos μmho",
    "pascal": "Pa", "hectopascal": "hPa", "kilopascal": "kPa", "bar": "bar", "millibar": "mbar mb", "decibar": "dbar",
    "mmHg": "mmHg", "inHg": "inHg", "atmosphere": "atm", "psi": "psi PSI",
    "volt": "V", "millivolt": "mV MV", "watt": "W", "kilowatt": "kW", "joule": "J", "kilojoule": "kJ",
    "gallon": "gal", "knot": "kn kt kts knot", "percent": "% pct", "ppm": "ppm PPM",
}  # fmt: skip
_NAMES = {word: name for name, words in _SPELLINGS.items() for word in (*words.split(), name, f"{name}s")}
_NAMES |= {word.replace("er", "re"): name for word, name in _NAMES.items() if name.endswith(("liter", "meter"))}
# Whole units that are not a product of such words.
_WHOLE = {
    "degree_Celsius": "c,°c,degc,deg c,degrees c,celsius,degree celsius,degrees celsius,degree c,ºc,grad c",
    "degree_Fahrenheit": "f,°f,degf,deg f,degrees f,fahrenheit,degree fahrenheit,degrees fahrenheit,ºf",
    "kelvin": "k,degk,°k,kelvin",
    "foot**3/second": "cfs,cusec,cusecs",
    "meter**3/second": "cms,cumec,cumecs",
    "gallon/minute": "gpm",
    "million_gallons_per_day": "mgd",
    "mile/hour": "mph",
    "acre*foot": "acre-ft,acre-feet,ac-ft,acre feet",
    "ppb": "ppb",
}
_UNITS = {spelled: name for name, words in _WHOLE.items() for spelled in words.split(",")}
# Units that Pint has no other for, but that are units and no remarks.
_PH = re.compile(r"(?i)ph ?units?|std\.? units?|standard units|s\.?u\.?")
_OWN = re.compile(
    r"(?i)(ntu|fnu|ftu|jtu|fbu|psu|ppt|ph|none|no units?|"
    r"(mpn|cfu|cells|counts?|#|no\.?|col|colonies)\s*/\s*(100)?\s*m?l|meq/l|mg/100\s?g|pcu|hazen|ptco|pci/l|bq/l|‰|"
    r"deg(rees)?|°|w/m2|db|lux)"
)
_BASIS = re.compile(r"(?i)^(.*\S)\s*((?:\bas\b|@).*)$")
_TOKEN = re.compile(r"([A-Za-zμ%_]+?)(?:\^|\*\*)?([-+]?[1-9])?")
_LONG_NAME = 5
# What a row of units has beside units: how a logger made the value, and words for no unit.
_NO_UNIT = re.compile(r"(?i)smp|avg|min|max|tot|std|med|sample|totali[sz]e|wvc|etxs|ts|rn|text|unitless|none|n/a|-")
_IN_BRACKETS = re.compile(r"[(\[]([^()\[\]]{1,30})[)\]]\s*$")


@dataclass(frozen=True)
class Change:
    """What turns a value of one unit into another: value * `scale` + `shift`."""

    scale: Fraction = Fraction(1)
    shift: Fraction = Fraction(0)


_SAME = Change()


def unit_in(header: str) -> str:
    """Return the unit in brackets at the end of a header, such as °C of `Temp (°C)`; nothing where it is none."""
    found = _IN_BRACKETS.search(header)
    inside = found[1].strip() if found else ""
    return inside if inside and is_unit(inside) else ""


def units_below(columns: Sequence[str], told: object) -> dict[str, str]:
    """Return the units that a row below the header names, by what names their column and no other.

    `told` is the fact `units` of a table: by the names of the columns, or in their order.
    """
    by_name = told if isinstance(told, dict) else {}
    in_order = told if isinstance(told, list) else [by_name.get(name, "") for name in columns]
    there = [(at, unit) for at, unit in enumerate(in_order[: len(columns)]) if unit and not _NO_UNIT.fullmatch(unit)]
    return {label(columns, at): unit for at, unit in there}


def is_unit(text: str) -> bool:
    """Whether a text is a unit that is known here, or one that laboratories use."""
    core = _parts(text)[0]
    return _OWN.fullmatch(core) is not None or _expression(core, ask_pint=False) is not None


def change(given: str, wanted: str) -> Change | None:
    """Return what turns values in `given` into values in `wanted`; None where nothing known does."""
    if given == wanted:
        return _SAME
    (one, basis), (other, other_basis) = _parts(given), _parts(wanted)
    if basis != other_basis:
        return None
    if one.casefold() == other.casefold() and _OWN.fullmatch(one):
        return _SAME
    if one == other:
        return _SAME
    first, second = (_expression(unit, ask_pint=False) or _expression(unit, ask_pint=True) for unit in (one, other))
    if first is None or second is None:
        return None
    return _SAME if first == second else _convert(first, second)


def _parts(text: str) -> tuple[str, str]:
    """The unit with its signs in one form, and what it is of (as N, @25C) in small letters without blanks."""
    plain = " ".join(unicodedata.normalize("NFKC", text).replace("\u2212", "-").split())
    plain = "pH" if _PH.fullmatch(plain) else plain
    found = _BASIS.match(plain)
    return (found[1], re.sub(r"\s+", "", found[2]).casefold()) if found else (plain, "")


@cache
def _expression(unit: str, *, ask_pint: bool) -> str | None:
    """The unit in Pint's words; None where a part of it is not known. `ask_pint` is for long names not in the table."""
    if _OWN.fullmatch(unit):
        return None
    if unit.casefold() in _UNITS:
        return _UNITS[unit.casefold()]
    above, *below = re.split(r"\s*/\s*|\s+per\s+", unit)
    powers: dict[str, int] = {}
    for sign, side in ((1, above), *((-1, side) for side in below)):
        for word in re.split(r"[\s*·.]+", side):
            found = _TOKEN.fullmatch(word)
            name = _NAMES.get(found[1]) if found else None
            if name is None and found and ask_pint:
                name = _long_name(found[1])
            if found is None or name is None:
                return None
            powers[name] = powers.get(name, 0) + sign * int(found[2] or 1)
    return "*".join(f"{name}**{power}" for name, power in sorted(powers.items()))


def _long_name(word: str) -> str | None:
    """Pint's own name for a word, such as nautical_mile; short ones are too often something else to it."""
    if len(word) < _LONG_NAME:
        return None
    try:
        return str(_registry().parse_units(word.casefold()))
    except Exception:  # noqa: BLE001 - Pint has a dozen ways to say that it does not know a word
        return None


def _convert(given: str, wanted: str) -> Change | None:
    quantity: Any = _registry().Quantity
    try:
        zero, one = (quantity(Fraction(number), given).to(wanted).magnitude for number in (0, 1))
    except Exception:  # noqa: BLE001 - as above: another dimension, or an offset unit in a product
        return None
    return Change(Fraction(one - zero), Fraction(zero))


@cache
def _registry() -> pint.UnitRegistry[Fraction]:
    """Pint's own units. They take a second or two to load, so only where two units must be compared."""
    import pint  # noqa: PLC0415  # as above

    registry: pint.UnitRegistry[Fraction] = pint.UnitRegistry(non_int_type=Fraction, cache_folder=None)
    registry.define("ppb = ppm / 1000")
    registry.define("million_gallons_per_day = 1000000 * gallon / day")
    return registry
