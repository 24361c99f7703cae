"""`make real-files`: docs/real-files.md, what becomes of the kinds of files that people have."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from tests.real_files import PAGE
from tests.real_files.verdicts import CASES, page, verdict_of

if __name__ == "__main__":
    for case in CASES:
        verdict, why = verdict_of(case)
        if verdict == "wrong":
            print(f"{verdict}: {case.kind}, {case.filename}: {why}")  # noqa: T201
    Path(PAGE).write_text(page(), encoding="utf-8")
    print(Counter(verdict_of(case)[0] for case in CASES))  # noqa: T201
