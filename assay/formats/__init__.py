"""Bytes to tables, recognised from the content. Each folder below is a format."""

from assay.formats.table import Preview, Scorer, Table, open_table, preview

__all__ = ["Preview", "Scorer", "Table", "open_table", "preview"]
