"""Queries about the caller's account: plan, usage and export."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, JsonValue, TypeAdapter

from functions.download.cursor import decoded, encoded
from shared.database import database
from shared.object_store import object_store
from shared.settings import settings
from shared.sign_in.auth import User
from shared.wire.account import Account, AccountExport


class _Webhooks(BaseModel):
    """A position after this webhook's row, or after one of its deliveries."""

    walk: Literal["webhooks"]
    at: AwareDatetime
    id: UUID
    occurred_at: AwareDatetime | None = None
    delivery_id: UUID | None = None


class _Columns(BaseModel):
    walk: Literal["columns"]
    at: AwareDatetime
    id: UUID


class _Uploads(BaseModel):
    walk: Literal["uploads"]
    sha256: str = Field(pattern="^[0-9a-f]{64}$")


class _Jobs(BaseModel):
    """A position after the job's row (part 0), or after its attempt (1), event (2) or output (3) of this number."""

    walk: Literal["jobs"]
    at: AwareDatetime
    id: UUID
    part: int = Field(ge=0, le=3)
    number: int = Field(ge=0, lt=2**63)


# The argument p_after of export_account.
_Place = Annotated[_Webhooks | _Columns | _Uploads | _Jobs, Field(discriminator="walk")]
_PLACE: TypeAdapter[_Webhooks | _Columns | _Uploads | _Jobs] = TypeAdapter(_Place)


class _Page(BaseModel):
    """A page from the database. Lists without files pass through unchanged."""

    model_config = ConfigDict(extra="allow")

    uploads: list[dict[str, JsonValue]]
    outputs: list[dict[str, JsonValue]]
    next: _Place | None


def get_account(user: User) -> Account:
    """Return the user's plan and usage."""
    return Account.model_validate(database().call("get_account", {}, as_user=user))


def export(user: User, limit: int, cursor: str | None) -> AccountExport:
    """Return a page of the user's data, at most `limit` items, with signed links to files.

    Raises Problem (404) for a cursor that is not the user's.
    """
    after = decoded(user, cursor, _PLACE).model_dump(mode="json", exclude_none=True) if cursor else None
    answer = database().call("export_account", {"p_limit": limit, "p_after": after}, as_user=user)
    page = _Page.model_validate(answer)
    for upload in page.uploads:
        upload["link"] = _link(upload["object_key"], upload["filename"], "application/octet-stream")
    for output in page.outputs:
        output["link"] = _link(output["object_key"], output["name"], output["media_type"])
    next_cursor = encoded(user, page.next) if page.next else None
    return AccountExport.model_validate({**page.model_dump(exclude={"next"}), "next_cursor": next_cursor})


def _link(object_key: JsonValue, filename: JsonValue, media_type: JsonValue) -> JsonValue:
    if object_key is None:
        return None
    link = object_store().get_link(str(object_key), str(filename), str(media_type), settings().download_link_seconds)
    return {"url": link.url, "expires_at": link.expires_at.isoformat()}
