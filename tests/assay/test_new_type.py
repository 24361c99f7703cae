"""Adding a dataset type is adding one folder."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

import shared.catalog.registry
from assay import datasets as pipelines_package
from assay.contract import Source, Sources
from assay.datasets import registry
from assay.run import Analysis, analyse
from shared.catalog.dataset_types import all_dataset_types, example_of, require_dataset_type
from shared.catalog.registry import current_versions, dataset_types, pipelines
from shared.errors import Problem

RULES = {
    "title": "Tides",
    "description": "Heights of the tide by harbour.",
    "columns": [
        {"role": "harbour", "exact": ["Harbour"], "translations": {"de": ["Hafen"]}, "holds": "text"},
        {"role": "moment", "exact": ["High_Water"], "holds": "date"},
        {"role": "height", "exact": ["Tide_Height"], "patterns": ["height(m|cm)?"], "holds": "number"},
    ],
    "needs": [["harbour"], ["moment"], ["height"]],
    "enough": 3,
}
EXAMPLE = (
    "Harbour,High_Water,Tide_Height\nDover,2025-01-01 04:10,6.2\nDover,2025-01-01 16:32,6.0\nBrest,2025-01-01 09:00,5\n"
)
PIPELINE = '''
from assay import contract
from assay.contract import Count, Summary


class Parameters(contract.TabularParameters):
    """None of its own."""


def run(sources, parameters, outputs, progress):
    outputs.new("tides.txt", "text/plain").write_text("high water")
    return Summary({"rows": Count(3, 3, 0)})
'''


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder of pipelines that has those of the project, as they are, and one more."""
    project = Path(pipelines_package.__path__[0])
    for known in project.glob("*/dataset.json"):
        (tmp_path / known.parent.name).symlink_to(known.parent)
    new = tmp_path / "tides"
    new.mkdir()
    info = {"name": "tides", "version": "0.1.0", "dataset_type": "tides"}
    (new / "dataset.json").write_text(json.dumps(info), encoding="utf-8")
    (new / "rules.json").write_text(json.dumps(RULES), encoding="utf-8")
    (new / "example.csv").write_text(EXAMPLE, encoding="utf-8")
    (new / "pipeline.py").write_text(PIPELINE, encoding="utf-8")
    monkeypatch.setattr(shared.catalog.registry, "_PIPELINES", tmp_path)
    monkeypatch.setattr(registry, "_DATASETS", tmp_path)
    monkeypatch.setattr(pipelines_package, "__path__", [*pipelines_package.__path__, str(tmp_path)])
    pipelines.cache_clear()
    registry.datasets.cache_clear()
    all_dataset_types.cache_clear()
    yield new
    pipelines.cache_clear()
    registry.datasets.cache_clear()
    all_dataset_types.cache_clear()


def run(path: Path, outputs: Path) -> Analysis:
    outputs.mkdir()
    content = path.read_bytes()
    source = Source(path, "a.csv", hashlib.sha256(content).hexdigest(), len(content))
    found = analyse(Sources((source,)), None, {}, outputs, lambda _done, _stage: None, lambda _detection: None)
    assert isinstance(found, Analysis)
    return found


@pytest.mark.parametrize("text", [EXAMPLE, EXAMPLE.replace("Harbour", "Hafen").replace("Tide_Height", "Height (m)")])
def test_its_files_are_recognised_and_analysed(folder: Path, tmp_path: Path, text: str) -> None:
    path = tmp_path / "field.csv"
    path.write_text(text, encoding="utf-8")
    found = run(path, tmp_path / "outputs")
    assert (found.dataset_type, found.pipeline, found.pipeline_version) == ("tides", "tides", "0.1.0")
    assert found.detection.band == ("sure" if text == EXAMPLE else "likely")
    assert [output.name for output in found.outputs] == ["tides.txt", "datapackage.json", "manifest.json"]


def test_the_others_are_recognised_as_before(folder: Path, tmp_path: Path) -> None:
    known = registry.rules()
    assert set(known) == {"station_measurements", "table", "transactions", "tides"}
    assert known["tides"].missing(known["tides"].assign(("Hafen", "High_Water"))) == ["Tide_Height"]


def test_it_is_listed_with_its_version_rules_and_example(folder: Path) -> None:
    assert current_versions()["tides"] == "0.1.0"
    assert "tides" in dataset_types()
    one = next(one for one in all_dataset_types().dataset_types if one.dataset_type == "tides")
    assert (one.title, one.needs) == ("Tides", [[["harbour"]], [["moment"]], [["height"]]])
    assert [column.names for column in one.columns] == [["Harbour"], ["High_Water"], ["Tide_Height"]]
    assert example_of("tides").read_text(encoding="utf-8") == EXAMPLE


def test_without_the_folder_it_is_not_there() -> None:
    with pytest.raises(Problem) as caught:
        require_dataset_type("tides", 422)
    assert (caught.value.status, caught.value.code) == (422, "unknown_dataset_type")
