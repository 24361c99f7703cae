"""How long a fresh process takes until a handler is ready for a request: `make bench-start`.

Ready is what a request for a link needs, which is what nearly all that touch the object store ask for: the handler is
imported, the database's client and the verifier of tokens are made, and a PUT link is signed. No S3 client is made, for
no link needs one (docs/decisions/start-up.md). What does need one, a small file posted as the body and GET /health,
pays for it then: the rows "and an S3 client" show with how much.

Every case is timed 20 times in processes of their own, one of each in turn, so that what else the machine does falls on
all alike. A process ends as soon as it is ready: to take a large one apart in good order lasts a fifth of the time.
The environment is that of a function on AWS (its libraries take another way there than on a laptop), with the .pyc
files written before. Nothing is connected to.

The queue is in neither handler's way: only POST /events/storage and GET /health make it.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

ROUNDS = 20
BASE = "import boto3 + one S3 client"
READY = """
import functions.{function}.app
from shared.sign_in.auth import verifier
from shared.database import database
from shared.object_store import object_store
database(), verifier()
object_store().put_link("uploads/owner/sha256", "00" * 32, 1, 60)
"""
WITH_CLIENT = READY + "object_store()._client\n"
DATA_API = {"SUPABASE_PUBLISHABLE_KEY": "sb_publishable_of-no-project"}
PSYCOPG = {"DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none"}
CASES: dict[str, tuple[str, dict[str, str]]] = {
    "python alone": ("pass", {}),
    "import boto3": ("import boto3", {}),
    BASE: ("import boto3; boto3.client('s3')", {}),
    "import supabase": ("import supabase", {}),
    "upload, psycopg": (READY.format(function="upload"), PSYCOPG),
    "download, psycopg": (READY.format(function="download"), PSYCOPG),
    "upload and an S3 client, psycopg": (WITH_CLIENT.format(function="upload"), PSYCOPG),
    "upload, Data API": (READY.format(function="upload"), DATA_API),
    "download, Data API": (READY.format(function="download"), DATA_API),
    "upload and an S3 client, Data API": (WITH_CLIENT.format(function="upload"), DATA_API),
}
AIMS = {"psycopg": 1.5, "Data API": 2.5}

# https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html
ENVIRONMENT = {
    "PATH": os.environ.get("PATH", ""),
    "LAMBDA_TASK_ROOT": str(Path(__file__).parents[1]),
    "AWS_LAMBDA_FUNCTION_NAME": "assay",
    "AWS_REGION": "us-east-1",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_ACCESS_KEY_ID": "nobody",
    "AWS_SECRET_ACCESS_KEY": "nothing",
    "SUPABASE_URL": "https://none.supabase.co",
    "OBJECT_STORE_BUCKET": "assay",
    "QUEUE_URL": "https://sqs.us-east-1.amazonaws.com/000000000000/assay",
    "NEWS_QUEUE_URL": "https://sqs.us-east-1.amazonaws.com/000000000000/assay-news",
}


def milliseconds(code: str, environment: dict[str, str]) -> float:
    """Time one process from its start until the code has run. Raises CalledProcessError where it fails."""
    start = time.perf_counter()
    subprocess.run(
        [sys.executable, "-c", f"{code}\nimport os\nos._exit(0)"],
        env=environment,
        cwd=ENVIRONMENT["LAMBDA_TASK_ROOT"],
        check=True,
        capture_output=True,
    )
    return (time.perf_counter() - start) * 1000


def measure(rounds: int) -> dict[str, list[float]]:
    """Time every case so many times, after one time that writes the .pyc files."""
    times: dict[str, list[float]] = {name: [] for name in CASES}
    with tempfile.TemporaryDirectory() as compiled:
        for number in range(rounds + 1):
            for name, (code, more) in CASES.items():
                took = milliseconds(code, ENVIRONMENT | more | {"PYTHONPYCACHEPREFIX": compiled})
                if number > 0:
                    times[name].append(took)
    return times


def table(times: dict[str, list[float]]) -> str:
    """Lay the times out beside BASE = 1: as they are, and less what Python alone takes."""
    medians = {name: median(values) for name, values in times.items()}
    alone, base = medians["python alone"], medians[BASE]
    lines = [f"{'':34}{'median':>8}{'min':>8}{'ratio':>8}{'less Python alone':>20}{'aim':>7}"]
    for name, value in medians.items():
        aim = next((f"{aim:.1f}" for end, aim in AIMS.items() if name.endswith(end) and "client" not in name), "")
        ratios = f"{value / base:8.2f}{(value - alone) / (base - alone):20.2f}"
        lines.append(f"{name:34}{value:6.0f}ms{min(times[name]):6.0f}ms{ratios}{aim:>7}")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.stdout.write(f"Python {sys.version.split()[0]}, {ROUNDS} times each\n")
    sys.stdout.write(table(measure(ROUNDS)) + "\n")
