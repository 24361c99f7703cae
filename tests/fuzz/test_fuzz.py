"""Whatever the OpenAPI document allows, and much that it does not, is answered as it says: and never with a 5xx."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest

from local.stack import Stack
from tests.fuzz.running import Users, fuzz, reached

pytestmark = pytest.mark.faults
HAS_NO_WEBHOOK = "POST /events/storage"
ENDS_IT_ALL = "delete_account"


def operations(stack: Stack) -> set[str]:
    """Every operation but the document itself, which schemathesis has read by then."""
    paths: dict[str, dict[str, Any]] = httpx.get(f"{stack.url}/openapi.json", trust_env=False).json()["paths"]
    return {f"{method.upper()} {path}" for path, methods in paths.items() for method in methods} - {"GET /openapi.json"}


def test_as_a_user(stack: Stack, users: Users, tmp_path: Path) -> None:
    every = operations(stack)
    options = ("--generation-deterministic", "--max-examples", "40")
    report = fuzz(stack.url, users, tmp_path, *options, "--exclude-operation-id", ENDS_IT_ALL)
    assert reached(report) == every - {HAS_NO_WEBHOOK, "DELETE /me"}
    report = fuzz(stack.url, users, tmp_path, *options, "--include-operation-id", ENDS_IT_ALL)
    assert reached(report) == {"DELETE /me"}


def test_as_nobody(stack: Stack, tmp_path: Path) -> None:
    report = fuzz(stack.url, None, tmp_path, "--generation-deterministic", "--max-examples", "5")
    assert reached(report) == {"GET /health", "GET /dataset-types", "GET /dataset-types/{dataset_type}/example"}
