"""All the cases, what becomes of each, and the page that says so."""

from __future__ import annotations

from collections import Counter, defaultdict

from tests.real_files import meanings, text_files, workbooks
from tests.real_files.case import Case, Verdict
from tests.real_files.meanings import Meaning

GROUPS: dict[str, list[Case | Meaning]] = {
    "Text": [*text_files.CASES],
    "Workbooks, JSON and archives": [*workbooks.CASES],
    "Transactions": [*meanings.TRANSACTIONS],
    "Station measurements": [*meanings.STATIONS],
    "Profiles": [*meanings.PROFILES],
}
CASES = [case for cases in GROUPS.values() for case in cases]

_HEAD = """# Real files

The kinds of files that people have, and how Assay reads each. `make real-files` reads and analyses all the files and
writes this page. [tests/real_files](../tests/real_files) makes each file, and has the table or figure that must result.

- **right**: every cell, column name and figure is as expected.
- **refused**: the file holds no table, and gets a problem with a code and a suggestion.
- **wrong**: anything else. There must be none.
"""
_seen: dict[int, tuple[Verdict, str]] = {}


def verdict_of(case: Case | Meaning) -> tuple[Verdict, str]:
    """Judge a case once; return the verdict, and what differs or why it was refused."""
    if id(case) not in _seen:
        _seen[id(case)] = case.judge()
    return _seen[id(case)]


def page() -> str:
    """Return the page in Markdown: for each kind how many of its files are right, refused and wrong."""
    lines = [_HEAD]
    for group, cases in GROUPS.items():
        kinds: dict[str, Counter[str]] = defaultdict(Counter)
        for case in cases:
            kinds[case.kind][verdict_of(case)[0]] += 1
        lines += [f"## {group}\n", "| kind | right | refused | wrong |", "| --- | ---: | ---: | ---: |"]
        lines += [
            f"| {kind} | {count['right']} | {count['refused']} | {count['wrong']} |" for kind, count in kinds.items()
        ]
        lines.append("")
    return "\n".join(lines)
