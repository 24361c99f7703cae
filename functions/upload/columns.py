"""The commands around remembered columns."""

from __future__ import annotations

from uuid import UUID

from shared.database import database
from shared.http import parse_json
from shared.sign_in.auth import User
from shared.wire.columns import ColumnsRequest, RememberedColumns


def parse_request(body: bytes) -> ColumnsRequest:
    """Validate the columns to remember, given as JSON. Raises Problem (422)."""
    return parse_json(ColumnsRequest, body, 'Send JSON such as {"columns": {"revenue": "Gross"}}.')


def edit(choice_id: UUID, request: ColumnsRequest, user: User) -> RememberedColumns:
    """Remember other columns. Raises Problem (404)."""
    answer = database().call(
        "edit_remembered_columns", {"p_choice_id": choice_id, "p_columns": {**request.columns}}, as_user=user
    )
    return RememberedColumns.model_validate(answer)


def forget(choice_id: UUID, user: User) -> None:
    """Forget columns. Raises Problem (404)."""
    database().call("forget_columns", {"p_choice_id": choice_id}, as_user=user)
