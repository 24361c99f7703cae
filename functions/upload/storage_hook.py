"""Supabase's webhook: a hint that there may be new objects."""

from __future__ import annotations

import hmac

from shared.errors import Problem
from shared.queue.events import OUTBOX_HINT
from shared.queue.hints import send_hint
from shared.settings import settings

HEADER = "X-Assay-Hook-Secret"


def take_hint(secret: str | None) -> None:
    """Send a hint to process the outbox, if the secret is right.

    Raises Problem: 404 if no webhook is expected (another storage, or no secret), 401 for a wrong or missing secret.
    """
    expected = settings().storage_hook_secret
    if settings().storage != "supabase" or expected is None:
        raise Problem(
            404,
            "no_storage_hook",
            "This service does not expect a webhook.",
            "If the objects are in Supabase Storage, set STORAGE=supabase and STORAGE_HOOK_SECRET.",
        )
    if not hmac.compare_digest((secret or "").encode(errors="surrogatepass"), expected.get_secret_value().encode()):
        raise Problem(
            401,
            "wrong_hook_secret",
            f"The header {HEADER} is missing or wrong.",
            "Set this header of the webhook to the value of STORAGE_HOOK_SECRET.",
        )
    send_hint(OUTBOX_HINT)
