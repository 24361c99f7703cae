"""Options that override how a file is read."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class Reading(BaseModel):
    """Omitted fields are detected from the file. The outputs record what was used."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    encoding: str | None = Field(default=None, max_length=40, description="such as utf-8, cp1252 or utf-16")
    delimiter: str | None = Field(default=None, min_length=1, max_length=2, description="the separator of cells")
    quote: str | None = Field(default=None, max_length=1, description='such as ", or empty if no cell is quoted')
    escape: str | None = Field(default=None, max_length=1, description="such as \\, or empty if quotes are doubled")
    comment: str | None = Field(default=None, max_length=2, description="the start of a comment line")
    header: Literal["auto", "none"] = Field(default="auto", description="none if the file has no header")
    header_line: int | None = Field(
        default=None, ge=1, description="the line number of the header; 1 is the first line"
    )
    decimal: Literal[".", ","] | None = Field(default=None, description="the decimal mark: . or ,")
    thousands: Literal[".", ",", " ", "'"] | None = Field(
        default=None, description="the thousands separator: . or , or ' or a blank"
    )
    date_order: Literal["day_first", "month_first", "year_first"] | None = Field(
        default=None, description="the order in dates such as 01/02/03: day_first, month_first or year_first"
    )
    missing_values: tuple[str, ...] | None = Field(
        default=None,
        max_length=100,
        description="cells without a value, besides NA, null, - and similar; if given, -999 is a number unless named",
    )
    sheet: str | None = Field(default=None, max_length=100, description="the name of a workbook's sheet")
