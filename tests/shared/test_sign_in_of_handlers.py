"""Both HTTP functions verify for themselves, whatever stands in front of them."""

from __future__ import annotations

import pytest

from functions.download.app import handler as download
from functions.upload.app import handler as upload
from tests.api import Handler, answered, http_event
from tests.environment import forget
from tests.issuer import OWNER, PUBLISHABLE_KEY, Issuer

pytestmark = pytest.mark.usefixtures("aws")

REQUESTS = pytest.mark.parametrize(
    ("handler", "method", "path"),
    [(upload, "POST", "/uploads"), (download, "GET", "/jobs")],
    ids=["upload", "download"],
)


@REQUESTS
@pytest.mark.parametrize("authorization", [None, "Bearer abc"])
def test_an_authorizer_s_claims_sign_no_one_in(
    issuer: Issuer, handler: Handler, method: str, path: str, authorization: str | None
) -> None:
    event = http_event(method, path, b"{}", {"authorization": authorization} if authorization else {})
    context = event["requestContext"]
    assert isinstance(context, dict)
    context["authorizer"] = {"jwt": {"claims": issuer.claims(iat="1", exp="9999999999"), "scopes": None}}
    answer = answered(handler, event)
    assert answer.problem() == (401, "not_signed_in")
    assert answer.headers["www-authenticate"] == "Bearer"
    assert str(OWNER) not in answer.body


@REQUESTS
def test_a_sign_in_service_that_is_down_is_a_503(issuer: Issuer, handler: Handler, method: str, path: str) -> None:
    issuer.down = True
    answer = answered(handler, http_event(method, path, b"{}", {"authorization": f"Bearer {issuer.token()}"}))
    assert answer.problem() == (503, "unavailable")
    assert answer.json()["detail"] == "Temporary failure: the sign-in service does not answer."
    assert answer.headers["retry-after"] == "5"


@REQUESTS
def test_the_settings_publishable_key_goes_to_the_auth_server(
    issuer: Issuer, handler: Handler, method: str, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    event = http_event(method, path, b"{}", {"authorization": f"Bearer {issuer.secret_token()}"})
    assert answered(handler, event).status == 401
    monkeypatch.setenv("SUPABASE_PUBLISHABLE_KEY", PUBLISHABLE_KEY)
    forget()
    assert answered(handler, event).status != 401
    assert issuer.asked == ["user"]
