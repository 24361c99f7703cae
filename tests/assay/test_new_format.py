"""A format is added by adding a folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import assay.formats
from assay.formats import open_table, preview
from assay.formats.registry import formats, table_extensions
from tests.assay.analyses import write_source

CODE = """
import polars as pl
from assay.formats.registry import Format


def claims(source, head):
    return "stones" if head.startswith(b"STONES\\n") else None


def lines(opening):
    return [line.split() for line in opening.source.path.read_text().splitlines()[1:]]


def preview(opening, limit):
    names, *rows = lines(opening)
    return tuple(names), rows[:limit]


def open_table(opening):
    names, *rows = lines(opening)
    cells = {str(place): column for place, column in enumerate(zip(*rows))}
    frame = pl.LazyFrame({"row": range(1, len(rows) + 1), **cells})
    return tuple(names), frame.with_columns(fault=pl.lit(None, pl.String)), {"format": opening.kind}


FORMAT = Format(rank=5, is_text=True, extensions=frozenset({".stones"}), claims=claims, preview=preview,
                open_table=open_table)
"""


@pytest.fixture(autouse=True)
def _with_stones(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    folder = tmp_path / "packages" / "stones"
    folder.mkdir(parents=True)
    (folder / "__init__.py").write_text(CODE, encoding="utf-8")
    monkeypatch.setattr(assay.formats, "__path__", [*assay.formats.__path__, str(folder.parent)])
    formats.cache_clear()
    yield
    formats.cache_clear()


def test_its_files_are_read(tmp_path: Path) -> None:
    source = write_source(tmp_path / "file", "STONES\nmass kind\n5 granite\n7 slate\n", "quarry.stones")
    assert preview(source, lambda _names: 0.0).columns == ("mass", "kind")
    table = open_table(source, lambda _names: 0.0, tmp_path, lambda _done: None)
    assert (table.frame.collect()["1"].to_list(), table.facts) == (["granite", "slate"], {"format": "stones"})
    assert ".stones" in table_extensions()


def test_the_others_are_read_as_before(tmp_path: Path) -> None:
    source = write_source(tmp_path / "file", "mass,kind\n5,granite\n", "quarry.csv")
    assert preview(source, lambda _names: 0.0).columns == ("mass", "kind")
