"""Deletes all data of an owner."""

from __future__ import annotations

from collections.abc import Callable

from shared.database import database
from shared.database.transport import CONNECT_SECONDS, STATEMENT_SECONDS, TRYING_SECONDS
from shared.queue.events import CLEAN_UP_HINT
from shared.queue.hints import send_hint
from shared.sign_in.auth import User
from shared.wire.account import Remaining

_BATCH = 500
# The longest that a call may take. A call that might not finish in time is not started.
_CALL_MILLISECONDS = (TRYING_SECONDS + CONNECT_SECONDS + STATEMENT_SECONDS + 1) * 1000


def delete_account(user: User, remaining_milliseconds: Callable[[], int]) -> Remaining:
    """Delete all data of the user in batches while there is time: rows immediately, objects within minutes.

    Returns how much remains for further requests. Plan and hourly usage stay; otherwise a deletion would reset the
    limits.
    """
    while True:
        answer = database().call("delete_account", {"p_limit": _BATCH}, as_user=user)
        remaining = Remaining.model_validate(answer)
        if remaining.left == 0 or remaining_milliseconds() < _CALL_MILLISECONDS:
            break
    send_hint(CLEAN_UP_HINT, may_be_lost=True)
    return remaining
