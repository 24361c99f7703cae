"""Which folders may import which, and where the environment is read."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[1]
OURS = ("assay", "functions", "shared", "local", "tools", "tests", "benchmarks")
# What may be imported from each place, beside libraries; the longest entry that fits a module holds for it.
ALLOWED = {
    "assay": ("assay.files", "assay.run", "assay.schema", "assay.checks",
              "assay.contract", "assay.errors", "assay.reading", "assay.formats", "assay.types", "assay.detection",
              "assay.datasets", "assay.figures", "assay.write", "assay.page"),
    "assay.errors": (),
    "assay.reading": (),
    "assay.schema": (),
    "assay.contract": ("assay.reading", "assay.schema", "assay.errors"),
    "assay.formats": ("assay.contract", "assay.errors", "assay.reading", "assay.formats"),
    "assay.types": ("assay.contract", "assay.errors", "assay.reading", "assay.formats", "assay.types"),
    "assay.detection": ("assay.contract", "assay.errors", "assay.reading", "assay.formats", "assay.types",
                        "assay.detection"),
    "assay.checks": ("assay.contract", "assay.errors", "assay.reading", "assay.schema", "assay.formats", "assay.types",
                     "assay.write", "assay.checks"),
    "assay.figures": ("assay.errors", "assay.figures"),
    "assay.write": ("assay.contract", "assay.errors", "assay.write"),
    "assay.page": ("assay.errors", "assay.page"),
    "assay.datasets": ("assay.contract", "assay.errors", "assay.reading", "assay.formats", "assay.types",
                       "assay.detection", "assay.figures", "assay.write", "assay.page", "assay.datasets"),
    "assay.client": ("assay.contract", "assay.write", "assay.client"),
    "assay.cli": ("assay", "local"),
    "shared": ("shared",),
    "functions.upload": ("shared", "functions.upload"),
    "functions.download": ("shared", "functions.download"),
    "functions.process": ("shared", "functions.process", "assay"),
    "local": ("shared", "assay", "local"),
    "tools": ("shared", "functions", "local", "assay", "tools"),
}  # fmt: skip
# The command and the client, which are no part of the analysis: they speak to a network, wait, and read variables.
OUTSIDE = ("assay.cli", "assay.client")
# What the analysis must not use: clouds, the network, the clock and chance.
IMPURE = ("boto3", "botocore", "httpx", "postgrest", "psycopg", "supabase", "random", "time")
MODULES = sorted(
    path for folder in ("assay", "functions", "shared", "local", "tools") for path in (PROJECT / folder).rglob("*.py")
)


def name_of(path: Path) -> str:
    parts = path.relative_to(PROJECT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = [f"{node.module}.{alias.name}" for alias in node.names]
            yield from (name if is_module(name) else node.module for name in names)


def is_module(name: str) -> bool:
    path = PROJECT.joinpath(*name.split("."))
    return path.with_suffix(".py").exists() or (path / "__init__.py").exists()


def is_below(name: str, places: tuple[str, ...]) -> bool:
    return any(name == place or name.startswith(f"{place}.") for place in places)


ANALYSIS = [path for path in sorted((PROJECT / "assay").rglob("*.py")) if not is_below(name_of(path), OUTSIDE)]


def allowed(module: str) -> tuple[str, ...]:
    return ALLOWED[max((place for place in ALLOWED if is_below(module, (place,))), key=len, default="functions.upload")]


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PROJECT)))
def test_a_module_imports_only_what_its_place_allows(path: Path) -> None:
    ours = [name for name in imported(path) if is_below(name, OURS)]
    assert [name for name in ours if not is_below(name, allowed(name_of(path)))] == []


@pytest.mark.parametrize("path", ANALYSIS, ids=name_of)
def test_the_analysis_is_pure(path: Path) -> None:
    assert [name for name in imported(path) if is_below(name, IMPURE)] == []


def test_the_environment_is_read_in_one_place() -> None:
    served = [path for path in MODULES if path.relative_to(PROJECT).parts[0] in {"functions", "shared"}] + ANALYSIS
    assert [name_of(path) for path in served if reads_environment(path)] == ["shared.settings"]


def reads_environment(path: Path) -> bool:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    names = {ast.unparse(node) for node in ast.walk(tree) if isinstance(node, ast.Attribute | ast.Name)}
    return not names.isdisjoint({"os.environ", "os.getenv"})


def circles(edges: dict[str, set[str]]) -> list[list[str]]:
    """Groups of more than one room in which each can be reached from every other."""
    reach = {room: set(next_rooms) for room, next_rooms in edges.items()}
    for middle in edges:
        for room in edges:
            if middle in reach[room]:
                reach[room] |= reach[middle]
    groups = {tuple(sorted(o for o in edges if o in reach[room] and room in reach[o])) for room in edges}
    return [list(group) for group in sorted(groups) if len(group) > 1]


def test_no_folders_import_each_other_in_a_circle() -> None:
    edges: dict[str, set[str]] = {}
    for path in MODULES:
        room = room_of(name_of(path))
        names = {room_of(name) for name in imported(path) if is_below(name, OURS)}
        edges.setdefault(room, set()).update(name for name in names if name != room)
    for names in list(edges.values()):
        for name in names:
            edges.setdefault(name, set())
    assert circles(edges) == []


def room_of(name: str) -> str:
    """The folder that a module stands in; a module directly below a package of ours is a room of its own."""
    is_folder = PROJECT.joinpath(*name.split(".")).is_dir()
    return name if is_folder or name.count(".") == 1 else name.rpartition(".")[0]


TESTS = sorted((PROJECT / "tests").rglob("*.py"))


def test_nothing_is_imported_from_a_test_module_or_a_conftest() -> None:
    source = {path: path.read_text(encoding="utf-8") for path in TESTS}
    bad = re.compile(r"^\s*(from|import) tests(\.\w+)*\.(test_\w+|conftest)\b", re.MULTILINE)
    assert [str(path.relative_to(PROJECT)) for path, text in source.items() if bad.search(text)] == []


def test_each_folder_of_tests_says_what_belongs_there() -> None:
    packages = [path for path in TESTS if path.name == "__init__.py"]
    assert [str(path.parent) for path in packages if not ast.get_docstring(ast.parse(path.read_text()))] == []
