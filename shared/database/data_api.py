"""The database through Supabase's Data API: PostgREST over HTTP, with supabase-py's client."""

from __future__ import annotations

import re
from collections.abc import Mapping
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import TYPE_CHECKING, cast

import httpx
from postgrest import APIError, SyncPostgrestClient
from pydantic import JsonValue

from shared.database.transport import (
    CONNECT_SECONDS,
    PING_TRYING_SECONDS,
    STATEMENT_SECONDS,
    Argument,
    refusal,
    repeated,
)
from shared.errors import AssayError, Problem, Transient
from shared.telemetry import tracer

if TYPE_CHECKING:
    from shared.sign_in.auth import User  # imports PyJWT, which functions/process does not have

# A warm function may be called a minute apart. A call over a connection that died meanwhile is repeated.
_IDLE_SECONDS = 60

# PostgREST's own errors: https://docs.postgrest.org/en/stable/references/errors.html
_TRANSIENT_CODES = {"PGRST000", "PGRST001", "PGRST002", "PGRST003"}  # Postgres not reached, schema not read, pool empty
_TOKEN_CODES = {"PGRST301", "PGRST302", "PGRST303"}
_CODE = re.compile(r"PGRST\w+|[0-9A-Z]{5}")  # PostgREST's own, or an SQLSTATE
_NOT_ALLOWED = "42501"


class DataApiRefused(AssayError):
    """Supabase refuses the configured key, or the configured URL is not a Data API."""


class DataApiDatabase:
    """Supabase's Data API.

    A call as a user carries the publishable key and the user's access token; a call as service_role, the secret key.
    New keys (`sb_publishable_…`, `sb_secret_…`) and legacy keys (anon, service_role) both work.
    A call that fails with a transient error is repeated (transport.repeated): a lost connection, a gateway or PostgREST
    that cannot reach its upstream, a deadlock, a timeout. The object is safe to share between threads.
    """

    def __init__(self, supabase_url: str, *, publishable_key: str | None, secret_key: str | None) -> None:
        """Raises ValueError for a key that is not valid in an HTTP header."""
        self._url = f"{supabase_url.rstrip('/')}/rest/v1"
        self._publishable_key = _checked("SUPABASE_PUBLISHABLE_KEY", publishable_key)
        self._secret_key = _checked("SUPABASE_SECRET_KEY", secret_key)
        tracer.patch(("httpx",))
        self._http = httpx.Client(
            timeout=httpx.Timeout(STATEMENT_SECONDS, connect=CONNECT_SECONDS),
            limits=httpx.Limits(keepalive_expiry=_IDLE_SECONDS),
            # All users share this client: a gateway's cookie must not reach another user.
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
            event_hooks={"response": [_let_postgrest_through]},
        )

    def call(self, function: str, arguments: Mapping[str, Argument], as_user: User | None) -> JsonValue:
        """See Database.call. Raises DataApiRefused if the settings are wrong."""
        headers = self._as_service() if as_user is None else self._as_user(as_user)
        try:
            return repeated(lambda: self._once(function, arguments, headers))
        except APIError as error:
            if error.code not in _TOKEN_CODES:
                raise
            if as_user is None:
                raise DataApiRefused(
                    "the Data API rejects SUPABASE_SECRET_KEY: it belongs to another project"
                ) from error
            raise Problem(
                401,
                "not_signed_in",
                "The access token is not valid for this service.",
                "Sign in again and send the new token.",
            ) from error

    def ping(self) -> None:
        """See Database.ping.

        Calls a function that neither key may execute. Only Postgres can refuse it, so the refusal proves that Postgres
        answers, and no function has to be public for this check.
        """
        headers = _by_key(self._publishable_key) if self._publishable_key else self._as_service()
        try:
            repeated(lambda: self._once("get_job", {"p_job_id": None}, headers), PING_TRYING_SECONDS)
        except APIError as error:
            if error.code != _NOT_ALLOWED:
                raise

    def _once(self, function: str, arguments: Mapping[str, Argument], headers: dict[str, str]) -> JsonValue:
        # One client per call, because headers differ; the clients share the connections.
        client = SyncPostgrestClient(self._url, headers=headers, http_client=self._http)
        try:
            # The client encodes any JSON value, UUID and datetime; its type annotation is too narrow.
            answer = client.rpc(function, cast("dict[str, str]", dict(arguments))).execute()
        except httpx.RequestError as error:
            raise Transient("the database does not answer") from error
        except APIError as error:
            refused = refusal(error.code or "", error.message or "", error.details or "", error.hint or "")
            if refused is None:
                raise
            raise refused from error
        return cast("JsonValue", answer.data)

    def _as_user(self, user: User) -> dict[str, str]:
        key = self._publishable_key or self._secret_key
        if not key or not user.token:
            raise ValueError("the Data API needs a key of the project and the user's access token")
        return {"Accept": "application/json", "apikey": key, "Authorization": f"Bearer {user.token}"}

    def _as_service(self) -> dict[str, str]:
        if not self._secret_key:
            raise DataApiRefused("SUPABASE_SECRET_KEY is not set; every call without a user needs it")
        return _by_key(self._secret_key)


def _by_key(key: str) -> dict[str, str]:
    """Return the headers of a request without a user. A legacy key is also a bearer token; a new key is not."""
    headers = {"Accept": "application/json", "apikey": key}
    return headers if key.startswith("sb_") else headers | {"Authorization": f"Bearer {key}"}


def _checked(name: str, key: str | None) -> str | None:
    # Checked here, because the HTTP client's error would quote the key.
    if key is not None and not (key.isascii() and key.isprintable() and " " not in key):
        raise ValueError(f"{name} contains a character that is not valid in a key, such as a line break")
    return key


def _let_postgrest_through(response: httpx.Response) -> None:
    """Raise for every response that is not PostgREST's: JSON, with a code if it is an error.

    This is a hook of the HTTP client, because PostgREST's client would return any other text as the function's result,
    without status and headers. Raises Transient for a temporary failure, DataApiRefused for any other.
    """
    response.read()
    status, is_json, code = response.status_code, True, None
    try:
        body = response.json()
    except ValueError:
        is_json = False
    else:
        code = body.get("code") if isinstance(body, dict) else None
    if response.is_success:
        if not is_json:
            raise Transient("the database's answer is not JSON")
    elif isinstance(code, str) and _CODE.fullmatch(code) and code not in _TRANSIENT_CODES:
        return  # the caller handles the error by its code
    elif status == httpx.codes.TOO_MANY_REQUESTS or response.is_server_error:
        after = response.headers.get("Retry-After", "")
        raise Transient(f"the database answers with HTTP {status}", int(after) if after.isdecimal() else 0)
    elif status in {httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN}:
        raise DataApiRefused(
            f"Supabase refuses the API key (HTTP {status}): SUPABASE_PUBLISHABLE_KEY (for a user's call) or "
            "SUPABASE_SECRET_KEY (for the worker's) is not a key of the project at SUPABASE_URL"
        )
    else:
        raise DataApiRefused(f"there is no Data API at SUPABASE_URL (HTTP {status})")
