"""Runs the object-store tests on Supabase's own storage server, built from a folder with its source.

`python -m tests.supabase.storage_server FOLDER`, where FOLDER is a checkout of github.com/supabase/storage.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import jwt
import psycopg

from local import processes
from local.home import LOOPBACK, PROJECT, free_port
from local.postgres.migrations import apply_migrations
from local.postgres.server import Postgres
from tests.supabase.storage_http import BUCKET, REGION

_ACCESS_KEY = ("assay-tests", "a secret of the tests alone, on loopback")
_JWT_SECRET = "a secret of the tests alone, of more than 32 characters"
_LIMIT_BYTES = 50 * 1024 * 1024


def main(source: str) -> int:
    """Build the server, start it on a Postgres of its own, and run the tests; return pytest's exit code."""
    if not source or not (Path(source) / "package.json").is_file():
        sys.stderr.write("Set SUPABASE_STORAGE_SRC to a folder with the source of github.com/supabase/storage.\n")
        return 2
    folder = Path(source).resolve()
    for step in (["ci"], ["run", "build"]):
        subprocess.run(["npm", *step], cwd=folder, check=True)
    with tempfile.TemporaryDirectory(prefix="assay-storage-") as temporary:
        home = Path(temporary)
        postgres = Postgres(home / "postgres")
        postgres.start()
        try:
            return _test_on(postgres, folder, home)
        finally:
            postgres.stop()


def _test_on(postgres: Postgres, folder: Path, home: Path) -> int:
    url = f"http://{LOOPBACK}:{free_port()}"
    log = home / "storage.log"
    environment = {**os.environ, **_settings(postgres.superuser_url, url.rpartition(":")[2], home / "objects")}
    server = processes.spawn(["node", "dist/start/server.js"], log, env=environment, cwd=folder)
    try:
        # Its own migrations come first, as in a project; ours then find its tables.
        processes.wait_until(lambda: _answers(url), server, "Supabase Storage", log)
        apply_migrations(postgres.superuser_url)
        with psycopg.connect(postgres.superuser_url) as connection:
            connection.execute(
                "insert into storage.buckets (id, name, file_size_limit) values (%s, %s, %s)",
                (BUCKET, BUCKET, _LIMIT_BYTES),
            )
        named = {
            "ASSAY_TEST_STORAGE": "supabase",
            "ASSAY_TEST_S3_ENDPOINT": f"{url}/s3",
            "ASSAY_TEST_S3_REGION": REGION,
            "ASSAY_TEST_S3_BUCKET": BUCKET,
            "ASSAY_TEST_S3_ACCESS_KEY_ID": _ACCESS_KEY[0],
            "ASSAY_TEST_S3_SECRET_ACCESS_KEY": _ACCESS_KEY[1],
        }
        tests = [sys.executable, "-m", "pytest", "tests/object_store", "-k", "named"]
        return subprocess.run(tests, cwd=PROJECT, env={**os.environ, **named}, check=False).returncode
    finally:
        processes.stop(server)


def _settings(database_url: str, port: str, objects: Path) -> dict[str, str]:
    """Return the server's environment: one project, files on disk, no queue. Its .env.sample names the variables."""
    return {
        "NODE_ENV": "production",
        "SERVER_HOST": LOOPBACK,
        "SERVER_PORT": port,
        "TENANT_ID": "assay",
        "DATABASE_URL": database_url,
        "DB_INSTALL_ROLES": "true",
        "PGRST_JWT_SECRET": _JWT_SECRET,
        "ANON_KEY": _key("anon"),
        "SERVICE_KEY": _key("service_role"),
        "S3_PROTOCOL_ACCESS_KEY_ID": _ACCESS_KEY[0],
        "S3_PROTOCOL_ACCESS_KEY_SECRET": _ACCESS_KEY[1],
        "STORAGE_BACKEND": "file",
        "FILE_STORAGE_BACKEND_PATH": str(objects),
        "GLOBAL_S3_BUCKET": BUCKET,
        "REGION": REGION,
        "FILE_SIZE_LIMIT": str(_LIMIT_BYTES),
        "PG_QUEUE_ENABLE": "false",
    }


def _key(role: str) -> str:
    return jwt.encode({"role": role, "exp": datetime.now(UTC) + timedelta(days=1)}, _JWT_SECRET, algorithm="HS256")


def _answers(url: str) -> bool:
    try:
        with urlopen(f"{url}/status", timeout=1) as answer:  # noqa: S310  # loopback
            return bool(answer.status == 200)
    except (URLError, OSError):
        return False


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else ""))
