"""What Supabase has before its services: one address, API keys, and the two endpoints of Auth that Assay asks.

The keys are handled as the hosted gateway does: `sb_publishable_…` and `sb_secret_…` are no JWT, so a request that
brings one and no token of a user goes on as `anon` or `service_role` with a short-lived JWT of the gateway's own; a
request with a legacy key (a JWT itself) goes on as it came.
https://supabase.com/docs/guides/getting-started/api-keys
"""

from __future__ import annotations

import base64
import http.client
import json
import secrets
import threading
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit
from uuid import UUID

import jwt

from local.home import LOOPBACK
from tests.issuer import EC_KEY, OWNER, PUBLISHABLE_KEY, SECRET, Issuer

_HOP_BY_HOP = {"connection", "host", "keep-alive", "transfer-encoding", "content-length", "accept-encoding", "apikey"}
Answer = tuple[int, list[tuple[str, str]], bytes]


class Gateway:
    """A Supabase project on the loopback address, as far as its Data API and its sign-in go.

    `postgrest_url` may be set after the gateway was made: PostgREST needs `jwks()` first.
    """

    def __init__(self, postgrest_url: str = "") -> None:
        self.postgrest_url = postgrest_url
        self.publishable_key = PUBLISHABLE_KEY
        self.secret_key = f"sb_secret_{secrets.token_urlsafe(16)}"
        self.anon_key = self._legacy_key("anon")
        self.service_role_key = self._legacy_key("service_role")
        self._server = ThreadingHTTPServer((LOOPBACK, 0), type("Handler", (_Handler,), {"gateway": self}))
        self._server.daemon_threads = True
        self.url = f"http://{LOOPBACK}:{self._server.server_port}"
        self.issuer = Issuer()
        self.issuer.server.server_close()  # its keys and tokens are wanted here, not its own address
        self.issuer.url = f"{self.url}/auth/v1"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop answering."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def token(self, owner: UUID = OWNER) -> str:
        """Return an ES256 access token of a signed-in user; `issuer` makes others."""
        return self.issuer.token(sub=str(owner))

    def jwks(self) -> dict[str, object]:
        """Return every key that PostgREST accepts: the issuer's, and the project's secret."""
        secret = base64.urlsafe_b64encode(SECRET.encode()).decode().rstrip("=")
        return {"keys": [*self.issuer.keys, {"kty": "oct", "k": secret, "alg": "HS256"}]}

    def _legacy_key(self, role: str) -> str:
        claims = {"iss": "supabase", "ref": "assay", "role": role, "exp": datetime.now(UTC) + timedelta(days=1)}
        return jwt.encode(claims, SECRET, algorithm="HS256")

    def authorization(self, apikey: str | None, given: str | None) -> str | None:
        """Return the Authorization header that goes on to the service. Raises PermissionError for a bad key."""
        if apikey is None:
            raise PermissionError("No API key found in request", "No `apikey` request header or url param was found.")
        roles = {self.publishable_key: "anon", self.secret_key: "service_role"}
        if apikey in roles:
            if given is None or given == f"Bearer {apikey}":
                claims = {"role": roles[apikey], "exp": datetime.now(UTC) + timedelta(minutes=1)}
                return f"Bearer {jwt.encode(claims, EC_KEY, algorithm='ES256', headers={'kid': 'ec'})}"
        elif apikey not in {self.anon_key, self.service_role_key}:
            raise (
                PermissionError("Invalid API key", "Double check your Supabase `anon` or `service_role` API key.")
                if not apikey.startswith("sb_")
                else PermissionError(
                    "Unregistered API key",
                    "Double check the provided API key as it is not registered for this project.",
                )
            )
        return given

    def user(self, given: str | None) -> tuple[int, dict[str, object]]:
        """Answer `GET /auth/v1/user` as Supabase Auth does: the user whose token this is, or why it is none."""
        scheme, _, token = (given or "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            code = {"code": 401, "error_code": "no_authorization", "msg": "This endpoint requires a valid Bearer token"}
            return 401, {**code}
        try:
            algorithm = jwt.get_unverified_header(token)["alg"]
            key = SECRET if algorithm == "HS256" else EC_KEY.public_key()
            claims = jwt.decode(token, key, algorithms=["HS256", "ES256"], options={"verify_aud": False})
        except (jwt.PyJWTError, TypeError) as error:
            text = f"invalid JWT: unable to parse or verify signature, {error}"
            return 403, {"code": 403, "error_code": "bad_jwt", "msg": text}
        if "sub" not in claims:
            return 403, {"code": 403, "error_code": "bad_jwt", "msg": "invalid claim: missing sub claim"}
        return 200, {"id": claims["sub"], "aud": claims["aud"], "role": claims["role"], "email": "", "phone": ""}

    def forward(self, method: str, path: str, headers: list[tuple[str, str]], body: bytes) -> Answer:
        """Send a request on to PostgREST and return its answer; 502 while it does not answer."""
        target = urlsplit(self.postgrest_url)
        upstream = http.client.HTTPConnection(target.hostname or "", target.port, timeout=60)  # sets TCP_NODELAY itself
        try:
            upstream.request(method, path, body or None, dict(headers))
            response = upstream.getresponse()
            kept = [(name, value) for name, value in response.getheaders() if name.lower() not in _HOP_BY_HOP]
            return response.status, kept, response.read()
        except (OSError, http.client.HTTPException):
            return _json(502, {"message": "An invalid response was received from the upstream server"})
        finally:
            upstream.close()


def _json(status: int, content: dict[str, object]) -> Answer:
    return status, [("Content-Type", "application/json; charset=utf-8")], json.dumps(content).encode()


class _Handler(BaseHTTPRequestHandler):
    gateway: Gateway
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    timeout = 60

    def _serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        status, headers, content = self._answer(body)
        self.send_response_only(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = _serve  # noqa: N815  # the base class's names

    def _answer(self, body: bytes) -> Answer:
        path = urlsplit(self.path).path
        if path == "/auth/v1/.well-known/jwks.json":
            return _json(200, {"keys": self.gateway.issuer.keys})
        if not (path == "/auth/v1/user" or path.startswith("/rest/v1/")):
            return _json(404, {"message": "no Route matched with those values"})
        given = self.headers.get("authorization")
        try:
            authorization = self.gateway.authorization(self.headers.get("apikey"), given)
        except PermissionError as error:
            return _json(401, {"message": error.args[0], "hint": error.args[1]})
        if path == "/auth/v1/user":
            return _json(*self.gateway.user(given))
        headers = [
            (name, value)
            for name, value in self.headers.items()
            if name.lower() not in _HOP_BY_HOP and name.lower() != "authorization"
        ]
        if authorization is not None:
            headers.append(("Authorization", authorization))
        return self.gateway.forward(self.command, self.path.removeprefix("/rest/v1"), headers, body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the base class's name
        pass
