"""A confidence means what it says, over samples that are drawn from a seed, and over those that are shipped."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from assay.contract import Source
from assay.datasets import registry
from assay.detection import Detection, detect
from assay.formats import preview
from benchmarks.calibration import SEED, Judged, by, calibration_error, is_right, judge, reliability, table
from benchmarks.calibration_samples import samples
from shared.catalog.registry import PipelineInfo, pipelines

EXAMPLES = sorted((Path(__file__).parents[2] / "examples").glob("*.csv"))


@pytest.fixture(scope="module")
def judged() -> list[Judged]:
    return judge(samples(SEED + 1, 1200))  # not those that the map was drawn by


def test_nine_tenths_are_right_nine_times_in_ten(judged: list[Judged]) -> None:
    for line in by([one for one in judged if one[1].band == "sure"], lambda one: one[1].likeliest):
        assert line.files > 100, line
        assert line.share >= 0.9, line


def test_every_band_is_right_about_as_often_as_it_says(judged: list[Judged]) -> None:
    lines = reliability(judged)
    report = table("confidence", lines)
    assert calibration_error(lines) < 0.05, report
    assert all(line.share > line.confidence - 0.05 for line in lines if line.files > 50 and line.confidence > 0.5), (
        report
    )
    shares = [line.share for line in lines if line.files > 50]
    assert shares == sorted(shares), report


def test_the_table_is_not_flattering(judged: list[Judged]) -> None:
    """There are files of every kind and band in it, and some that are taken for what they are not."""
    assert {one[1].band for one in judged} == {"sure", "likely", "review", "unsure"}
    assert len({(one[0].truth, one[0].change) for one in judged}) > 20
    assert sum(not is_right(one) for one in judged) > 50
    assert not [one[0].head for one in judged if one[0].truth is None and one[1].band in {"sure", "likely"}]


def detected(path: Path) -> Detection:
    known = registry.rules()
    content = path.read_bytes()
    source = Source(path, "field.csv", hashlib.sha256(content).hexdigest(), len(content))
    head = preview(source, lambda names: max(rules.header_score(names) for rules in known.values()))
    return detect(head, known, None)


@pytest.mark.parametrize("info", pipelines(), ids=lambda info: info.name)
def test_the_example_of_a_type_is_of_that_type_for_sure(info: PipelineInfo) -> None:
    found = detected(info.folder / "example.csv")
    assert (found.dataset_type, found.band) == (info.dataset_type, "sure")


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_what_is_shipped_is_recognised_for_sure(path: Path) -> None:
    found = detected(path)
    assert found.band == "sure"
    assert found.dataset_type == (path.stem if path.stem in registry.rules() else "table")
