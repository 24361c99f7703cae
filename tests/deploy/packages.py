"""Builds the packages by functions/package.mk, and packs them as `sam deploy` does."""

from __future__ import annotations

import platform
import struct
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from local.home import PROJECT

_MACHINE = platform.machine().replace("arm64", "aarch64")
HOST = f"{_MACHINE}-apple-darwin" if sys.platform == "darwin" else f"{_MACHINE}-manylinux_2_28"
"""This machine, as uv names platforms."""

_AARCH64 = 183  # e_machine of the ELF header
_SMOKE = Path(__file__).with_name("smoke.py")
_ENVIRONMENT = {
    "SUPABASE_URL": "https://project.supabase.co",
    "SUPABASE_PUBLISHABLE_KEY": "sb_publishable_key",
    "SUPABASE_SECRET_KEY": "sb_secret_key",
    "OBJECT_STORE_BUCKET": "bucket",
    "QUEUE_URL": "https://sqs.eu-central-1.amazonaws.com/000000000000/queue",
    "NEWS_QUEUE_URL": "https://sqs.eu-central-1.amazonaws.com/000000000000/news",
    "AWS_DEFAULT_REGION": "eu-central-1",
    "AWS_ACCESS_KEY_ID": "id",
    "AWS_SECRET_ACCESS_KEY": "secret",
}


def build(function: str, folder: Path, **variables: str) -> Path:
    """Build one function's package; `variables` are functions/package.mk's own."""
    given = [f"{name}={value}" for name, value in variables.items()]
    command = ["make", "--silent", "-f", "functions/package.mk", f"function={function}", f"ARTIFACTS_DIR={folder}"]
    done = subprocess.run([*command, *given], cwd=PROJECT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"the package of {function} was not built: {done.stderr}")
    return folder


def pack(folder: Path) -> Path:
    """Zip a folder, not compressed, since it is unpacked on the same machine; return the zip."""
    archive = folder.with_suffix(".zip")
    with zipfile.ZipFile(archive, "w") as packed:
        for path in sorted(folder.rglob("*")):
            packed.write(path, path.relative_to(folder))
    return archive


def python_version(python: Path) -> str:
    """Version of a Python, as `3.13`."""
    command = [str(python), "-I", "-c", "import sys; print('%d.%d' % sys.version_info[:2])"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def lambda_python() -> str:
    """Path of a Python of the version that Lambda runs; skips the test, and says so, where there is none."""
    command = ["make", "--silent", "-f", "functions/package.mk", "python"]
    python = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=True).stdout.strip()
    if not python:
        pytest.skip("NOT TESTED HERE: the packages for Lambda. Compiling them needs a Python 3.13 (set PYTHON to one).")
    return python


def is_for_arm64(native: bytes) -> bool:
    """Whether a shared library is for arm64."""
    return struct.unpack_from("<H", native, 18) == (_AARCH64,)


def run_smoke(python: str, folder: Path, function: str) -> None:
    """Import a function's handler from a folder, with nothing but it and the standard library to import from."""
    command = [python, "-I", "-S", str(_SMOKE), str(folder), function]
    done = subprocess.run(command, env=_ENVIRONMENT, capture_output=True, text=True, check=False)
    assert (done.stdout, done.returncode) == ("ready\n", 0), done.stderr
