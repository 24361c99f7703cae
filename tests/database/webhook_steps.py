"""The functions of webhooks, called as the handlers call them."""

from __future__ import annotations

from typing import Any, cast
from uuid import UUID, uuid4

from shared.database import Database
from shared.database.transport import Argument
from shared.sign_in.auth import User
from tests.database.steps import Steps, Superuser

Answer = dict[str, Any]
URL = "https://hooks.invalid/hook"  # a name that leads nowhere, should anybody ever send
TIMED_OUT = {"code": "timed_out", "detail": "There was no answer.", "suggestion": "Answer."}


def make_due(superuser: Superuser, webhook_id: str) -> None:
    """Let what is pending, and what is sending, of this webhook be due now."""
    superuser.execute(
        "update assay.deliveries set next_attempt_at = now() where webhook_id = %s and next_attempt_at is not null",
        (webhook_id,),
    )


def write(superuser: Superuser, webhook_id: str, count: int, age: str = "0 seconds") -> None:
    """Deliveries as the trigger writes them, due since so long."""
    superuser.execute(
        "insert into assay.deliveries (webhook_id, owner, job_id, type, data, occurred_at, next_attempt_at) "
        "select webhook_id, owner, gen_random_uuid(), 'job.done', '{}', now() - %s::interval, now() - %s::interval "
        "from assay.webhooks, generate_series(1, %s) where webhook_id = %s",
        (age, age, count, webhook_id),
    )


class WebhookSteps:
    """One owner's webhooks, and the worker that sends what they are told."""

    def __init__(self, db: Database, user: User) -> None:
        self._db = db
        self.user = user

    @classmethod
    def of(cls, steps: Steps) -> WebhookSteps:
        """Those of the same owner, in the same database."""
        return cls(steps._db, steps.user)

    def _call(self, function: str, user: User | None, **arguments: Argument) -> Any:
        return self._db.call(function, {f"p_{name}": value for name, value in arguments.items()}, user)

    def register(self, url: str = URL, request_id: UUID | None = None) -> Answer:
        """Return the webhook with its secret."""
        return cast("Answer", self._call("create_webhook", self.user, url=url, request_id=request_id or uuid4()))

    def create(self, url: str = "") -> str:
        """Register this URL, or one of its own."""
        return str(self.register(url or f"https://hooks.invalid/{uuid4()}")["webhook_id"])

    def delete(self, webhook_id: str) -> Answer:
        return cast("Answer", self._call("delete_webhook", self.user, webhook_id=webhook_id))

    def all(self) -> list[Answer]:
        return cast("list[Answer]", self._call("list_webhooks", self.user))

    def deliveries(self, webhook_id: str, limit: int = 100, after: Answer | None = None) -> list[Answer]:
        answer = self._call(
            "list_deliveries",
            self.user,
            webhook_id=webhook_id,
            limit=limit,
            before_occurred_at=after and after["occurred_at"],
            before_delivery_id=after and after["delivery_id"],
        )
        return cast("list[Answer]", answer)

    def due(self) -> bool:
        return bool(self._call("deliveries_due", None, owner=self.user.owner)["due"])

    def claim(self, limit: int = 50, lease_seconds: int = 60, *, sweep: bool = False) -> list[Answer]:
        answer = self._call("claim_deliveries", None, limit=limit, lease_seconds=lease_seconds, sweep=sweep)
        return cast("list[Answer]", answer)

    def settle(
        self,
        delivery_id: str | UUID,
        attempt: int,
        *,
        delivered: bool = False,
        http_status: int | None = None,
        retry_after_seconds: int | None = None,
    ) -> Answer:
        answer = self._call(
            "settle_delivery",
            None,
            delivery_id=delivery_id,
            attempt=attempt,
            delivered=delivered,
            http_status=http_status,
            error=None if delivered else cast("Argument", TIMED_OUT),
            retry_after_seconds=retry_after_seconds,
        )
        return cast("Answer", answer)
