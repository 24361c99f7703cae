"""Cursors: the end of a page, as opaque text. A cursor is valid for one user."""

from __future__ import annotations

import base64
import binascii
from typing import TypeVar
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, TypeAdapter

from shared.errors import Problem
from shared.sign_in.auth import User

P = TypeVar("P", bound=BaseModel)


class Row(BaseModel):
    """The last row of a page, for rows sorted by time and id."""

    at: AwareDatetime
    row_id: UUID


ROW = TypeAdapter(Row)


def encoded(user: User, place: BaseModel) -> str:
    """Return the cursor of the page after this position."""
    text = f"{user.owner} {place.model_dump_json(exclude_none=True)}"
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def decoded(user: User, cursor: str, kind: TypeAdapter[P]) -> P:
    """Return the position of a cursor. Raises Problem (404) if it is not one of this user's."""
    try:
        text = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True).decode()
        owner, _, place_json = text.partition(" ")
        place = kind.validate_json(place_json) if UUID(owner) == user.owner else None
    except (binascii.Error, ValueError):
        place = None
    if place is None:
        suggestion = "Send next_cursor of the previous page unchanged, or start again without a cursor."
        raise Problem(404, "cursor_not_found", "There is no such cursor.", suggestion)
    return place
