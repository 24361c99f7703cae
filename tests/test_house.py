"""The house stands as drawn: who may import whom, and where the environment is read."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[1]
FUNCTIONS = ("upload", "process", "download")
PURE = ("readers", "detection", "pipelines", "dashboard")
MODULES = sorted(path for folder in ("functions", "shared") for path in (PROJECT / folder).rglob("*.py"))


def imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def forbidden(path: Path) -> tuple[str, ...]:
    """What a module must not import, by where it stands."""
    parts = path.relative_to(PROJECT).parts
    if parts[0] == "shared":
        return ("functions", "local")
    others = tuple(f"functions.{name}" for name in FUNCTIONS if name != parts[1])
    outside = ("boto3", "botocore", "httpx", "postgrest", "psycopg", "supabase", "shared.data_api", "shared.database")
    pure = (*outside, "shared.object_store", "shared.psycopg_database", "shared.queue", "time", "random")
    return ("local", *others, *(pure if len(parts) > 2 and parts[2] in PURE else ()))


def environment_reads(path: Path) -> set[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {ast.unparse(node) for node in ast.walk(tree) if isinstance(node, ast.Attribute | ast.Name)}


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PROJECT)))
def test_a_module_imports_only_what_its_place_allows(path: Path) -> None:
    bad = forbidden(path)
    assert [name for name in imported(path) for one in bad if name == one or name.startswith(f"{one}.")] == []


def test_the_environment_is_read_in_one_place() -> None:
    readers = [path.name for path in MODULES if {"os.environ", "os.getenv"} & environment_reads(path)]
    assert readers == ["settings.py"]
