"""How often an address may be refused before it is told to wait: docs/decisions/sign-in.md says what for."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from hashlib import sha256
from ipaddress import IPv6Address, ip_address, ip_network
from threading import Lock
from typing import TypeVar

# So many at once, then one more every six seconds. A client that polls with a token that has expired is seldom slowed
# down; who tries tokens is, and costs the Auth server at most ten calls a minute.
BURST = 20
INTERVAL_SECONDS = 6.0
# A few hundred bytes each; an instance that sees more of them forgets those it has not seen for longest.
KEPT = 4096

_Key = TypeVar("_Key", bound=Hashable)
_Value = TypeVar("_Value")


class _Latest(OrderedDict[_Key, _Value]):
    """The last KEPT keys that were set."""

    def __setitem__(self, key: _Key, value: _Value) -> None:
        super().__setitem__(key, value)
        self.move_to_end(key)
        if len(self) > KEPT:
            self.popitem(last=False)


class SignInFailures:
    """Counts refused tokens by the address that they came from, and remembers which tokens were good.

    By the generic cell rate algorithm (ITU-T I.371), which keeps one number an address: the time at which the address
    will have used up nothing. The clock counts seconds and never goes back; while a function is frozen it may stand
    still, which makes a wait longer and never shorter.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = Lock()
        self._free_at: _Latest[str, float] = _Latest()
        self._good: _Latest[bytes, None] = _Latest()

    def wait_seconds(self, address: str) -> float:
        """Return how long until a refusal of this address is within the limit again; 0 where it is."""
        with self._lock:
            free_at = self._free_at.get(_network(address), 0.0)
        return max(0.0, free_at - (BURST - 1) * INTERVAL_SECONDS - self._clock())

    def count(self, address: str) -> None:
        """Count one refusal of this address."""
        network = _network(address)
        with self._lock:
            self._free_at[network] = max(self._clock(), self._free_at.get(network, 0.0)) + INTERVAL_SECONDS

    def remember_good(self, token: str) -> None:
        """Remember, by its hash, that this token was good."""
        with self._lock:
            self._good[sha256(token.encode()).digest()] = None

    def was_good(self, token: str) -> bool:
        """Whether this token was good when it last came, if it came lately."""
        return sha256(token.encode()).digest() in self._good


def _network(address: str) -> str:
    """Return whom an address stands for: an IPv6 subscriber has at least a /64 of them (RFC 6177)."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address  # API Gateway's console sends a word
    return str(ip_network((parsed, 64), strict=False)) if isinstance(parsed, IPv6Address) else address
