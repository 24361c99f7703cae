"""How much of a table is profiled exactly, and how much is shown; docs/decisions/profile.md says why."""

from __future__ import annotations

# A column's values are held in memory once, and so are its distinct ones: 5 million different texts are 250 MB, as
# many numbers 80. Columns of more rows are looked at first, and counted exactly where few of the values differ.
EXACT_TEXT_ROWS = 8_000_000
EXACT_NUMBER_ROWS = 30_000_000
MAX_DISTINCT = 4_000_000
# Of a column beyond these so many rows are taken, spread evenly.
SAMPLE_ROWS = 2_000_000

# Cells that are read at a time where columns are many and short.
BLOCK_CELLS = 4_000_000

# Pearson's correlation is exact at any size. Ranks and cross tables cost as much for each pair of columns as a column
# costs to profile: beyond so many rows these are taken from as many, spread evenly.
RELATION_ROWS = 500_000
# The columns of each kind that are compared with one another: 40 make 780 pairs.
MAX_RELATED = 40
# A text of more values is no category to compare by.
MAX_CATEGORIES = 50

TOP_VALUES = 10
BINS = 20
# Patterns of whole cells are looked for in so many of the different values, the most frequent first.
LOOKED_AT = 10_000
# Text of more different values is not looked through for different spellings of one.
MAX_SPELLINGS = 200_000
LISTED_REFUSED = 1_000

# Of a dashboard: beyond it the page would be larger than anybody reads.
SHOWN_CHARTS = 40
# Characters of a value that are shown.
SHOWN_CHARACTERS = 80
