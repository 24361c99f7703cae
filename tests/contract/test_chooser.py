"""The settings choose the transport, and the other one's libraries are not even imported."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from local.home import PROJECT

SETTINGS = {
    "SUPABASE_URL": "http://127.0.0.1:1",
    "OBJECT_STORE_BUCKET": "assay",
    "QUEUE_URL": "http://127.0.0.1:1/queue",
    "NEWS_QUEUE_URL": "http://127.0.0.1:1/news",
}
PROGRAM = """
import sys
sys.modules[{absent!r}] = None  # importing it raises ImportError
from shared.database import database
print(type(database()).__name__)
"""


@pytest.mark.parametrize(
    ("given", "absent", "chosen"),
    [
        ({"SUPABASE_PUBLISHABLE_KEY": "sb_publishable_x"}, "psycopg", "DataApiDatabase"),
        ({"SUPABASE_SECRET_KEY": "sb_secret_x"}, "psycopg", "DataApiDatabase"),
        ({"DATABASE_URL": "postgresql://x@127.0.0.1:1/x"}, "postgrest", "PsycopgDatabase"),
        (
            {"DATABASE_URL": "postgresql://x@127.0.0.1:1/x", "SUPABASE_SECRET_KEY": "sb_secret_x"},
            "postgrest",
            "PsycopgDatabase",
        ),
    ],
)
def test_the_settings_choose(given: dict[str, str], absent: str, chosen: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(absent=absent)],
        env={"PATH": os.environ["PATH"], **SETTINGS, **given},
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.stdout.strip(), done.stderr) == (chosen, "")
