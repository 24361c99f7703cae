"""Which type each column has: a guess from the first rows, which all rows then have to bear out."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import polars as pl

from assay.formats.currencies import CURRENCY
from assay.formats.date_forms import MONTH
from assay.formats.table import Table
from assay.reading import Reading
from assay.types import dates, numbers
from assay.types.candidates import (
    MOSTLY,
    NEARLY_ALL,
    Found,
    Hints,
    Surveyed,
    candidates,
    has_both,
    hints_of,
    in_words,
    why_text,
)
from assay.types.dates import DateOrder
from assay.types.guess import guess
from assay.types.kinds import (
    MARKERS,
    NULL,
    SENTINELS,
    TRUE_FALSE,
    ColumnType,
    Kind,
    blank_or,
    read_as,
    written_sentinels,
)
from assay.types.no_value import sentinels_in

_GUESS_ROWS = 500
# So many columns are looked at in one pass: a pass has some twenty expressions for each.
_COLUMNS_A_PASS = 256
_WORDS = "|".join(re.escape(word) for word in sorted({*MARKERS, *(word for pair in TRUE_FALSE for word in pair)}))
# Whatever is a value of any kind but text matches; most texts do not, and are passed over at their first letter.
_SIGN = r"[\s.,:;/'\u2019+\-\u2212\u2013\u2014()%]"
_OF_DATES = r"(?:del?|of|er|st|nd|rd|th)\b|[º°ª年月日時时点分秒년월일시분초]"
_TOKEN = rf"(?:[0-9]+[TZE]?|{_SIGN}|[AP]\.?M\.?|UTC|GMT|{MONTH}|{_OF_DATES}|(?-i:{CURRENCY}))"
_MAY_BE_VALUE = rf"^(?i:\s*(?:{_WORDS})\s*|{_TOKEN}*[0-9]{_TOKEN}*)$"
_DAYS = ((19000101, 21001231), (19000101000000, 21001231235959))
_TIME = r"^[0-9]{1,2}:[0-5][0-9]"


def infer_types(table: Table, reading: Reading) -> tuple[ColumnType, ...]:
    """Tell the type of each column from all its rows; their order makes no difference.

    A column is of a kind where at least 95 % of its filled cells are, and else text. What `reading` gives decides over
    what is found: the marks of numbers, the order of dates.
    """
    names = [str(at) for at in range(len(table.columns))]
    head = table.frame.select(names).head(_GUESS_ROWS).collect(engine="streaming")
    columns = [Surveyed(name, *guess(head[name])) for name in names]
    for one in columns:
        if reading.missing_values is None and one.guess in (Kind.DATE, Kind.DATETIME, Kind.TIME):
            one.missing = written_sentinels(SENTINELS)
    for some in _batches(columns):
        _settle_plain(table.frame, some, reading)
    _settle(table.frame, columns, reading)
    _settle_doubts(table.frame, columns, reading)
    if reading.decimal is None and reading.thousands is None and _has_commas_for_decimals(table, columns):
        _doubt_points(table.frame, columns)
    return tuple(one.type or _text(one, "") for one in columns)


def _batches(columns: Sequence[Surveyed]) -> Iterable[Sequence[Surveyed]]:
    for start in range(0, len(columns), _COLUMNS_A_PASS):
        yield columns[start : start + _COLUMNS_A_PASS]


def _settle_plain(frame: pl.LazyFrame, columns: Sequence[Surveyed], reading: Reading) -> None:
    """Settle the columns of which every cell is as a cast reads it, and those that are text beyond doubt."""
    wanted = {f"{one.name} {key}": value for one in columns for key, value in _plain_survey(one).items()}
    row = frame.select(pl.len().alias("rows"), **wanted).collect(engine="streaming").row(0, named=True)
    split = _split(row)
    for one in columns:
        found = split[one.name]
        one.rows = row["rows"]
        one.filled = found.get("filled", found["given"] - found.get("empty", 0))
        if reading.missing_values is None and found.get("lowest") in SENTINELS:
            one.missing = written_sentinels(sentinels_in(frame, one.name))
        one.type = _plain_type(one, found, reading)


def _plain_survey(one: Surveyed) -> dict[str, pl.Expr]:
    text = pl.col(one.name)
    size = text.str.len_bytes()
    found = {"given": text.count(), "empty": (size == 0).sum()}
    if one.guess in (Kind.INTEGER, Kind.NUMBER):
        whole, real = text.cast(pl.Int64, strict=False), text.cast(pl.Float64, strict=False)
        found["real"] = real.is_finite().sum()
        found["lowest"] = real.min()
        found["dot"] = text.str.contains(".", literal=True).any()
        if one.guess is Kind.INTEGER:
            zeros = text.str.starts_with("0") & (size > 1) | text.str.starts_with("-0") & (size > 2)
            found["odd"] = (zeros | text.str.starts_with("+")).any()
            found |= {"whole": whole.count(), "min": whole.min(), "max": whole.max()}
    elif one.guess is Kind.DATE:
        found["days"] = ((size == 10) & text.str.to_date("%Y-%m-%d", strict=False).is_not_null()).sum()
    elif one.guess is Kind.DATETIME:
        moment = text.str.to_datetime("%Y-%m-%d %H:%M:%S", strict=False, time_unit="us")
        # A second 60 is read as the next minute's first.
        found["moments"] = ((size == 19) & moment.is_not_null() & ~text.str.ends_with("60")).sum()
        found["midnight"] = text.str.ends_with(" 00:00:00").all()
    elif one.guess is Kind.BOOLEAN and one.pair:
        word = text.str.to_lowercase()
        found |= {"yes": (word == one.pair[0]).sum(), "no": (word == one.pair[1]).sum()}
    else:
        filled = ~text.str.strip_chars().is_in(["", NULL])
        found |= {"filled": filled.sum(), "text": (filled & ~text.str.contains(_MAY_BE_VALUE)).sum()}
    return found


def _plain_type(  # noqa: PLR0911 - one for each kind
    one: Surveyed, found: Found, reading: Reading
) -> ColumnType | None:
    blank = one.rows - one.filled

    def plain(kind: Kind, note: str, order: DateOrder | None = None) -> ColumnType:
        return ColumnType(kind, blank, one.filled, 0, dates=order, note=note, plain=True)

    if not one.filled:
        return plain(Kind.EMPTY, "no cell is filled")
    if one.missing and "real" in found:
        return None
    dotted = reading.decimal in (None, ".") and reading.thousands != "."
    if one.guess is Kind.INTEGER and found["whole"] == one.filled and not found["odd"]:
        low, high = found["min"], found["max"]
        if not any(first <= low and high <= last for first, last in _DAYS):
            return plain(Kind.INTEGER, "whole numbers")
    elif found.get("real") == one.filled and found["dot"] and dotted:
        return plain(Kind.NUMBER, "numbers with a decimal point")
    elif found.get("days") == one.filled:
        return plain(Kind.DATE, "dates as YYYY-MM-DD", DateOrder(("iso",), day_first=False, decided=None))
    elif found.get("moments") == one.filled and not found["midnight"]:
        order = DateOrder(("plain",), day_first=False, decided=None)
        return plain(Kind.DATETIME, "dates and times as YYYY-MM-DD HH:MM:SS", order)
    elif one.pair and found["yes"] + found["no"] == one.filled and has_both(one.pair, found["yes"], found["no"]):
        return replace(plain(Kind.BOOLEAN, in_words(one.pair)), plain=False)
    elif found.get("text", 0) > (1 - NEARLY_ALL) * one.filled:
        return _text(one, "words")
    return None


def _text(one: Surveyed, note: str) -> ColumnType:
    return ColumnType(Kind.TEXT, one.rows - one.filled, one.filled, 0, note=note, plain=True)


def _settle(frame: pl.LazyFrame, columns: Sequence[Surveyed], reading: Reading) -> None:
    """Settle the other columns: count the forms that their cells have, decide on one, and count what it reads.

    First those of which the guess comes true; for what is left, every kind is tried.
    """
    for families in (_FAMILIES, dict.fromkeys(Kind, _ALL)):
        left = [one for one in columns if one.type is None]
        for some in _batches(left):
            _survey(frame, some, families)
            _try(frame, {one.name: (one, candidates(one, reading, Hints())) for one in some})
    for one in columns:
        if one.type is None:
            one.type = _text(one, why_text(one, reading))


def _settle_doubts(frame: pl.LazyFrame, columns: Sequence[Surveyed], reading: Reading) -> None:
    """Decide anew on columns that can be read in two ways, by those of the file that can be read in one way alone."""
    hints = hints_of(columns)
    if hints.decimal == ",":
        points = [one for one in columns if one.type and one.type.kind is Kind.NUMBER and one.found is None]
        for some in _batches(points):
            _survey(frame, some, _FAMILIES)
    doubtful: dict[str, tuple[Surveyed, list[ColumnType]]] = {}
    for one in columns:
        if one.found is None or one.type is None or one.type.kind in (Kind.TEXT, Kind.EMPTY):
            continue
        found = [each for each in candidates(one, reading, hints) if _family(each.kind) == _family(one.type.kind)]
        if found and _written(found[0]) != _written(one.type):
            doubtful[one.name] = (one, found[:1])
    if doubtful:
        _try(frame, doubtful)


def _has_commas_for_decimals(table: Table, columns: Sequence[Surveyed]) -> bool:
    """Whether the file looks as if it came from where 1.100 is eleven hundred: by semicolons, or days such as 31.1."""
    dates_of = [one.type.dates for one in columns if one.type is not None and one.type.dates is not None]
    dotted = any({"dotted", "short_dotted"} & {*order.families} for order in dates_of)
    return dotted or table.facts.get("delimiter") == "semicolon"


def _doubt_points(frame: pl.LazyFrame, columns: Sequence[Surveyed]) -> None:
    """Mark the columns whose points were taken for decimals and may group thousands."""
    points = [one for one in columns if one.type and one.type.kind is Kind.NUMBER and one.type.decimal == "."]
    for some in _batches([one for one in points if one.type and not one.type.thousands]):
        looks = {
            one.name: numbers.may_group(blank_or(pl.col(one.name), markers=True, missing=one.missing)) for one in some
        }
        found = frame.select(**looks).collect(engine="streaming").row(0, named=True)
        for one in some:
            if one.type and found[one.name]:
                note = f"{one.type.note}; the points may group thousands" if one.type.note else ""
                one.type = replace(one.type, maybe_thousands=True, note=note or "the points may group thousands")


_NUMBERS, _DATES, _TIMES, _FLAGS = range(4)
_ALL = {_NUMBERS, _DATES, _TIMES, _FLAGS}
_FAMILIES = {
    Kind.INTEGER: {_NUMBERS, _DATES},  # 20240131 is both
    Kind.NUMBER: {_NUMBERS},
    Kind.DATE: {_DATES},
    Kind.DATETIME: {_DATES},
    Kind.TIME: {_TIMES},
    Kind.BOOLEAN: {_FLAGS},
    Kind.TEXT: _ALL,
    Kind.EMPTY: _ALL,
}


def _family(kind: Kind) -> set[int]:
    return _FAMILIES[Kind.NUMBER if kind is Kind.INTEGER else kind]


def _written(one: ColumnType) -> tuple[str, str, DateOrder | None]:
    return one.decimal, one.thousands, one.dates


def _survey(frame: pl.LazyFrame, columns: Sequence[Surveyed], families: Mapping[Kind, set[int]]) -> None:
    """Look at every cell of some columns for the forms that its guess has."""
    names = [one.name for one in columns]
    frame = frame.select(
        *(pl.col(name).str.strip_chars().alias(name) for name in names),
        *(blank_or(pl.col(one.name), markers=True, missing=one.missing).alias(f"{one.name} value") for one in columns),
    )
    wanted: dict[str, pl.Expr] = {}
    parts = []
    for one in columns:
        value, looked = pl.col(f"{one.name} value"), families[one.guess]
        found = {"filled": (pl.col(one.name) != "").sum(), "values": value.count()}
        if _NUMBERS in looked:
            parts.append(numbers.groups(numbers.odd(value)).alias(f"{one.name} parts"))
            found |= numbers.survey(pl.col(f"{one.name} parts"), value)
        if _DATES in looked:
            found |= dates.survey(value)
        if _TIMES in looked:
            found["times"] = value.str.contains(_TIME).sum()
        if _FLAGS in looked:
            word = value.str.to_lowercase()
            flags = [
                (f"flag_{at}_{side}", flag) for at, pair in enumerate(TRUE_FALSE) for side, flag in enumerate(pair)
            ]
            found |= {key: (word == flag).sum() for key, flag in flags}
        wanted |= {f"{one.name} {key}": expression for key, expression in found.items()}
    row = frame.with_columns(parts).select(**wanted).collect(engine="streaming").row(0, named=True)
    split = _split(row)
    for one in columns:
        one.found = split[one.name]
        one.filled = one.found["filled"]
        one.markers = one.filled - one.found["values"]
        _look_again(frame, one, one.found)


def _look_again(frame: pl.LazyFrame, one: Surveyed, found: Found) -> None:
    """Count what differs, where a column has any of it: aggregates of different values would hold the whole column."""
    value = pl.col(f"{one.name} value")
    if "number_has_unit" in found:
        units = (
            frame.select(unit=numbers.unit_of(numbers.groups(numbers.odd(value)))).drop_nulls().group_by("unit").len()
        )
        found["number_units"] = sorted(units.collect(engine="streaming")["unit"]) if found["number_has_unit"] else []
    if found.get("date_may_be_year"):
        first, _, last = dates.short_parts(value)
        pairs = frame.select(first=first, last=last).group_by("first", "last").len().collect(engine="streaming")
        found["date_may_be_year"] = pairs["first"].n_unique() < pairs["last"].n_unique()


def _split(row: Found) -> dict[str, Found]:
    """Part what was found by columns."""
    found: dict[str, Found] = {}
    for key, value in row.items():
        name, _, what = key.partition(" ")
        found.setdefault(name, {})[what] = value
    return found


def _try(frame: pl.LazyFrame, candidates: Mapping[str, tuple[Surveyed, list[ColumnType]]]) -> None:
    """Read columns as the types that are tried, one after another, until nearly all cells can be."""
    for turn in range(max((len(types) for _, types in candidates.values()), default=0)):
        tried = {
            name: (column, types[turn])
            for name, (column, types) in candidates.items()
            if turn < len(types) and (turn == 0 or column.type is None)
        }
        if tried:
            _count(frame, tried)


def _count(frame: pl.LazyFrame, tried: Mapping[str, tuple[Surveyed, ColumnType]]) -> None:
    types = {name: one for name, (_, one) in tried.items()}
    wanted: dict[str, pl.Expr] = {}
    for name, one in types.items():
        wanted[f"{name} read"] = pl.col(name).count()
        if one.kind is Kind.DATETIME:
            wanted[f"{name} days"] = (pl.col(name).dt.time() == pl.time(0, 0, 0)).all()
    found = _split(read_as(frame.select(*types), types).select(**wanted).collect(engine="streaming").row(0, named=True))
    for name, (column, one) in tried.items():
        count = found[name]["read"]
        if one.kind is Kind.EMPTY:
            column.type = one
        elif count and count >= _least(one) * one.filled:
            days = one.kind is Kind.DATETIME and found[name]["days"] and not (one.dates and one.dates.zoned)
            column.type = replace(one, kind=Kind.DATE if days else one.kind, refused=one.filled - count)


def _least(one: ColumnType) -> float:
    """The share of a column's filled cells that must be of the kind that is tried."""
    if one.dates and one.dates.families == ("compact",):
        # Whole numbers may look like compact dates by chance.
        return 1.0
    # Of what kind the other cells are was looked at before.
    return MOSTLY if one.kind in (Kind.INTEGER, Kind.NUMBER) else NEARLY_ALL
