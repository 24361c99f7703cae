"""The deployed stack for all tests here: Postgres, PostgREST and sign-in, and an AWS account with IAM enforced."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from assay.client import Client
from tests.deploy.cloud import MINISTACK, Cloud
from tests.deploy.deployment import Deployment, deploy
from tests.deploy.killer import plant
from tests.deploy.packages import HOST, build, python_version
from tests.supabase.gateway import Gateway
from tests.supabase.storage import StorageFront

_FUNCTIONS = {"upload": "UploadFunction", "download": "DownloadFunction", "process": "ProcessFunction"}


@pytest.fixture(scope="session")
def packages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The packages for MiniStack's own Python, by their functions' logical ids; one more pipeline is planted."""
    folder = tmp_path_factory.mktemp("packages")
    python = {"PYTHON": str(MINISTACK), "PYTHON_VERSION": python_version(MINISTACK), "PYTHON_PLATFORM": HOST}
    built = {logical: build(name, folder / name, **python) for name, logical in _FUNCTIONS.items()}
    for package in built.values():
        plant(package)
    return built


@pytest.fixture(scope="session", params=["s3", "supabase"])
def deployment(
    supabase_project: Gateway,
    packages: dict[str, Path],
    tmp_path_factory: pytest.TempPathFactory,
    request: pytest.FixtureRequest,
) -> Iterator[Deployment]:
    """The stack with each storage, one after the other: in their one database, each would do the other's jobs."""
    front: StorageFront | None = request.getfixturevalue("storage_front") if request.param == "supabase" else None
    with Cloud(tmp_path_factory.mktemp("cloud")) as cloud:
        yield deploy(cloud, supabase_project, front, packages)


@pytest.fixture
def client(deployment: Deployment) -> Iterator[Client]:
    """A signed-in user whom nobody else is."""
    with Client(deployment.url, deployment.project.token(uuid4())) as client:
        yield client


@pytest.fixture
def unswept(deployment: Deployment) -> Iterator[None]:
    """No sweep but by the test itself: it would find, once a minute, what the queue should have told of."""
    events, rule = deployment.cloud.client("events"), deployment.physical_id("ProcessFunctionSweep")
    events.disable_rule(Name=rule)
    yield
    events.enable_rule(Name=rule)
