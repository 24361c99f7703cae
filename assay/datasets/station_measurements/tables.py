"""The wide tables: a station's dates down, its parameter codes across, as CSV and as XLSX."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from assay.contract import Outputs
from assay.datasets.station_measurements.limits import MAX_DATES
from assay.errors import Unprocessable
from assay.write.spreadsheet_text import guarded
from assay.write.workbook import MEDIA_TYPE, new_workbook, write_date, write_exact

_UNFIT = re.compile(r"[^A-Za-z0-9._-]")
_STEM = 80
# Windows takes these for devices, whatever comes after a point.
_DEVICE = re.compile(r"(?i:con|prn|aux|nul|com[0-9]|lpt[0-9])\.")


@dataclass(frozen=True)
class Wide:
    """One station's table: dates ascending, and one column of values for each of `codes`, null where none was measured.

    The columns of `values` are named by their position.
    """

    station: str
    codes: tuple[str, ...]
    dates: pl.Series
    values: pl.DataFrame


def natural_key(text: str) -> tuple[list[str | tuple[int, str]], str]:
    """Sort key: numbers within a text by their size, letters in any case; `Data 2` before `Data 10`."""
    parts = re.split(r"([0-9]+)", text.casefold())
    numbers = [part.lstrip("0") for part in parts[1::2]]
    mixed: list[str | tuple[int, str]] = list(parts)
    mixed[1::2] = [(len(number), number) for number in numbers]
    return mixed, text


def stems(stations: Sequence[str]) -> dict[str, str]:
    """Give each station the beginning of its file names.

    Characters other than ASCII letters, digits, `.`, `_` and `-` become `_`; a name that was changed, or that another
    station has too in any case, gets a `-` and 8 digits of the station's SHA-256, so that it is its own. Where it would
    be hidden, or a device, an `x` comes in front.
    """
    plain = {station: _UNFIT.sub("_", station)[:_STEM] for station in stations}
    folded = Counter(stem.casefold() for stem in plain.values())
    return {
        station: stem
        if stem == station and _is_plain(stem) and folded[stem.casefold()] == 1
        else f"{'' if _is_plain(stem) else 'x'}{stem}-{hashlib.sha256(station.encode()).hexdigest()[:8]}"
        for station, stem in plain.items()
    }


def _is_plain(stem: str) -> bool:
    return stem[0].isalnum() and _DEVICE.match(stem) is None


def wide_tables(values: pl.DataFrame, template: Sequence[str] | None) -> Iterator[Wide]:
    """Turn aggregated values (station, date, pcode, value; sorted) into a table a station, in natural order.

    The columns are the station's own codes in natural order, or those of the template in its order.
    """
    parts = values.partition_by("station", as_dict=True, maintain_order=True)
    for station in sorted((str(key[0]) for key in parts), key=natural_key):
        part = parts[(station,)]
        codes = tuple(template or sorted(part["pcode"].unique(), key=natural_key))
        places = {code: str(index) for index, code in enumerate(codes)}
        kept = part.with_columns(pl.col("pcode").replace_strict(places, default=None, return_dtype=pl.String))
        dates = part.select(pl.col("date").unique().sort())
        across = kept.drop_nulls("pcode").pivot(on="pcode", index="date", values="value")
        table = dates.join(across, on="date", how="left", maintain_order="left")
        kind = values.schema["value"]
        columns = [pl.col(at) if at in table.columns else pl.lit(None, kind).alias(at) for at in places.values()]
        # with_columns first: literals alone would be one row, whatever the number of dates.
        yield Wide(station, codes, table["date"], table.with_columns(columns).select(places.values()))


def table_paths(stem: str, outputs: Outputs) -> tuple[Path, Path]:
    """Register `{stem}_Analysis.csv` and `.xlsx`, and return where to write them."""
    return outputs.new(f"{stem}_Analysis.csv", "text/csv"), outputs.new(f"{stem}_Analysis.xlsx", MEDIA_TYPE)


def write_tables(wide: Wide, as_csv: Path, as_xlsx: Path) -> None:
    """Write one station's table. Raises Unprocessable where it doesn't fit a sheet."""
    _write_csv(wide, as_csv)
    _write_xlsx(wide, as_xlsx)


def _write_csv(wide: Wide, path: Path) -> None:
    names = pl.DataFrame({"name": ["Station", "Dates", *wide.codes]}).select(guarded(pl.col("name")))
    table = wide.values.select(
        guarded(pl.lit(wide.station)).alias("Station"), wide.dates.cast(pl.String).alias("Dates"), pl.all()
    )
    with path.open("wb") as file:
        names.transpose().write_csv(file, include_header=False)
        table.write_csv(file, include_header=False)


def _write_xlsx(wide: Wide, path: Path) -> None:
    if wide.dates.len() > MAX_DATES:
        raise Unprocessable(
            "too_many_dates",
            f"{wide.station} has {wide.dates.len():,} dates; a sheet holds {MAX_DATES:,}.",
            "Split the file by years.",
        )
    with new_workbook(path) as book:
        sheet = book.add_worksheet("Analysis")
        bold, day = book.add_format({"bold": True}), book.add_format({"num_format": "yyyy-mm-dd"})
        sheet.freeze_panes(1, 2)
        sheet.set_column(0, 1, 12)
        sheet.autofilter(0, 0, wide.dates.len(), len(wide.codes) + 1)
        for column, name in enumerate(("Station", "Dates", *wide.codes)):
            sheet.write_string(0, column, name, bold)
        cells = zip(wide.dates.to_list(), wide.values.iter_rows(), strict=True)
        for row, (when, values) in enumerate(cells, start=1):
            sheet.write_string(row, 0, wide.station)
            write_date(sheet, row, 1, when, day)
            for column, value in enumerate(values, start=2):
                if value is not None:
                    write_exact(sheet, row, column, value)
