"""The environment of a function: a Supabase project on a real Postgres, S3 and SQS by MiniStack."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Mapping

import pytest

from local.home import PROJECT
from local.ministack.ministack import BUCKET, NEWS_QUEUE, REGION, MiniStack
from tests.deploy.dockerfile import build_stage
from tests.deploy.packages import HOST, build, lambda_python
from tests.runtime.emulator import SOURCES, Code, require_emulator
from tests.supabase.gateway import Gateway


@pytest.fixture(scope="session")
def ministack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MiniStack]:
    require_emulator()
    server = MiniStack(tmp_path_factory.mktemp("ministack"))
    server.start()
    yield server
    server.stop()


@pytest.fixture
def environment(supabase_project: Gateway, ministack: MiniStack) -> dict[str, str]:
    key_id, secret = ministack.access_key
    return {
        "SUPABASE_URL": supabase_project.url,
        "SUPABASE_PUBLISHABLE_KEY": supabase_project.publishable_key,
        "SUPABASE_SECRET_KEY": supabase_project.secret_key,
        "OBJECT_STORE_BUCKET": BUCKET,
        "OBJECT_STORE_ENDPOINT": ministack.endpoint,
        "QUEUE_URL": ministack.queue_url(),
        "NEWS_QUEUE_URL": ministack.queue_url(NEWS_QUEUE),
        "AWS_ENDPOINT_URL_SQS": ministack.endpoint,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_REGION": REGION,
        "AWS_ACCESS_KEY_ID": key_id,
        "AWS_SECRET_ACCESS_KEY": secret,
    }


@pytest.fixture
def code(request: pytest.FixtureRequest) -> Mapping[str, Code]:
    """What runs, by function: the sources, unless a test asks for the packages."""
    found: Mapping[str, Code] = request.getfixturevalue(getattr(request, "param", "sources"))
    return found


@pytest.fixture(scope="session")
def sources() -> Mapping[str, Code]:
    return dict.fromkeys(("upload", "process", "download"), SOURCES)


@pytest.fixture(scope="session")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Code]:
    """What is deployed, for this machine: two packages and the image's files, on the Python of Lambda.

    Beside them there is the runtime itself to import from, and the standard library.
    """
    require_emulator()
    python = lambda_python()
    folder = tmp_path_factory.mktemp("packages")
    awslambdaric = str(folder / "awslambdaric")
    given = ["--python", python, "--only-binary", ":all:", "--constraint", "requirements/dev.txt"]
    command = [".venv/bin/uv", "pip", "install", "--quiet", *given, "--target", awslambdaric, "awslambdaric"]
    subprocess.run(command, cwd=PROJECT, check=True)
    roots = {
        "upload": build("upload", folder / "upload", PYTHON_PLATFORM=HOST),
        "process": build_stage(folder / "image", python, HOST),
        "download": build("download", folder / "download", PYTHON_PLATFORM=HOST),
    }
    return {name: Code(root, (python, "-S"), awslambdaric) for name, root in roots.items()}
