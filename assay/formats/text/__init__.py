"""Delimited text: CSV and its relatives."""

from assay.contract import Source
from assay.formats.registry import Format
from assay.formats.text.table import open_table, preview
from assay.formats.text.verbatim import verbatim


def _kind_of(_source: Source, _head: bytes) -> str:
    # Asked last: whatever else is text is read as delimited text.
    return "text"


FORMAT = Format(
    rank=9,
    is_text=True,
    extensions=frozenset({".csv", ".tsv", ".txt", ".tab"}),
    claims=_kind_of,
    preview=preview,
    open_table=open_table,
    verbatim=verbatim,
)
