"""What `sam build` makes of template.yaml: the two zips that Lambda gets."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from local.home import PROJECT
from tests.deploy.packages import HOST, build, is_for_arm64, lambda_python, run_smoke

_SAM = PROJECT / ".tools" / "sam" / "bin" / "sam"
_MOST_BYTES = 40_000_000
_OURS = ("functions", "shared")
# Source: Lib/importlib/_bootstrap_external.py of Python 3.13
_MAGIC_OF_313 = (3571).to_bytes(2, "little") + b"\r\n"
_UNCHECKED_HASH = 0b01  # PEP 552


@pytest.fixture(scope="module", params=["upload", "download"])
def function(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def built(function: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that SAM makes a zip of, for Python 3.13 on arm64."""
    lambda_python()
    folder = tmp_path_factory.mktemp(function)
    name = f"{function.capitalize()}Function"
    done = subprocess.run(
        [str(_SAM), "build", name, "--no-cached", "--build-dir", str(folder)],
        cwd=PROJECT,
        env={**os.environ, "SAM_CLI_TELEMETRY": "0", "__SAM_CLI_APP_DIR": str(folder / "sam")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return folder / name


def _files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_it_is_small(built: Path) -> None:
    assert sum(len(content) for content in _files(built).values()) < _MOST_BYTES


def test_everything_is_compiled_for_the_python_of_lambda_and_knows_its_place_there(built: Path) -> None:
    files = _files(built)
    sources = {name for name in files if name.endswith(".py")}
    assert sources
    assert {name.split("/")[0] for name in sources} == set(_OURS), "other people's sources take room"
    for name in sources:
        folder, _, file = name.rpartition("/")
        code = files[f"{folder}/__pycache__/{file.removesuffix('.py')}.cpython-313.pyc"]
        assert f"/var/task/{name}".encode() in code, "a traceback would show no source"

    compiled = {name: content for name, content in files.items() if name.endswith(".pyc")}
    assert {"boto3/__init__.pyc", "pydantic/__init__.pyc"} < set(compiled)
    for name, content in compiled.items():
        assert content[:8] == _MAGIC_OF_313 + _UNCHECKED_HASH.to_bytes(4, "little"), name


def test_everything_native_is_for_arm64(built: Path) -> None:
    native = {name: content for name, content in _files(built).items() if ".so" in name}
    assert native
    for name, content in native.items():
        assert is_for_arm64(content), name


def test_it_holds_the_function_and_nothing_that_it_does_not_need(built: Path, function: str) -> None:
    names = set(_files(built))
    assert {f"functions/{function}/app.py", "shared/settings.py"} < names
    of_the_analysis = {name for name in names if name.startswith(("assay/", "functions/process/"))}
    assert {name.rsplit("/", 1)[-1] for name in of_the_analysis} == {"dataset.json", "rules.json", "example.csv"}
    services = {name.split("/")[2] for name in names if name.startswith("botocore/data/") and name.count("/") > 2}
    assert services == {"s3", "sqs", "xray"}
    assert not [name for name in names if name.startswith("psycopg")]
    assert not [name for name in names if name.endswith((".pyi", "/Makefile", "/RECORD", ".lock"))]
    assert str(PROJECT).encode() not in b"".join(_files(built).values())


def test_the_same_sources_make_the_same_bytes(built: Path, function: str, tmp_path: Path) -> None:
    assert _files(build(function, tmp_path / "again")) == _files(built)


def test_it_lacks_nothing(function: str, tmp_path: Path) -> None:
    """The same package for this machine, imported with nothing else to import from."""
    python = lambda_python()
    run_smoke(python, build(function, tmp_path / "package", PYTHON_PLATFORM=HOST), function)
