"""Parquet."""

from assay.contract import Source
from assay.formats.head import control_characters
from assay.formats.parquet.table import open_table, preview
from assay.formats.registry import Format

_MAGIC = b"PAR1"


def _kind_of(_source: Source, head: bytes) -> str | None:
    # A table of text may begin with these letters; a Parquet file has control characters.
    return "parquet" if head.startswith(_MAGIC) and control_characters(head) else None


FORMAT = Format(
    rank=3,
    is_text=False,
    extensions=frozenset({".parquet"}),
    claims=_kind_of,
    preview=preview,
    open_table=open_table,
)
