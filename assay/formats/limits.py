"""How much of a file the readers take, and why no more; docs/decisions/hostile-input.md has the figures in a table.

Every one of them is looked at before the memory or the time that it bounds is spent.
"""

from __future__ import annotations

MIB = 1 << 20

# Text. The table is told by the first 100,000 lines of the first MiB. No line or quoted record may be longer than a
# MiB: an engine holds whole lines.
HEAD_BYTES = MIB
HEAD_LINES = 100_000
MAX_LINE_BYTES = MIB
# A line of more cells is no header; a table of more columns is turned on its side, or has lost its line ends.
MAX_COLUMNS = 10_000
# Blank cells cost as much memory as filled ones: 20 bytes each, for as much of the file as is in work at a time. A file
# of few bytes may so stand for a table that no machine holds. Up to 50 million cells are fine in any case; beyond
# that two for each byte, and a table with its delimiters in place has at most one.
MAX_CELLS = 50_000_000
MAX_CELLS_A_BYTE = 2
# Where quotes don't close, the lines they swallowed are read again. Stray quotes make that about once for each line;
# without a bound a file of such lines would be read as many times as it has lines.
REREAD_FREE = 16 * MIB
REREAD_TIMES = 4

# Workbooks. They come packed a thousand times smaller than they are, and are held in memory as one grid a sheet.
MAX_MEMBERS = 10_000
MAX_DIRECTORY_BYTES = 4 * MIB
MAX_SHEETS = 1_000
# What the XML of the workbook unpacks to, altogether: 15 million cells take two thirds of it.
MAX_UNPACKED_BYTES = 1 << 30
# Real workbooks are packed 5 to 20 times; Apache POI draws the line at 100 too. Below 64 MiB it makes no difference.
MAX_RATIO = 100
RATIO_FREE_BYTES = 64 * MIB
# From A1 to the last row and the last column that hold something, all sheets together: 135 bytes of memory a cell,
# which is 2.0 GiB for as many, and the worker's child has 2.4.
MAX_WORKBOOK_CELLS = 15_000_000
# Excel's own bound is 32,767 characters a cell.
MAX_CELL_BYTES = MIB
# The texts that cells share, and what they come to once every cell has its own.
MAX_SHARED_BYTES = 128 * MIB
MAX_TEXT_BYTES = 512 * MIB

# Archives, unpacked to disk. A file that is unpacked may be as large as one that is not, which is also what the child
# may write; gzip packs at most 1,032 times, and a table that people have 3 to 50 times.
MAX_ARCHIVE_BYTES = 5 << 30
MAX_ARCHIVE_RATIO = 250
# What a Zstandard frame may ask for: the window of `zstd --long`.
MAX_WINDOW_BYTES = 128 * MIB

# JSON. A record is held whole, as Python's objects: up to 30 times its size.
MAX_RECORD_CHARACTERS = MIB
MAX_JSON_TABLES = 100

# Parquet. Its footer is parsed, and a page is held whole, as is what a row group's columns come to.
MAX_FOOTER_BYTES = 16 * MIB
MAX_PAGE_BYTES = 128 * MIB
MAX_GROUP_CELLS = 50_000_000
MAX_GROUP_BYTES = 1 << 30

# XLS. Its stream of records is held whole here and by the reader; Excel itself wrote no more than 65,536 rows.
MAX_COMPOUND_ENTRIES = 10_000
MAX_XLS_BYTES = 256 * MIB
# The readers of XLS, XLSB and ODS hold a sheet's cells twice, and their formulas besides.
MAX_OTHER_CELLS = 5_000_000
