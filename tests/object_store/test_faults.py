"""What a store that hangs or refuses does to us."""

from __future__ import annotations

import socket
import time
from pathlib import Path

import pytest

from shared.errors import Transient
from shared.object_store import ObjectStore
from tests.object_store.endpoint import store_settings


def store_at(endpoint: str, storage: str = "s3") -> ObjectStore:
    return ObjectStore(
        store_settings(
            storage=storage,
            object_store_endpoint=endpoint,
            object_store_access_key_id="id",
            object_store_secret_access_key="secret",
        )
    )


def test_a_store_that_takes_connections_and_says_nothing_is_down_within_seconds() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        started = time.monotonic()
        with pytest.raises(Transient):
            store_at(f"http://127.0.0.1:{silent.getsockname()[1]}").ping()
        assert time.monotonic() - started < 10


@pytest.mark.parametrize("storage", ["s3", "supabase"])
def test_a_store_that_is_not_there_is_transient(storage: str, tmp_path: Path) -> None:
    store = store_at("http://127.0.0.1:1", storage)
    with pytest.raises(Transient):
        store.download("key", tmp_path / "file", lambda _: None)
    with pytest.raises(Transient):
        store.put_bytes("key", b"body")
