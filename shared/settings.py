"""Everything that Assay reads from its environment."""

from __future__ import annotations

import os
from functools import lru_cache
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator

from shared.worker_time import WORKER_SECONDS


class Settings(BaseModel):
    """The environment, validated. Each field is read from the variable of its name in capitals."""

    # An error that quotes its input would write secrets to the log.
    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    supabase_url: str = Field(
        description="https://<project>.supabase.co; the issuer of access tokens and the source of the JWKS"
    )
    supabase_publishable_key: SecretStr | None = Field(
        default=None,
        description="sb_publishable_… or the legacy anon key: identifies the project in a user's call",
    )
    supabase_secret_key: SecretStr | None = Field(
        default=None, description="sb_secret_… or the legacy service_role key: for functions/process only"
    )
    auth_audience: str = Field(default="authenticated", description="the `aud` that an access token must have")
    database_url: SecretStr | None = Field(
        default=None,
        description="a Postgres connection instead of the Data API: the embedded one, or Supavisor's transaction "
        "pooler",
    )

    storage: Literal["s3", "supabase"] = Field(
        default="s3",
        description="the object store: S3 (on AWS, or the local one), or Supabase Storage through its S3 endpoint",
    )
    storage_hook_secret: SecretStr | None = Field(
        default=None,
        min_length=32,
        description="the secret that Supabase's webhook sends to POST /events/storage; if unset, every request is "
        "refused",
    )
    object_store_bucket: str = Field(description="the bucket for uploads/ and outputs/")
    object_store_endpoint: str | None = Field(
        default=None, description="an S3 endpoint that replaces AWS's, or the project's /storage/v1/s3"
    )
    object_store_region: str = Field(default="us-east-1")
    object_store_access_key_id: SecretStr | None = Field(
        default=None, description="unset on AWS, where the function's role is used"
    )
    object_store_secret_access_key: SecretStr | None = None
    queue_url: str = Field(description="the SQS queue of hints, for functions/process")
    news_queue_url: str = Field(description="the SQS queue of news, from the object store to functions/process")

    max_upload_bytes: int = Field(gt=0, default=5 * 1024**3, description="largest upload; S3 accepts 5 GiB in one PUT")
    upload_link_seconds: int = Field(gt=0, le=604_800, default=3600, description="lifetime of a signed PUT link")
    download_link_seconds: int = Field(gt=0, le=604_800, default=3600, description="lifetime of a signed GET link")
    lease_seconds: int = Field(
        gt=0,
        le=WORKER_SECONDS,
        default=90,
        description="how long an attempt may go without a heartbeat before it counts as lost",
    )
    retry_base_seconds: int = Field(
        gt=0,
        le=300,
        default=30,
        description="longest delay before the second attempt; doubles with each attempt, up to 300",
    )
    webhook_private_addresses: bool = Field(
        default=False, description="whether webhooks may use http and private addresses; for local use"
    )

    @property
    def s3_endpoint(self) -> str | None:
        """The object store's endpoint; None for S3 on AWS."""
        if self.storage == "supabase" and self.object_store_endpoint is None:
            return f"{self.supabase_url.rstrip('/')}/storage/v1/s3"
        return self.object_store_endpoint

    @property
    def object_store_keys(self) -> tuple[str, str] | None:
        """The access key's id and secret; None where the function's role is used."""
        key_id, secret = self.object_store_access_key_id, self.object_store_secret_access_key
        return (key_id.get_secret_value(), secret.get_secret_value()) if key_id and secret else None

    @model_validator(mode="after")
    def _has_a_database(self) -> Self:
        if not (self.database_url or self.supabase_publishable_key or self.supabase_secret_key):
            raise ValueError("neither DATABASE_URL nor SUPABASE_PUBLISHABLE_KEY nor SUPABASE_SECRET_KEY is set")
        return self

    @model_validator(mode="after")
    def _can_use_its_storage(self) -> Self:
        key_id, secret = self.object_store_access_key_id, self.object_store_secret_access_key
        if (key_id is None) != (secret is None):
            raise ValueError(
                "OBJECT_STORE_ACCESS_KEY_ID and OBJECT_STORE_SECRET_ACCESS_KEY go together: only one is set"
            )
        if self.storage == "supabase":
            if key_id is None:
                raise ValueError(
                    "STORAGE=supabase needs OBJECT_STORE_ACCESS_KEY_ID and OBJECT_STORE_SECRET_ACCESS_KEY, an S3 "
                    "access key of the project"
                )
            if self.object_store_bucket != "assay":
                raise ValueError(
                    "STORAGE=supabase needs OBJECT_STORE_BUCKET=assay, the bucket that the trigger watches"
                )
        return self


@lru_cache(maxsize=1)
def settings() -> Settings:
    """Read the settings once. Raises pydantic.ValidationError that names every missing or invalid variable."""
    names = {name: os.environ[name.upper()] for name in Settings.model_fields if os.environ.get(name.upper())}
    return Settings.model_validate(names)


def library_path() -> dict[str, str]:
    """The library path that Lambda's Python needs: the only variable that a child process inherits."""
    return {name: os.environ[name] for name in ("LD_LIBRARY_PATH",) if name in os.environ}
