"""The local issuer: signs tokens like Supabase Auth, and publishes the key that verifies them."""

from __future__ import annotations

import hashlib
import json
import time
import uuid
from datetime import timedelta
from pathlib import Path

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import ECAlgorithm
from pydantic import JsonValue

from assay.errors import InvalidInput
from assay.write.private import write_private_once
from local.home import make_private


class Issuer:
    """Issues tokens for the stack at `supabase_url`. Its ES256 key is created once and kept under `home`.

    Raises InvalidInput if the key is damaged.
    """

    def __init__(self, home: Path, supabase_url: str) -> None:
        self._path = make_private(home) / "token-key.pem"
        self._issuer = f"{supabase_url}/auth/v1"
        if not self._path.exists():
            key = ec.generate_private_key(ec.SECP256R1())
            pem = key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
            write_private_once(self._path, pem.decode())
        try:
            loaded = serialization.load_pem_private_key(self._path.read_bytes(), password=None)
        except ValueError:
            loaded = None
        if not isinstance(loaded, ec.EllipticCurvePrivateKey):
            detail = f"{self._path} is damaged: it holds no elliptic curve key."
            raise InvalidInput(detail, "Restore it from a backup, or delete it: then earlier tokens are not valid.")
        self._key = loaded

    def jwks(self) -> dict[str, JsonValue]:
        """Return the public key as a JSON Web Key Set."""
        public: dict[str, JsonValue] = json.loads(ECAlgorithm.to_jwk(self._key.public_key()))
        return {"keys": [{**public, "kid": self._kid(), "alg": "ES256", "use": "sig", "key_ops": ["verify"]}]}

    def issue_token(self, owner: uuid.UUID, lifetime: timedelta = timedelta(hours=1)) -> str:
        """Return an access token for `owner`."""
        now = int(time.time())
        claims = {
            "iss": self._issuer,
            "aud": "authenticated",
            "role": "authenticated",
            "sub": str(owner),
            "iat": now,
            "exp": now + int(lifetime.total_seconds()),
        }
        return jwt.encode(claims, self._key, algorithm="ES256", headers={"kid": self._kid()})

    def _kid(self) -> str:
        der = self._key.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        return hashlib.sha256(der).hexdigest()[:16]


def local_owner(home: Path) -> uuid.UUID:
    """Return the user of the command line on this stack. Created once and kept. Raises InvalidInput if damaged."""
    path = make_private(home) / "owner"
    if not path.exists():
        write_private_once(path, f"{uuid.uuid4()}\n")
    try:
        return uuid.UUID(path.read_bytes().decode().strip())
    except ValueError:
        detail = f"{path} is damaged: it holds no user's id."
        raise InvalidInput(detail, "Restore it from a backup; without it the stack's data have no user.") from None
