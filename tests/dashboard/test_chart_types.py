"""The script's types of the charts' data are generated from the Python ones."""

from __future__ import annotations

import pytest

from assay.page import chart_data
from tools.chart_types import TARGET, typescript


def test_the_scripts_types_are_those_of_the_page() -> None:
    assert TARGET.read_text(encoding="utf-8") == typescript(), "run make chart-types"


def test_a_type_without_a_counterpart_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chart_data, "ChartData", set[str])
    with pytest.raises(TypeError, match="counterpart"):
        typescript()
