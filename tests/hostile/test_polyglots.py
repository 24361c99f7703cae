"""Files that are two things at once, or are called what they are not, or change their encoding on the way."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from assay.errors import Unprocessable
from tests.assay.analyses import HEADER, MakeSource, Run, run_in
from tests.assay.outputs import json_of, table_of
from tests.hostile.refusals import Refused
from tests.hostile.workbooks import Make, book

ROW = "CT,2024-01-01,D,1.5\n"
TEXT = (HEADER + ROW).encode()
PDF = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj<</Type/Catalog>>endobj\n"
PAGE = b"<!doctype html><html><script>alert(1)</script><table><tr><td>Station_ID</td></tr></table></html>\n"

REFUSED: dict[str, tuple[Make, str, Refused]] = {
    "PDF and ZIP": (lambda: PDF + book(), "a.pdf", Refused("binary_content", "PDF")),
    "PDF and ZIP, called a workbook": (lambda: PDF + book(), "a.xlsx", Refused("binary_content", "PDF")),
    "table and ZIP": (lambda: TEXT + book(), "a.csv", Refused("binary_content", "control characters")),
    "table, a MiB of it, and ZIP": (
        lambda: TEXT + ROW.encode() * 60_000 + book(), "a.csv", Refused("binary_content", "ZIP archive at its end"),
    ),
    "ZIP and table": (lambda: book() + TEXT, "a.xlsx", Refused("unsafe_spreadsheet", "does not end where it says")),
    "workbook called a picture": (book, "a.png", Refused("extension_mismatch", "xlsx")),
    "table called an archive": (lambda: TEXT, "a.gz", Refused("extension_mismatch", "plain text")),
    "page called a table": (lambda: PAGE, "a.csv", Refused("binary_content", "web page")),
    "page called a workbook": (lambda: PAGE, "a.xlsx", Refused("binary_content", "web page")),
    "gzip and table": (lambda: gzip.compress(TEXT) + TEXT, "a.csv.gz", Refused("unreadable_archive", "gzip")),
    "UTF-8 and UTF-16": (
        lambda: TEXT + ROW.encode("utf-16-le") * 99, "a.csv", Refused("binary_content", "control characters"),
    ),
    "UTF-16 and UTF-8": (
        lambda: (HEADER + ROW).encode("utf-16") + ROW.encode() * 9 + b"x", "a.csv",
        Refused("unknown_encoding", "utf-16"),
    ),
    "UTF-8 and Windows-1252": (
        lambda: TEXT + "CT,2024-01-01,Höhe,1\n".encode() * 99 + "CT,2024-01-01,Höhe,1\n".encode("cp1252"),
        "a.csv", Refused("unknown_encoding", "mostly UTF-8"),
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", REFUSED)
def test_is_refused_for_what_it_is(kind: str, make_source: MakeSource, run: Run) -> None:
    make, filename, expected = REFUSED[kind]
    with pytest.raises(Unprocessable) as caught:
        run(make_source(make(), filename))
    assert caught.value.code == expected.code, caught.value.detail
    assert expected.says in caught.value.detail


def test_utf_7_is_what_it_is_in_ascii(run: Run) -> None:
    found = run(HEADER + "+ADw-script+AD4-alert(1)+ADw-/script+AD4-,2024-01-01,D,1\n")
    assert table_of(found, "audit_lineage.csv")[1][1] == "'+ADw-script+AD4-alert(1)+ADw-/script+AD4-"


def test_a_byte_order_mark_within_is_no_blank(run: Run) -> None:
    """Two files put together: the second one's header is a row, and its mark a part of the first cell."""
    both = (HEADER + ROW).encode("utf-8-sig") * 2 + "\ufeffCT,2024-01-02,D,2\n".encode()
    found = run(both, dataset_type="station_measurements")
    assert (found.summary.counts["rows"].read, found.summary.counts["rows"].used) == (4, 3)
    quality = json_of(found, "quality.json")
    assert quality["names_alike"]["stations"] == [["CT", "\ufeffCT"]]


def test_what_a_terminal_would_obey_is_not_told_to_it(tmp_path: Path, make_source: MakeSource) -> None:
    source = make_source("Station_ID,\x1b]0;title\x07,\u202eseman\n" + "CT,1,2\n" * 99)
    with pytest.raises(Unprocessable) as caught:
        run_in(tmp_path / "outputs", source, dataset_type="station_measurements")
    assert caught.value.code == "missing_columns"
    assert "]0;title" in caught.value.detail
    assert caught.value.detail.isprintable()
