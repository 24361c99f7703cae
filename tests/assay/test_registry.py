from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import shared.catalog.registry
from assay.datasets import registry
from shared.catalog.registry import current_versions, dataset_types, pipelines

ROOT = Path(__file__).parents[2]


def loaded_by(code: str) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\nimport sys; print(*sys.modules)"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return set(done.stdout.split())


def test_names_types_and_versions() -> None:
    assert current_versions()["station_measurements"].count(".") == 2
    assert "station_measurements" in dataset_types()


def test_every_pipeline_has_rules_and_runs() -> None:
    for info in registry.datasets():
        rules = registry.rules()[info.dataset_type]
        assert rules.columns or rules.fallback
        assert callable(registry.load(info).run)
        assert registry.for_type(info.dataset_type) == info
        assert all(field.description for field in registry.load(info).Parameters.model_fields.values())


def test_the_analysis_and_the_functions_read_the_same_datasets() -> None:
    assert [info[:3] for info in registry.datasets()] == [info[:3] for info in pipelines()]


def test_versions_are_told_without_importing_a_function() -> None:
    modules = loaded_by("import shared.catalog.registry; shared.catalog.registry.current_versions()")
    assert not {name for name in modules if name.startswith("functions") or name in {"pydantic", "polars"}}


def test_the_analysis_is_pure() -> None:
    modules = loaded_by(
        "from assay.datasets import registry\nimport assay.run\nfor info in registry.datasets(): registry.load(info)"
    )
    assert "assay.datasets.station_measurements.pipeline" in modules
    assert not modules & {"boto3", "botocore", "httpx", "postgrest", "psycopg", "shared.database", "shared.settings"}


def folder_with(tmp_path: Path, *texts: str) -> Path:
    for number, text in enumerate(texts):
        (tmp_path / str(number)).mkdir()
        (tmp_path / str(number) / "dataset.json").write_text(text)
    return tmp_path


ONE = '{"name": "a", "version": "1", "dataset_type": "t"}'


def test_a_job_has_three_attempts_unless_its_pipeline_says_otherwise(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = '{"name": "b", "version": "1", "dataset_type": "u", "max_attempts": 5}'
    monkeypatch.setattr(shared.catalog.registry, "_PIPELINES", folder_with(tmp_path, ONE, other))
    pipelines.cache_clear()
    try:
        assert [info.max_attempts for info in pipelines()] == [3, 5]
    finally:
        pipelines.cache_clear()


@pytest.mark.parametrize(
    ("texts", "error"),
    [
        ([], FileNotFoundError),
        (["{}"], KeyError),
        (['{"name": "a", "version": 1, "dataset_type": "t"}'], ValueError),
        (['{"name": "a", "version": "1", "dataset_type": "t", "max_attempts": 0}'], ValueError),
        (['{"name": "a", "version": "1", "dataset_type": "t", "max_attempts": "3"}'], ValueError),
        (['{"name": "a", "version": "1", "dataset_type": "t", "max_attempts": true}'], ValueError),
        ([ONE, ONE], ValueError),
    ],
)
def test_a_folder_that_is_not_right_is_loud(
    texts: list[str], error: type[Exception], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shared.catalog.registry, "_PIPELINES", folder_with(tmp_path, *texts))
    pipelines.cache_clear()
    try:
        with pytest.raises(error):
            pipelines()
    finally:
        pipelines.cache_clear()
