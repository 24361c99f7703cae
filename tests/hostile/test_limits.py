"""The page on hostile input says what the code does."""

from __future__ import annotations

import re
from pathlib import Path
from types import ModuleType

import pytest

from assay.datasets.station_measurements import limits as station_limits
from assay.formats import limits

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "decisions" / "hostile-input.md"
ROWS = re.findall(r"^\| `([A-Z_]+)`[^|]*\| ([\d,]+) \| `([a-z_]+)`", PAGE.read_text(encoding="utf-8"), re.MULTILINE)


def figures(module: ModuleType) -> dict[str, int]:
    return {name: value for name, value in vars(module).items() if name.isupper() and name != "MIB"}


def test_the_table_has_every_limit_with_its_figure() -> None:
    told = {name: int(figure.replace(",", "")) for name, figure, _ in ROWS}
    assert told == figures(limits) | figures(station_limits)


@pytest.mark.parametrize("code", sorted({code for _, _, code in ROWS}))
def test_every_code_of_the_table_is_one_of_the_code(code: str) -> None:
    sources = (ROOT / "assay").rglob("*.py")
    assert any(f'"{code}"' in source.read_text(encoding="utf-8") for source in sources)
