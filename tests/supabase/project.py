"""A Supabase project on loopback: the real PostgREST on a Postgres of ours, behind the gateway."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from local.postgres.server import Postgres
from tests.supabase.gateway import Gateway
from tests.supabase.postgrest import PostgREST, require_postgrest


@contextmanager
def supabase_project_on(postgres: Postgres, folder: Path) -> Iterator[Gateway]:
    """Start PostgREST and the gateway on a Postgres that runs and has the migrations; stop both at the end.

    Skips the test, and says so, where there is no PostgREST. `folder` keeps PostgREST's log.
    """
    require_postgrest()
    gateway = Gateway()
    postgrest = PostgREST(folder / "postgrest.log", postgres.authenticator_url, gateway.jwks())
    gateway.postgrest_url = postgrest.url
    try:
        postgrest.start()
        yield gateway
    finally:
        postgrest.stop()
        gateway.close()
