"""Each kind of file gives what it must, and docs/real-files.md says so."""

from __future__ import annotations

import pytest

from tests.real_files import PAGE
from tests.real_files.case import Case
from tests.real_files.meanings import Meaning
from tests.real_files.verdicts import CASES, page, verdict_of


@pytest.mark.parametrize("case", CASES, ids=[f"{case.kind}: {case.filename}" for case in CASES])
def test_a_file_is_understood_as_people_mean_it(case: Case | Meaning) -> None:
    verdict, why = verdict_of(case)
    refused = isinstance(case, Case) and case.table is None
    assert verdict == ("refused" if refused else "right"), why


def test_the_page_is_what_the_command_writes() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run make real-files"


def test_a_wrong_reading_is_noticed() -> None:
    assert Case("", "a.csv", b"a,b\n1,2\n", "a,b\n1,3\n").judge()[0] == "wrong"
    assert Case("", "a.csv", b"", "a\n").judge()[0] == "wrong"
    assert Case("", "a.csv", b"a,b\n1,2\n", None).judge()[0] == "wrong"
