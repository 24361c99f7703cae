"""Everything that Assay reads from its environment, in one place."""

from __future__ import annotations

import os
from functools import lru_cache

from pydantic import BaseModel, ConfigDict, Field, SecretStr


class Settings(BaseModel):
    """The environment, validated. Each field is read from the variable of its name in capitals."""

    model_config = ConfigDict(frozen=True)

    database_url: SecretStr = Field(
        description="Postgres: Supavisor's transaction pooler (port 6543), or the embedded one"
    )
    supabase_url: str = Field(description="https://<project>.supabase.co; its tokens and its JWKS come from here")
    auth_audience: str = Field(default="authenticated", description="the `aud` that a token must carry")

    object_store_bucket: str = Field(description="the one bucket, for uploads/ and outputs/")
    object_store_endpoint: str | None = Field(default=None, description="an S3 endpoint other than AWS's own")
    object_store_region: str = Field(default="us-east-1")
    object_store_access_key_id: SecretStr | None = Field(
        default=None, description="none on AWS: the function's role counts"
    )
    object_store_secret_access_key: SecretStr | None = None
    queue_url: str = Field(description="the SQS queue between the object store and functions/process")

    max_upload_bytes: int = Field(gt=0, default=5 * 1024**3, description="largest upload; S3 takes 5 GiB in one PUT")
    upload_link_seconds: int = Field(gt=0, le=604_800, default=3600, description="life of a signed PUT link")
    download_link_seconds: int = Field(gt=0, le=604_800, default=3600, description="life of a signed GET link")
    lease_seconds: int = Field(
        gt=0, le=900, default=300, description="how long an attempt may be silent before it counts as dead"
    )
    retry_base_seconds: int = Field(
        gt=0, le=300, default=30, description="delay before the second attempt; doubles, at most 300"
    )


@lru_cache(maxsize=1)
def settings() -> Settings:
    """Read the settings once. Raises pydantic.ValidationError naming every variable that is missing or wrong."""
    names = {name: os.environ[name.upper()] for name in Settings.model_fields if os.environ.get(name.upper())}
    return Settings.model_validate(names)
