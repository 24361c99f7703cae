"""What a user may say about how a file is to be read, where the readers would decide otherwise."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class Reading(BaseModel):
    """Every field that is not given is decided from the file itself, and what was decided is written down."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    encoding: str | None = Field(default=None, max_length=40, description="such as utf-8, cp1252 or utf-16")
    delimiter: str | None = Field(default=None, min_length=1, max_length=2, description="what stands between two cells")
    quote: str | None = Field(default=None, max_length=1, description='such as ", or empty where no cell is quoted')
    escape: str | None = Field(default=None, max_length=1, description="such as \\, or empty where quotes are doubled")
    comment: str | None = Field(default=None, max_length=2, description="what a line begins with that is no row")
    header: Literal["auto", "none"] = Field(default="auto", description="none where the first line is a row already")
    header_line: int | None = Field(default=None, ge=1, description="the header's line; 1 is the file's first")
    decimal: Literal[".", ","] | None = Field(default=None, description="the decimal mark")
    thousands: Literal[".", ",", " ", "'"] | None = Field(default=None, description="what groups thousands")
    date_order: Literal["day_first", "month_first", "year_first"] | None = Field(
        default=None, description="how 01/02/03 is meant"
    )
    sheet: str | None = Field(default=None, max_length=100, description="the sheet of a workbook, by its name")
