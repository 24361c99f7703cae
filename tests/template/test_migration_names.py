"""Supabase applies migrations in the order of their names and passes over a name that it does not understand."""

import re
from datetime import UTC, datetime

from .conftest import ROOT


def test_migrations_are_named_by_time() -> None:
    names = [path.name for path in (ROOT / "supabase/migrations").iterdir()]
    assert names
    times = []
    for name in names:
        match = re.fullmatch(r"(\d{14})_[a-z0-9_]+\.sql", name)
        assert match, name
        times.append(datetime.strptime(match[1], "%Y%m%d%H%M%S").replace(tzinfo=UTC))
    assert len(set(times)) == len(times)
