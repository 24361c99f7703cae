"""The database by Supabase's Data API: PostgREST over HTTP, by supabase-py's own client of it."""

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
    from shared.sign_in.auth import User  # with it comes PyJWT, which process does not have

# A warm function may be called a minute apart; a connection that died in the meantime is no harm: the call is repeated.
_IDLE_SECONDS = 60

# PostgREST's own errors: https://docs.postgrest.org/en/stable/references/errors.html
_TRANSIENT_CODES = {"PGRST000", "PGRST001", "PGRST002", "PGRST003"}  # Postgres not reached, schema not read, pool empty
_TOKEN_CODES = {"PGRST301", "PGRST302", "PGRST303"}
_CODE = re.compile(r"PGRST\w+|[0-9A-Z]{5}")  # PostgREST's own, or an SQLSTATE
_NOT_ALLOWED = "42501"


class DataApiRefused(AssayError):
    """Supabase refuses our key, or nothing at our address is a Data API: the settings are wrong."""


class DataApiDatabase:
    """Supabase's Data API.

    As a user, a call carries the user's own access token beside the publishable key; as service_role, the secret key.
    Both kinds of keys do: `sb_publishable_…` and `sb_secret_…`, and the legacy anon and service_role keys.
    A call that fails for a reason that may pass is repeated (transport.repeated): a lost connection, a gateway
    or PostgREST that does not reach the next one, a deadlock, a timeout. Threads may share the object.
    """

    def __init__(self, supabase_url: str, *, publishable_key: str | None, secret_key: str | None) -> None:
        """Raises ValueError for a key that no HTTP header can carry."""
        self._url = f"{supabase_url.rstrip('/')}/rest/v1"
        self._publishable_key = _checked("SUPABASE_PUBLISHABLE_KEY", publishable_key)
        self._secret_key = _checked("SUPABASE_SECRET_KEY", secret_key)
        tracer.patch(("httpx",))
        self._http = httpx.Client(
            timeout=httpx.Timeout(STATEMENT_SECONDS, connect=CONNECT_SECONDS),
            limits=httpx.Limits(keepalive_expiry=_IDLE_SECONDS),
            # One client for all users: a cookie of a gateway's would go from one to the next.
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
            event_hooks={"response": [_let_postgrest_through]},
        )

    def call(self, function: str, arguments: Mapping[str, Argument], as_user: User | None) -> JsonValue:
        """See Database.call. Raises DataApiRefused where the settings are wrong."""
        headers = self._as_service() if as_user is None else self._as_user(as_user)
        try:
            return repeated(lambda: self._once(function, arguments, headers))
        except APIError as error:
            if error.code not in _TOKEN_CODES:
                raise
            if as_user is None:
                raise DataApiRefused("the Data API does not know the project of SUPABASE_SECRET_KEY") from error
            raise Problem(
                401, "not_signed_in", "The access token is not valid here.", "Sign in again and send the new token."
            ) from error

    def ping(self) -> None:
        """See Database.ping.

        Asks for what neither key may do: only Postgres itself knows that, so its refusal proves that it answers, and
        nothing has to be open to everyone for it.
        """
        headers = _by_key(self._publishable_key) if self._publishable_key else self._as_service()
        try:
            repeated(lambda: self._once("get_job", {"p_job_id": None}, headers), PING_TRYING_SECONDS)
        except APIError as error:
            if error.code != _NOT_ALLOWED:
                raise

    def _once(self, function: str, arguments: Mapping[str, Argument], headers: dict[str, str]) -> JsonValue:
        # A client for each call, because its headers are its own; they share the connections.
        client = SyncPostgrestClient(self._url, headers=headers, http_client=self._http)
        try:
            # The client encodes any JSON value, UUID and datetime, whatever its type says.
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
            raise DataApiRefused("SUPABASE_SECRET_KEY is not set, and only the users' own calls can do without it")
        return _by_key(self._secret_key)


def _by_key(key: str) -> dict[str, str]:
    """Return the headers of a request that has no user. A legacy key is a token as well; the new ones are none."""
    headers = {"Accept": "application/json", "apikey": key}
    return headers if key.startswith("sb_") else headers | {"Authorization": f"Bearer {key}"}


def _checked(name: str, key: str | None) -> str | None:
    # Here, because the HTTP client would quote the header, key and all, in its error.
    if key is not None and not (key.isascii() and key.isprintable() and " " not in key):
        raise ValueError(f"{name} holds a character that no key has, such as a line break")
    return key


def _let_postgrest_through(response: httpx.Response) -> None:
    """Raise for every answer that is not PostgREST's own: JSON, and with a code if it is an error.

    A hook of the HTTP client, because PostgREST's client takes the text of any other answer for the function's, and
    keeps neither status nor headers. Raises Transient for what may pass, DataApiRefused for the rest.
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
            raise Transient("the database answers with something that is no JSON")
    elif isinstance(code, str) and _CODE.fullmatch(code) and code not in _TRANSIENT_CODES:
        return  # an error that the caller tells apart by its code
    elif status == httpx.codes.TOO_MANY_REQUESTS or response.is_server_error:
        after = response.headers.get("Retry-After", "")
        raise Transient(f"the database answers with HTTP {status}", int(after) if after.isdecimal() else 0)
    elif status in {httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN}:
        raise DataApiRefused(
            f"Supabase refuses the API key (HTTP {status}): SUPABASE_PUBLISHABLE_KEY (for a user's call) or "
            "SUPABASE_SECRET_KEY (for the worker's) is no key of the project at SUPABASE_URL"
        )
    else:
        raise DataApiRefused(f"there is no Data API at SUPABASE_URL (HTTP {status})")
