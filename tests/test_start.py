"""Upload and download import only what their requests need, and make no network calls at start."""

from __future__ import annotations

import json
import socket
import subprocess
import sys

import pytest

from benchmarks.start import DATA_API, ENVIRONMENT, PSYCOPG, READY

FUNCTIONS = pytest.mark.parametrize("function", ["upload", "download"])
TRANSPORTS = pytest.mark.parametrize("settings", [PSYCOPG, DATA_API], ids=["psycopg", "data_api"])

# What neither needs: the umbrella package and its other clients, the engine, what X-Ray patches if left to itself, and
# what a client of AWS's takes: links are signed without.
NEVER = {
    *("supabase", "realtime", "websockets", "storage3", "supabase_auth", "supabase_functions"),
    *("polars", "python_calamine", "xlsxwriter", "functions.process"),
    *("requests", "sqlite3", "moto", "aws_xray_sdk.ext.httplib", "aws_xray_sdk.ext.botocore"),
    *("boto3", "s3transfer", "botocore.session", "botocore.client", "shared.aws_clients"),
}
OTHER_THAN_PSYCOPG = {"httpx", "postgrest", "shared.database.data_api"}
OTHER_THAN_DATA_API = {"psycopg", "shared.database.psycopg_database"}

NO_NETWORK = """
import sys

def refuse(event, arguments):
    # A socket alone reaches no one: urllib3 tries for IPv6 with one, and X-Ray keeps one for its datagrams.
    if event in {"socket.connect", "socket.sendto", "socket.sendmsg", "socket.getaddrinfo", "socket.gethostbyname"}:
        raise RuntimeError(f"{event}{arguments}")

sys.addaudithook(refuse)
"""


def run(code: str, settings: dict[str, str]) -> str:
    """Run code in a fresh interpreter that looks like a function's on AWS."""
    environment = ENVIRONMENT | settings
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=environment,
        cwd=environment["LAMBDA_TASK_ROOT"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@FUNCTIONS
@TRANSPORTS
def test_it_starts_without_the_network(function: str, settings: dict[str, str]) -> None:
    run(NO_NETWORK + READY.format(function=function), settings)


def test_the_network_would_have_been_seen() -> None:
    code = NO_NETWORK + "import urllib.request\nurllib.request.urlopen('http://127.0.0.1:1')"
    with pytest.raises(AssertionError, match=r"socket\.(connect|getaddrinfo)"):
        run(code, {})


@FUNCTIONS
@TRANSPORTS
def test_it_imports_what_its_requests_need(function: str, settings: dict[str, str]) -> None:
    loaded = run(READY.format(function=function) + "\nimport json, sys\nprint(json.dumps(list(sys.modules)))", settings)
    unneeded = NEVER | (OTHER_THAN_PSYCOPG if settings is PSYCOPG else OTHER_THAN_DATA_API)
    assert set(json.loads(loaded)) & unneeded == set()


TRACED_CALLS = """
from shared.errors import Transient
from shared.object_store import object_store
from shared.queue import queue
from shared.telemetry import tracer

with tracer.provider.in_subsegment("request"):
    for call in (lambda: object_store().put_bytes("uploads/owner/sha256", b""), queue().ping):
        try:
            call()
        except Transient:
            print("nothing answers there, as it should be")
"""


def test_calls_to_s3_and_sqs_are_traced_though_their_clients_are_made_late() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as daemon:
        daemon.bind(("127.0.0.1", 0))
        daemon.settimeout(10)
        settings = {
            **PSYCOPG,
            "OBJECT_STORE_ENDPOINT": "http://127.0.0.1:1",
            "AWS_ENDPOINT_URL_SQS": "http://127.0.0.1:1",
            "AWS_XRAY_DAEMON_ADDRESS": f"127.0.0.1:{daemon.getsockname()[1]}",
            # https://docs.aws.amazon.com/xray/latest/devguide/xray-concepts.html#xray-concepts-tracingheader
            "_X_AMZN_TRACE_ID": "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1",
        }
        assert run(TRACED_CALLS, settings).count("nothing answers") == 2
        segments = [json.loads(daemon.recv(65_535).partition(b"\n")[2]) for _ in range(2)]
    assert [(segment["name"], segment["aws"]["operation"]) for segment in segments] == [
        ("s3", "PutObject"),
        ("sqs", "GetQueueAttributes"),
    ]
