"""Bytes to tables: CSV and its kin, and XLSX, recognised from the content."""

from assay.formats.table import Preview, Scorer, Table, open_table, preview

__all__ = ["Preview", "Scorer", "Table", "open_table", "preview"]
