"""The image of process, as far as it can be proved with no Docker: its locked packages, its files, its start."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from local.aws.template import Template
from local.home import PROJECT
from tests.deploy.dockerfile import build_stage, in_context, stages
from tests.deploy.packages import HOST, is_for_arm64, lambda_python, run_smoke

_MOST_BYTES = 370_000_000


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the image adds to its base, for arm64: every locked package has a wheel there, or uv would refuse."""
    return build_stage(tmp_path_factory.mktemp("image"), lambda_python(), "aarch64-manylinux_2_28")


def test_every_native_module_is_for_arm64(image: Path) -> None:
    native = [path for path in image.rglob("*") if ".so" in path.name]
    assert any("polars" in str(path) for path in native)
    assert [path for path in native if not is_for_arm64(path.read_bytes())] == []


def test_it_is_no_larger_than_the_changelog_says(image: Path) -> None:
    assert sum(path.stat().st_size for path in image.rglob("*") if path.is_file()) < _MOST_BYTES


def test_everything_is_compiled(image: Path) -> None:
    sources = list(image.rglob("*.py"))
    compiled = {path.parent / "__pycache__" / f"{path.stem}.cpython-313.pyc" for path in sources}
    assert sources
    assert {path for path in compiled if not path.is_file()} == set()
    app = image / "functions" / "process" / "__pycache__" / "app.cpython-313.pyc"
    assert b"/var/task/functions/process/app.py" in app.read_bytes(), "a traceback would show no source"


def test_it_holds_process_and_nothing_else_of_ours(image: Path) -> None:
    assert {path.name for path in (image / "functions").iterdir()} == {"__init__.py", "__pycache__", "process"}
    assert (image / "assay/page/built/dashboard.js").is_file()
    assert not list(image.rglob("Dockerfile"))


def test_the_context_holds_no_more_than_the_image_needs() -> None:
    for name in (".env", ".assay/object-store-key.json", ".git/config", ".venv/bin/python", "tests/conftest.py"):
        assert not in_context(PROJECT / name), name
    assert not in_context(PROJECT / "shared/__pycache__/auth.cpython-313.pyc")


def test_nothing_of_the_build_is_left_in_the_image() -> None:
    _, last = stages()
    assert [name for name, _ in last] == ["COPY", "CMD"]
    assert last[0][1] == "--from=build /package ${LAMBDA_TASK_ROOT}"
    assert json.loads(last[1][1]) == [Template.read().consumers["Queue"].function.handler]


def test_its_handler_starts_from_its_files_alone(tmp_path: Path) -> None:
    """The same steps for this machine, imported with nothing else to import from."""
    python = lambda_python()
    run_smoke(python, build_stage(tmp_path, python, HOST), "process")
