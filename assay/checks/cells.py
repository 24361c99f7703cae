"""Cells of text as what a field's type says they are, as expressions: null where a cell is no such thing."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

import polars as pl

from assay.schema import SchemaField

_NUMBER = r"^[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?$"
_WHOLE = r"^[+-]?[0-9]+$"
_ZEROS = r"^([+-]?[0-9]+)\.0*$"
# A number with what stands before and behind it. What could say more than a unit does is none: a sign, a bound.
_UNIT = r"[^0-9+()<>\p{Pd}\x{2212}\x{2264}\x{2265}]*"
_WITH_UNITS = (
    rf"^(?P<open>\()?\s*(?P<sign>[-+])?(?P<front>{_UNIT}?)(?:(?P<second>[-+])\s*)?(?P<body>MARK?[0-9](?:.*[0-9])?)"
    rf"(?P<back>{_UNIT})(?P<trail>-)?\s*(?P<close>\))?$"
)
_SIGNS = ("sign", "second", "trail", "open")
_MOST_EXACT = 2**53
# Polars takes fewer digits for %Y: 10/02/24 would be a day of the year 10.
_FIRST_YEAR = 1000
# Polars' own words for these, beside the standard's.
_SPECIAL = r"^(?:NaN|-?INF)$"
_STRINGS = {
    "email": r"^[^@\s]+@[^@\s.]+(?:\.[^@\s.]+)+$",
    "uri": r"^[A-Za-z][A-Za-z0-9+.\-]*:[^\s]+$",
    "uuid": r"^[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$",
    "binary": r"^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$",
}
_DATE, _TIME = "%Y-%m-%d", "%H:%M:%S%.f"
_DATE_TEXT = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"
_TIME_TEXT = r"^[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]+)?$"
_MOMENT_TEXT = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]+)?(?:Z|[+-][0-9]{2}:[0-9]{2})?$"
ZONE = r"(Z|[+-][0-9]{2}:[0-9]{2})$"
"""The zone at the end of a moment, as a regular expression."""

ZONE_FORM = re.compile(r"%(?::{0,3}z|#z|Z|\+)")
"""The zone in a form of strftime, as chrono has it (https://docs.rs/chrono/latest/chrono/format/strftime/)."""

# What `any` takes, the more usual first.
_ANY_DATE = (_DATE, "%Y/%m/%d", "%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y", "%d-%m-%Y", "%d %B %Y", "%B %d, %Y", "%Y%m%d")
_ANY_TIME = ("%H:%M:%S%.f", "%H:%M", "%I:%M:%S %p", "%I:%M %p")
_DURATION = (
    r"^-?P(?:[0-9]+W|(?:[0-9]+Y)?(?:[0-9]+M)?(?:[0-9]+D)?(?:T(?:[0-9]+H)?(?:[0-9]+M)?(?:[0-9]+(?:\.[0-9]+)?S)?)?)$"
)
_GEOJSON = {
    "Point", "MultiPoint", "LineString", "MultiLineString", "Polygon", "MultiPolygon", "GeometryCollection", "Feature",
    "FeatureCollection",
}  # fmt: skip


def is_missing(cell: pl.Expr, field: SchemaField, missing: list[str]) -> pl.Expr:
    """Whether a cell stands for no value; blanks around it make no difference."""
    markers = missing if field.missing_values is None else field.missing_values
    return cell.fill_null("").str.strip_chars().is_in(markers)


def value(cell: pl.Expr, field: SchemaField) -> pl.Expr:
    """Read a filled cell: texts as they are, numbers as `plain` text, and temporals as such; null for anything else.

    A string is never trimmed; blanks around anything else make no difference.
    """
    text = cell.fill_null("")
    if field.type == "string":
        form = _STRINGS.get(field.format)
        return text if form is None else pl.when(text.str.contains(form)).then(text)
    if field.type == "any":
        return text
    text = text.str.strip_chars()
    if field.type in ("number", "integer"):
        return _number(text, field)
    if field.type == "boolean":
        yes, no = text.is_in(field.true_values), text.is_in(field.false_values)
        return pl.when(yes).then(pl.lit(True)).when(no).then(pl.lit(False))
    if field.type in ("date", "time", "datetime"):
        return _moment(text, field)
    return _other(text, field)


def size(read: pl.Expr, field: SchemaField) -> pl.Expr:
    """A read value to compare by, as a double."""
    return read.cast(pl.Float64, strict=False) if field.type in ("number", "integer", "year") else read.to_physical()


def whole(read: pl.Expr) -> pl.Expr:
    """A read number that is whole, with all its digits (Int128); null where it is not, or has more than 38."""
    return read.cast(pl.Int128, strict=False)


def identity(read: pl.Expr, field: SchemaField) -> pl.Expr:
    """A text that is the same for equal values."""
    if field.type == "number":
        real = read.cast(pl.Float64, strict=False) + 0.0
        digits = pl.when(real.abs() <= _MOST_EXACT, real.floor() == real).then(real.cast(pl.Int64, strict=False))
        return pl.coalesce(whole(read).cast(pl.String), digits.cast(pl.String), real.cast(pl.String))
    if field.type in ("integer", "year"):
        return pl.coalesce(whole(read).cast(pl.String), read)
    return read.cast(pl.String)


def _number(text: pl.Expr, field: SchemaField) -> pl.Expr:
    mark = _literally(field.decimal_char)
    if not field.bare_number:
        text = _without_units(text, mark)
    if field.group_char is not None:
        text = _without_groups(text, field.group_char, mark)
    if field.type == "integer":
        return pl.when(text.str.contains(_WHOLE)).then(text)
    if field.decimal_char != ".":
        # A point is no decimal mark then.
        text = pl.when(~text.str.contains(".", literal=True)).then(
            text.str.replace(field.decimal_char, ".", literal=True)
        )
    special = text.str.contains(_SPECIAL)
    plain = text.str.replace(_ZEROS, "${1}")
    return pl.when(plain.str.contains(_NUMBER) | special).then(plain.str.replace("INF", "inf", literal=True))


def _literally(character: str) -> str:
    """A character in a regular expression."""
    return f"\\x{{{ord(character):x}}}"


def _without_units(text: pl.Expr, mark: str) -> pl.Expr:
    """Take a number out of its units, with its sign: a minus before or behind them, or parentheses around them.

    Null where there is more than one sign, or where a point may belong to the number or to the unit, as in Rs.5.
    """
    parts = text.str.replace_all("\u2212", "-", literal=True).str.extract_groups(_WITH_UNITS.replace("MARK", mark))
    part = parts.struct.field
    signs = pl.sum_horizontal(part(name).is_not_null() for name in _SIGNS)
    sure = (signs <= 1) & (part("open").is_null() == part("close").is_null())
    is_point = part("front").str.contains(r"[.,]$") | (
        part("front").str.contains(r"\p{L}$") & part("body").str.contains(f"^{mark}")
    )
    sure &= (~is_point | part("second").is_not_null()) & (part("trail").is_null() | ~part("back").str.contains("[.,]"))
    is_minus = [(part(name) == "-").fill_null(value=False) for name in ("sign", "second", "trail")]
    minus = pl.when(pl.any_horizontal(*is_minus, part("open").is_not_null())).then(pl.lit("-")).otherwise(pl.lit(""))
    return pl.when(sure).then(pl.concat_str(minus, part("body")))


def _without_groups(text: pl.Expr, group: str, mark: str) -> pl.Expr:
    """Leave out what groups thousands; null where groups have other than three digits, but as in India: 12,34,567."""
    between = _literally(group)
    grouped = f"[1-9][0-9]{{0,2}}(?:{between}[0-9]{{3}})+"
    if group == ",":
        grouped += f"|[1-9][0-9]?(?:{between}[0-9]{{2}})+{between}[0-9]{{3}}"
    form = f"^[+-]?(?:{grouped})(?:{mark}[0-9]*)?(?:[eE][+-]?[0-9]+)?$"
    fits = ~text.str.contains(group, literal=True) | text.str.contains(form)
    return pl.when(fits).then(text.str.replace_all(group, "", literal=True))


def _moment(text: pl.Expr, field: SchemaField) -> pl.Expr:
    if field.format == "any":
        formats = {
            "date": _ANY_DATE,
            "time": _ANY_TIME,
            "datetime": tuple(f"{day}{gap}{time}" for day in _ANY_DATE for gap in "T " for time in _ANY_TIME),
        }[field.type]
        return pl.coalesce(*(_in_form(text, field.type, one) for one in formats))
    if field.format != "default":
        return _in_form(text, field.type, field.format)
    if field.type == "date":
        return _parsed(pl.when(text.str.contains(_DATE_TEXT)).then(text), "date", _DATE)
    if field.type == "time":
        return _parsed(pl.when(text.str.contains(_TIME_TEXT)).then(text), "time", _TIME)
    text = pl.when(text.str.contains(_MOMENT_TEXT)).then(text)
    clock = _parsed(text.str.replace(ZONE, ""), "datetime", f"{_DATE}T{_TIME}")
    zone = text.str.extract(ZONE)
    minutes = zone.str.slice(1, 2).cast(pl.Int64, strict=False) * 60 + zone.str.slice(4, 2).cast(pl.Int64, strict=False)
    ahead = pl.when(zone.str.starts_with("-")).then(-minutes).otherwise(minutes).fill_null(0)
    return clock - pl.duration(minutes=ahead, time_unit="us")


def _in_form(text: pl.Expr, kind: str, form: str) -> pl.Expr:
    """Read by a form of strftime; null where the year has fewer than four digits and the form wants all of them."""
    found = _parsed(text, kind, form)
    return found if kind == "time" else pl.when(found.dt.year() >= _FIRST_YEAR).then(found)


def _parsed(text: pl.Expr, kind: str, form: str) -> pl.Expr:
    if kind == "date":
        return text.str.to_date(form, strict=False)
    if kind == "time":
        return text.str.to_time(form, strict=False)
    return text.str.to_datetime(form, strict=False, time_unit="us", time_zone=None)


def _other(text: pl.Expr, field: SchemaField) -> pl.Expr:
    if field.type == "year":
        return pl.when(text.str.contains(r"^-?[0-9]{4}$")).then(text)
    if field.type == "yearmonth":
        full = pl.when(text.str.contains(r"^[0-9]{4}-[0-9]{2}$")).then(text + "-01")
        return full.str.to_date(_DATE, strict=False)
    if field.type == "duration":
        filled = text.str.contains(_DURATION) & text.str.contains(r"[0-9][A-Z]$")
        return pl.when(filled).then(text)
    if field.type == "geopoint" and field.format == "default":
        parts = text.str.extract_groups(r"^(-?[0-9]+(?:\.[0-9]+)?)\s*,\s*(-?[0-9]+(?:\.[0-9]+)?)$")
        east, north = (parts.struct.field(at).cast(pl.Float64, strict=False).abs() for at in ("1", "2"))
        return pl.when((east <= 180) & (north <= 90)).then(text)
    fits = _JSON[field.type if field.type != "geopoint" else f"geopoint {field.format}"]
    return text.map_batches(
        lambda cells: pl.Series(
            [one if one is not None and _is_json(one, fits) else None for one in cells], dtype=pl.String
        ),
        return_dtype=pl.String,
        is_elementwise=True,
    )


def _is_json(text: str, fits: Callable[[object], bool]) -> bool:
    try:
        return fits(json.loads(text))
    except (ValueError, RecursionError):
        return False


def _is_place(east: object, north: object) -> bool:
    numbers = all(isinstance(one, int | float) and not isinstance(one, bool) for one in (east, north))
    return numbers and abs(float(str(east))) <= 180 and abs(float(str(north))) <= 90


_JSON: dict[str, Callable[[object], bool]] = {
    "object": lambda found: isinstance(found, dict),
    "array": lambda found: isinstance(found, list),
    "geojson": lambda found: isinstance(found, dict) and found.get("type") in _GEOJSON,
    "geopoint array": lambda found: isinstance(found, list) and len(found) == 2 and _is_place(*found),
    "geopoint object": lambda found: (
        isinstance(found, dict) and {*found} == {"lon", "lat"} and _is_place(found["lon"], found["lat"])
    ),
}
