"""`assay read`, which needs no stack and no database."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from pydantic import ValidationError
from typer.models import OptionInfo

from assay.cli.commands.options import AsJson, Column, File
from assay.cli.terminal.arguments import columns_of
from assay.cli.terminal.installed import require_engine
from assay.cli.terminal.reporting import reported
from assay.errors import in_words
from assay.reading import Reading


def _help(field: str) -> str:
    return Reading.model_fields[field].description or ""


def _option(field: str) -> OptionInfo:
    option: OptionInfo = typer.Option(help=f"{_help(field)}; detected if omitted.", show_default=False)
    return option


def read(
    file: File,
    out: Annotated[Path | None, typer.Option(dir_okay=False, help="CSV file to write the table to.")] = None,
    column: Column = None,
    as_json: AsJson = False,
    encoding: Annotated[str | None, _option("encoding")] = None,
    delimiter: Annotated[str | None, _option("delimiter")] = None,
    quote: Annotated[str | None, _option("quote")] = None,
    escape: Annotated[str | None, _option("escape")] = None,
    comment: Annotated[str | None, _option("comment")] = None,
    header: Annotated[str, _option("header")] = "auto",
    header_line: Annotated[int | None, _option("header_line")] = None,
    decimal: Annotated[str | None, _option("decimal")] = None,
    thousands: Annotated[str | None, _option("thousands")] = None,
    date_order: Annotated[str | None, _option("date_order")] = None,
    sheet: Annotated[str | None, _option("sheet")] = None,
    missing_values: Annotated[list[str] | None, _option("missing_values")] = None,
) -> None:
    """Show how Assay reads a file and its columns, and write its table as clean CSV. Needs no stack and no database."""
    options = {
        "encoding": encoding, "delimiter": delimiter, "quote": quote, "escape": escape, "comment": comment,
        "header": header, "header_line": header_line, "decimal": decimal, "thousands": thousands,
        "date_order": date_order, "sheet": sheet, "missing_values": missing_values,
    }  # fmt: skip
    if options["delimiter"] == "\\t":
        options["delimiter"] = "\t"
    try:
        reading = Reading.model_validate(options)
    except ValidationError as error:
        wrong = in_words(error, place=lambda field: f"--{field.replace('_', '-')}")
        raise typer.BadParameter(f"{wrong}.") from None
    with reported(as_json=as_json):
        require_engine()
    from assay.cli.offline import read as reader

    reader.run(file, out, reading, columns_of(column or []), as_json=as_json)
