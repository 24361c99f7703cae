"""How much one file of transactions may make, and why no more."""

from __future__ import annotations

# A hundred years; more comes of dates that are not what they seem.
MAX_MONTHS = 1_200
# There are fewer currencies in the world; more means that the column holds something else.
MAX_CURRENCIES = 200
# Values of one dimension and currency in breakdown.xlsx, those with the largest amounts.
MAX_LISTED = 2_000
# Rows of reconciliation.csv: beyond these the columns simply do not belong together.
MAX_BREAKS = 1_000_000
# Row numbers listed in kpis.json for each thing found.
ROWS_LISTED = 1_000
# The longest text in a cell of a sheet; Excel's own bound is 32,767, and xlsxwriter leaves out what is longer.
MAX_CELL = 1_000
