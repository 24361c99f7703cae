"""Supabase's webhook: a hint that new objects may have arrived, and never more than that."""

from __future__ import annotations

import hmac

from shared.errors import Problem
from shared.queue.events import OUTBOX_HINT
from shared.queue.hints import send_hint
from shared.settings import settings

HEADER = "X-Assay-Hook-Secret"


def take_hint(secret: str | None) -> None:
    """Have functions/process look into the outbox, if the caller knows the secret.

    Raises Problem: 404 where no webhook is expected (another storage, or no secret), 401 for a bad or absent secret.
    """
    expected = settings().storage_hook_secret
    if settings().storage != "supabase" or expected is None:
        raise Problem(
            404,
            "no_storage_hook",
            "This service expects no webhook.",
            "Set STORAGE=supabase and STORAGE_HOOK_SECRET, if the objects lie in Supabase Storage.",
        )
    if not hmac.compare_digest((secret or "").encode(errors="surrogatepass"), expected.get_secret_value().encode()):
        raise Problem(
            401,
            "wrong_hook_secret",
            f"The header {HEADER} is missing or wrong.",
            "Give the webhook the header with the value of STORAGE_HOOK_SECRET.",
        )
    send_hint(OUTBOX_HINT)
