"""Workbooks: XLSX, XLSB, XLS and ODS."""

from assay.formats.registry import Format
from assay.formats.workbook.recognise import EXTENSIONS, kind_of
from assay.formats.workbook.table import open_table, preview

FORMAT = Format(rank=1, is_text=False, extensions=EXTENSIONS, claims=kind_of, preview=preview, open_table=open_table)
