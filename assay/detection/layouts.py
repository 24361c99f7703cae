"""A layout: the header that one program or service writes, and what its columns are."""

from __future__ import annotations

from collections.abc import Collection
from functools import cached_property

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from assay.detection.names import fold_all


class Layout(BaseModel):
    """What is known of the files that one program writes.

    A file is of the layout where its header has all of `headers`, in any order, whatever their case and punctuation.
    Where a list stands in place of a header, one of its names is enough.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(pattern="^[a-z][a-z0-9_]*$", description="the name of the file that it stands in")
    title: str = Field(min_length=1, max_length=60, description="what people call such a file")
    source: str = Field(pattern="^https://", description="the public documentation that it is from")
    note: str = Field(default="", max_length=300, description="what a reader of the results should know")
    headers: tuple[str | tuple[str, ...], ...] = Field(
        min_length=2, description="names of columns that together no other file has"
    )
    columns: dict[str, str | tuple[str, ...] | None] = Field(
        description="the column of each role; null where no column has it. One that a file lacks is passed over"
    )
    parameters: dict[str, JsonValue] = Field(
        default_factory=dict, description="parameters of the pipeline, where the user does not give them"
    )

    @cached_property
    def _folded(self) -> tuple[frozenset[str], ...]:
        return tuple(frozenset(fold_all(name) for name in names_of(one)) for one in self.headers)

    def matches(self, folded: Collection[str]) -> bool:
        """Whether a header, whose names are folded, is of this layout."""
        return all(any(name in folded for name in names) for names in self._folded)


def names_of(header: str | tuple[str, ...]) -> tuple[str, ...]:
    """Return the names that a column of a layout may have."""
    return (header,) if isinstance(header, str) else header
