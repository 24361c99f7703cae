"""An answer of the sign-in service that never ends, in time or in size, is none."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import pytest

from shared.errors import Transient
from shared.sign_in import service as sign_in_service
from shared.sign_in.auth import TokenVerifier
from tests.issuer import PUBLISHABLE_KEY, Issuer

SIGNED = pytest.mark.parametrize("sign", [Issuer.token, Issuer.secret_token], ids=["JWKS", "Auth server"])


def refused(issuer: Issuer, token: str) -> None:
    with pytest.raises(Transient):
        TokenVerifier(issuer.url, "authenticated", PUBLISHABLE_KEY).verify(f"Bearer {token}")


@SIGNED
def test_one_that_comes_byte_by_byte_is_not_waited_for(
    issuer: Issuer, monkeypatch: pytest.MonkeyPatch, sign: Callable[[Issuer], str]
) -> None:
    monkeypatch.setattr(sign_in_service, "_SECONDS", 0.5)
    left = threading.Event()
    dripped = [0]

    def drip() -> Iterator[bytes]:
        while dripped[0] < 100 and not left.wait(0.05):
            dripped[0] += 1
            yield b" "

    issuer.body = drip()
    refused(issuer, sign(issuer))
    left.set()
    assert dripped[0] < 50


@SIGNED
def test_one_that_is_too_large_is_not_read(issuer: Issuer, sign: Callable[[Issuer], str]) -> None:
    sent = [0]

    def endless() -> Iterator[bytes]:
        while sent[0] < 100_000_000:
            sent[0] += 100_000
            yield b" " * 100_000

    issuer.body = endless()
    refused(issuer, sign(issuer))
    assert sent[0] < 50_000_000
