"""One way to the database, and how to sign in on it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from shared.database import Database
from shared.sign_in.auth import User


@dataclass(frozen=True)
class Transport:
    db: Database
    sign_in: Callable[[UUID], User]
