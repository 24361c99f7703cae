"""What the Data API's transport does when the other side is unwell, where the real part cannot be made to be."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable, Iterator
from itertools import count
from uuid import uuid4

import pytest
from postgrest import APIError

from shared.database import transport
from shared.database.data_api import DataApiDatabase, DataApiRefused
from shared.errors import Problem, Transient
from shared.sign_in.auth import User
from tests.contract.raw_server import HANG, RESET, RawServer, http

PUBLISHABLE, SECRET, TOKEN = "sb_publishable_of-this-test", "sb_secret_of-this-test", "head.claims.signature-of-a-user"
TRIES = 5
OK = http(200, b'{"claimed": true}')
FAULTS = {
    "reset": RESET,
    "502 of a gateway": http(502, b"<html>Bad Gateway</html>", media_type="text/html"),
    "503 of a gateway": http(503, b'{"message": "name resolution failed"}'),
    "504 with nothing": http(504, b""),
    "540 of a paused project": http(540, b'{"message": "Project paused"}'),
    "429": http(429, b'{"message": "Too many requests"}'),
    "PostgREST does not reach Postgres": http(
        503, b'{"code": "PGRST001", "message": "Database client error", "details": null, "hint": null}'
    ),
    "PostgREST has no connection free": http(
        504, b'{"code": "PGRST003", "message": "Timed out acquiring connection from pool."}'
    ),
    "deadlock": http(500, b'{"code": "40P01", "message": "deadlock detected", "details": null, "hint": null}'),
    "serialization": http(
        500, b'{"code": "40001", "message": "could not serialize access", "details": null, "hint": null}'
    ),
    "statement timeout": http(500, b'{"code": "57014", "message": "canceling statement due to statement timeout"}'),
    "too many connections": http(
        503, b'{"code": "53300", "message": "too many connections", "details": null, "hint": null}'
    ),
    "a page": http(200, b"<html>Welcome!</html>", media_type="text/html"),
    "broken JSON": http(200, b'{"claimed": tr'),
    "no text": http(200, b"\xff\xfe\x00"),
    "nothing": http(200, b""),
    "fewer bytes than announced": http(200, b'{"claimed"', "Connection: close", length=100),
    "no gzip": http(200, b"no gzip", "Content-Encoding: gzip"),
    "no HTTP": b"SSH-2.0-OpenSSH_9.9\r\n",
}

Serve = Callable[..., RawServer]


@pytest.fixture
def serve() -> Iterator[Serve]:
    servers: list[RawServer] = []

    def start(*answers: bytes) -> RawServer:
        servers.append(RawServer(*answers))
        return servers[-1]

    yield start
    for server in servers:
        server.close()


@pytest.fixture(autouse=True)
def delays(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The delays between tries, noted and not waited for."""
    noted: list[float] = []
    monkeypatch.setattr("shared.database.transport.time.sleep", noted.append)
    return noted


def data_api(server: RawServer) -> DataApiDatabase:
    return DataApiDatabase(server.url, publishable_key=PUBLISHABLE, secret_key=SECRET)


def claim(database: DataApiDatabase) -> object:
    return database.call("claim_job", {"p_job_id": uuid4()}, None)


def test_a_warm_connection_that_is_reset_is_replaced(serve: Serve) -> None:
    server = serve(OK, RESET, OK)
    database = data_api(server)
    assert claim(database) == {"claimed": True}
    assert claim(database) == {"claimed": True}
    assert server.connections == [2, 1]
    assert server.requests[1].partition(b"\r\n\r\n")[2] == server.requests[2].partition(b"\r\n\r\n")[2]


def test_a_warm_connection_that_was_closed_is_replaced(serve: Serve) -> None:
    server = serve(http(200, b"{}", "Connection: close"), OK)
    database = data_api(server)
    claim(database)
    assert claim(database) == {"claimed": True}
    assert server.connections == [1, 1]


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_what_may_pass_is_tried_again_and_then_transient(serve: Serve, fault: bytes) -> None:
    assert claim(data_api(serve(fault, fault, OK))) == {"claimed": True}
    server = serve(fault)
    with pytest.raises(Transient):
        claim(data_api(server))
    assert len(server.requests) == TRIES


def test_the_delays_are_random_parts_of_ones_that_double(serve: Serve, delays: list[float]) -> None:
    server = serve(RESET)
    with pytest.raises(Transient):
        claim(data_api(server))
    assert all(0 <= delay <= 0.1 * 2**number for number, delay in enumerate(delays))
    assert len(set(delays)) == TRIES - 1


def test_retry_after_is_waited_for(serve: Serve, delays: list[float]) -> None:
    assert claim(data_api(serve(http(503, b"{}", "Retry-After: 2"), OK))) == {"claimed": True}
    assert delays == [2]


def test_a_retry_after_beyond_our_patience_is_handed_on(serve: Serve, delays: list[float]) -> None:
    unwell = b'{"code": "PGRST002", "message": "Could not query the database for the schema cache. Retrying."}'
    server = serve(http(503, unwell, "Retry-After: 60"))
    with pytest.raises(Transient) as caught:
        claim(data_api(server))
    assert (len(server.requests), delays, caught.value.retry_after_seconds) == (1, [], 60)


def test_a_server_that_never_answers_is_transient(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.database.data_api.STATEMENT_SECONDS", 0.1)
    server = serve(HANG)
    with pytest.raises(Transient):
        claim(data_api(server))
    assert len(server.requests) == TRIES


def test_no_try_begins_when_the_time_is_over(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.database.data_api.STATEMENT_SECONDS", 0.1)
    clock = count(0, transport.TRYING_SECONDS + 1)
    monkeypatch.setattr("shared.database.transport.time.monotonic", lambda: next(clock))
    server = serve(HANG)
    with pytest.raises(Transient):
        claim(data_api(server))
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    "answer",
    [
        http(404, b"<html>Not Found</html>", media_type="text/html"),
        http(404, b'{"message": "no Route matched with those values"}'),
        http(301, b"", "Location: http://127.0.0.1:1/"),
        http(401, b'{"message": "Invalid API key"}'),
        http(403, b"Forbidden", media_type="text/plain"),
    ],
    ids=["a page", "no route", "a redirect", "a key", "forbidden"],
)
def test_settings_that_are_wrong_are_said_to_be_at_once(serve: Serve, answer: bytes) -> None:
    server = serve(answer)
    with pytest.raises(DataApiRefused, match="SUPABASE_"):
        claim(data_api(server))
    with pytest.raises(DataApiRefused):
        data_api(server).ping()
    assert len(server.requests) == 2


def test_a_function_may_refuse_with_503_itself(serve: Serve) -> None:
    body = b'{"code": "PT503", "message": "Full.", "details": "full", "hint": "Wait."}'
    server = serve(http(503, body))
    with pytest.raises(Problem) as caught:
        claim(data_api(server))
    assert (caught.value.status, caught.value.code, len(server.requests)) == (503, "full", 1)


def test_ping_is_not_content_with_an_answer_of_postgrest_alone(serve: Serve) -> None:
    unknown = b'{"code": "PGRST202", "message": "Could not find the function in the schema cache"}'
    with pytest.raises(APIError, match="PGRST202"):
        data_api(serve(http(404, unknown))).ping()
    data_api(serve(http(401, b'{"code": "42501", "message": "permission denied for function get_job"}'))).ping()


def test_a_user_s_call_carries_the_user_s_token_and_no_secret(serve: Serve) -> None:
    server = serve(OK)
    data_api(server).call("get_job", {"p_job_id": uuid4()}, User(uuid4(), TOKEN))
    head = server.requests[0].decode()
    assert f"authorization: bearer {TOKEN}".lower() in head.lower()
    assert f"apikey: {PUBLISHABLE}" in head
    assert SECRET not in head


def test_what_one_user_s_answer_leaves_behind_is_not_sent_with_another_s_call(serve: Serve) -> None:
    server = serve(http(200, b"{}", "Set-Cookie: session=of-the-first; Path=/"))
    database = data_api(server)
    for _ in range(2):
        database.call("get_job", {"p_job_id": uuid4()}, User(uuid4(), TOKEN))
    assert b"cookie" not in server.requests[1].lower()


def test_a_new_secret_key_is_no_token(serve: Serve) -> None:
    server = serve(OK)
    claim(data_api(server))
    assert f"apikey: {SECRET}".encode() in server.requests[0]
    assert b"authorization" not in server.requests[0].lower()


def test_a_legacy_secret_key_is_a_token_too(serve: Serve) -> None:
    server = serve(OK)
    claim(DataApiDatabase(server.url, publishable_key=None, secret_key="legacy.key.jwt"))
    assert b"apikey: legacy.key.jwt" in server.requests[0]
    assert b"Authorization: Bearer legacy.key.jwt" in server.requests[0]


def test_the_worker_s_calls_need_the_secret_key(serve: Serve) -> None:
    database = DataApiDatabase(serve(OK).url, publishable_key=PUBLISHABLE, secret_key=None)
    with pytest.raises(DataApiRefused, match="SUPABASE_SECRET_KEY"):
        claim(database)


@pytest.mark.parametrize("key", ["sb_secret_x\n", "sb_secret_\u2026", "sb_secret x"])
def test_a_key_that_no_header_can_carry_is_refused_and_not_quoted(key: str) -> None:
    with pytest.raises(ValueError, match="SUPABASE_SECRET_KEY") as caught:
        DataApiDatabase("http://127.0.0.1:1", publishable_key=None, secret_key=key)
    assert "secret_x" not in str(caught.value)


@pytest.mark.parametrize(
    "answer",
    [OK, RESET, http(401, b"{}"), http(500, b"{}"), http(400, b'{"code": "23514", "message": "no"}')],
    ids=["answer", "reset", "refused", "unwell", "bug"],
)
def test_no_key_and_no_token_is_logged_or_in_an_error(
    serve: Serve, caplog: pytest.LogCaptureFixture, answer: bytes
) -> None:
    caplog.set_level(logging.DEBUG)
    database = data_api(serve(answer))
    said = [repr(database)]
    for user in (None, User(uuid4(), TOKEN)):
        try:
            database.call("claim_job", {"p_job_id": uuid4()}, user)
        except Exception as error:  # noqa: BLE001  # each of them, with all that caused it
            said.append("".join(traceback.format_exception(error)))
    said.append(caplog.text)
    assert "send_request_headers" in caplog.text
    assert not [secret for secret in (PUBLISHABLE, SECRET, TOKEN) if any(secret in text for text in said)]
