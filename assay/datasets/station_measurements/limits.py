"""Limits of one file of station measurements. docs/datasets.md and docs/decisions/hostile-input.md have the figures."""

from __future__ import annotations

# Each station makes two files and a chart, each parameter code a column: beyond these the columns are mixed up.
MAX_STATIONS = 1_000
MAX_CODES = 2_000
# Of a station or a code: a file name is as long. A longer one comes of a quote that is not closed.
MAX_NAME = 255
# Blank ones too, since they are written as well. A minute and a half of work, most of it for the XLSX.
MAX_TABLE_CELLS = 10_000_000
# Excel's own bound, without the header.
MAX_DATES = 1_048_575
