"""One S3 endpoint that the contract is tested on."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from uuid import uuid4

import httpx

from local.ministack.ministack import BUCKET
from shared.object_store import ObjectStore
from shared.settings import Settings

NAMED = os.environ.get("ASSAY_TEST_S3_ENDPOINT")


@dataclass
class Endpoint:
    """One S3 endpoint as Assay uses it; `checks_sha256` where a signed PUT of other bytes must be refused."""

    store: ObjectStore
    at: Settings
    http: httpx.Client
    origin: str | None
    keys: list[str] = field(default_factory=list)

    @property
    def checks_sha256(self) -> bool:
        return self.at.storage == "s3"

    def new_key(self, sha256: str) -> str:
        # Not under uploads/: nothing is to come of it.
        self.keys.append(f"outputs/{uuid4()}/{sha256}")
        return self.keys[-1]


def store_settings(**changes: object) -> Settings:
    """Settings in which only the object store matters."""
    nowhere = dict.fromkeys(("supabase_url", "queue_url", "news_queue_url"), "http://127.0.0.1:1")
    given = {"database_url": "postgresql://", "object_store_bucket": BUCKET}
    return Settings.model_validate({**nowhere, **given, **changes})
