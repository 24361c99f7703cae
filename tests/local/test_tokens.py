import stat
import time
import uuid
from datetime import timedelta
from pathlib import Path

import jwt
import pytest

from local.tokens import Issuer, local_owner

OWNER = uuid.UUID("7d444840-9dc0-41d1-b245-5ffdce74fad2")


def verified(issuer: Issuer, token: str) -> dict[str, object]:
    keys = jwt.PyJWKSet.from_dict(issuer.jwks())
    key = keys[jwt.get_unverified_header(token)["kid"]]
    claims: dict[str, object] = jwt.decode(
        token, key, algorithms=["ES256"], audience="authenticated", issuer="http://127.0.0.1:1/auth/v1"
    )
    return claims


def test_token_is_verified_by_the_key_set(tmp_path: Path) -> None:
    issuer = Issuer(tmp_path / "home", "http://127.0.0.1:1")
    claims = verified(issuer, issuer.issue_token(OWNER, timedelta(minutes=5)))
    assert claims["sub"] == str(OWNER)
    assert claims["role"] == "authenticated"
    assert claims["exp"] == pytest.approx(time.time() + 300, abs=5)


def test_key_is_made_once_and_private(tmp_path: Path) -> None:
    first, second = Issuer(tmp_path, "http://127.0.0.1:1"), Issuer(tmp_path, "http://127.0.0.1:1")
    verified(second, first.issue_token(OWNER))
    assert stat.S_IMODE((tmp_path / "token-key.pem").stat().st_mode) == 0o600


def test_key_set_holds_nothing_private(tmp_path: Path) -> None:
    keys = Issuer(tmp_path, "http://127.0.0.1:1").jwks()["keys"]
    assert isinstance(keys, list)
    assert [sorted(key) for key in keys if isinstance(key, dict)] == [
        ["alg", "crv", "key_ops", "kid", "kty", "use", "x", "y"]
    ]


def test_another_stack_s_token_is_refused(tmp_path: Path) -> None:
    issuer = Issuer(tmp_path / "a", "http://127.0.0.1:1")
    other = Issuer(tmp_path / "b", "http://127.0.0.1:1")
    with pytest.raises(KeyError):
        verified(issuer, other.issue_token(OWNER))


def test_expired_token_is_refused(tmp_path: Path) -> None:
    issuer = Issuer(tmp_path, "http://127.0.0.1:1")
    with pytest.raises(jwt.ExpiredSignatureError):
        verified(issuer, issuer.issue_token(OWNER, timedelta(seconds=-1)))


def test_owner_is_made_once(tmp_path: Path) -> None:
    assert local_owner(tmp_path) == local_owner(tmp_path)


def test_of_several_owners_at_once_the_first_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = local_owner(tmp_path)
    monkeypatch.setattr(Path, "exists", lambda _path, **_more: False)  # as another process saw it a moment ago
    assert local_owner(tmp_path) == first
    assert [path.name for path in tmp_path.iterdir()] == ["owner"]
