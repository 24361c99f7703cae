"""Workbooks: XLSX, XLSB, XLS and ODS."""
