"""supabase/: what `supabase db push` and `supabase seed buckets` read from it."""

from __future__ import annotations

import re
import tomllib
from datetime import UTC, datetime

from local.home import PROJECT
from shared.settings import Settings

_UNITS = {"MiB": 2**20, "GiB": 2**30}


def test_migrations_are_named_by_time_and_each_has_a_way_back() -> None:
    names = sorted(path.name for path in (PROJECT / "supabase" / "migrations").iterdir())
    assert names
    times = []
    for name in names:
        match = re.fullmatch(r"(\d{14})_[a-z0-9_]+\.sql", name)
        assert match, name
        times.append(datetime.strptime(match[1], "%Y%m%d%H%M%S").replace(tzinfo=UTC))
    assert len(set(times)) == len(times)
    assert sorted(path.name for path in (PROJECT / "supabase" / "rollback").iterdir()) == names


def test_the_bucket_is_private_has_the_trigger_s_name_and_takes_the_largest_upload() -> None:
    config = tomllib.loads((PROJECT / "supabase" / "config.toml").read_text(encoding="utf-8"))
    storage = config["storage"]
    schema = (PROJECT / "supabase" / "schemas" / "10_outbox.sql").read_text(encoding="utf-8")
    assert set(re.findall(r"new\.bucket_id = '(\w+)'", schema)) == set(storage["buckets"]) == {"assay"}
    assert storage["buckets"]["assay"]["public"] is False

    def size(text: str) -> int:
        return int(text[:-3]) * _UNITS[text[-3:]]

    limit = size(storage["buckets"]["assay"]["file_size_limit"])
    assert Settings.model_fields["max_upload_bytes"].default <= limit <= size(storage["file_size_limit"])
