"""What goes over the wire about the columns that an owner confirmed, and that are remembered."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from pydantic import ConfigDict, Field

from shared.wire.model import Model
from shared.wire.parameters import Columns


class ColumnsRequest(Model):
    """`PATCH /columns/{choice_id}`: which column plays which part."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    columns: Columns = Field(
        min_length=1, description="the header of each role; null where there is none", examples=[{"revenue": "Gross"}]
    )


class RememberedColumns(Model):
    """The columns that the owner confirmed for files of one type with one header."""

    choice_id: UUID = Field(description="the choice's id")
    dataset_type: str = Field(description="the type of the files")
    header_sha256: str = Field(description="stands for the header; a job's detection has it, too")
    columns: Columns = Field(description="the header of each role; null where there is none")
    filename: str = Field(description="the last file with this header for which they were confirmed")
    chosen_by: UUID = Field(description="the user who confirmed them")
    chosen_at: datetime = Field(description="when")


class RememberedColumnsList(Model):
    """An owner's remembered columns, oldest first."""

    columns: list[RememberedColumns] = Field(description="oldest first; 100 at most")
