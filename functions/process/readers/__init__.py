"""Bytes to tables: CSV and its kin, and XLSX, recognised from the content."""

from functions.process.readers.table import Preview, Scorer, Table, open_table, preview

__all__ = ["Preview", "Scorer", "Table", "open_table", "preview"]
