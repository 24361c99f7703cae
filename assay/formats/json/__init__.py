"""JSON and NDJSON."""

from assay.formats.json.recognise import kind_of
from assay.formats.json.table import open_table, preview
from assay.formats.registry import Format

FORMAT = Format(
    rank=1,
    is_text=True,
    extensions=frozenset({".json", ".ndjson", ".jsonl"}),
    claims=kind_of,
    preview=preview,
    open_table=open_table,
)
