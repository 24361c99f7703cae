"""Each relative link of a document leads to a file of the project."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

PROJECT = Path(__file__).parent.parent
DOCUMENTS = subprocess.run(
    ["git", "ls-files", "*.md"], cwd=PROJECT, stdout=subprocess.PIPE, text=True, check=True
).stdout.split()
_LINK = re.compile(r"\]\((?!https?://|mailto:|#)([^)#\s]+)")


@pytest.mark.parametrize("document", DOCUMENTS)
def test_links_lead_somewhere(document: str) -> None:
    path = PROJECT / document
    links = _LINK.findall(path.read_text(encoding="utf-8"))
    assert [link for link in links if not (path.parent / link).exists()] == []


def test_a_broken_link_is_noticed() -> None:
    assert "README.md" in DOCUMENTS
    assert _LINK.findall("[a](b.md#c) [d](https://e.org) [f](#g)") == ["b.md"]


def test_the_index_of_decisions_names_every_page() -> None:
    folder = PROJECT / "docs" / "decisions"
    pages = sorted(path.name for path in folder.glob("*.md") if path.name != "README.md")
    assert sorted(_LINK.findall((folder / "README.md").read_text(encoding="utf-8"))) == pages
