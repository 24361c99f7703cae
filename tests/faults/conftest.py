from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults import audit
from tests.faults.outcomes import Comparison, Table, seen_rows
from tests.faults.world import User, World, environment
from tests.issuer import Issuer

_wanted = 0


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what is long, and count the rows of a whole run: a part of it (`-k`, one file) writes no page."""
    global _wanted  # noqa: PLW0603  # pytest hands nothing from here to the end of the session
    folder = Path(__file__).parent
    ours = [item for item in items if item.path.parent == folder and "row" in getattr(item, "fixturenames", ())]
    for item in ours:
        item.add_marker("faults")
    whole = {item.path for item in ours} == set(folder.glob("test_*.py"))
    _wanted = len(ours) if whole else 0


# Its environment is not for the tests that come after.
@pytest.fixture(scope="package")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    issuer = Issuer()
    thread = threading.Thread(target=issuer.server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    world = World(tmp_path_factory.mktemp("world"), issuer)
    with environment(world):
        yield world
    world.close()
    issuer.server.shutdown()
    issuer.server.server_close()
    thread.join()


@pytest.fixture
def someone(world: World) -> Iterator[User]:
    """A user; what the test before has changed is undone."""
    for proxy in (world.database, world.store, world.queue):
        proxy.mode = "pass"
    world.stop_workers()
    world.purge()
    yield world.user()
    for proxy in (world.database, world.store, world.queue):
        proxy.mode = "pass"
    world.stop_workers()
    world.rows(
        "update assay.jobs set status = 'cancelled', finished_at = now() where status in ('queued', 'awaiting_upload')"
    )


@pytest.fixture
def row() -> Table:
    return Table()


@pytest.fixture
def same_as_without_fault(tmp_path: Path, someone: User) -> Comparison:
    return Comparison(tmp_path, someone)


@pytest.fixture(scope="session", autouse=True)
def published() -> Iterator[None]:
    """After a whole run in which nothing failed, the page says what was seen."""
    yield
    # How often a job was tried depends on the machine's speed too, so that another page is no failure.
    if _wanted and len(seen_rows) == _wanted:
        audit.PAGE.write_text(audit.page(seen_rows), encoding="utf-8")
