"""Limit refused tokens by IP address. See docs/decisions/sign-in.md."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from hashlib import sha256
from ipaddress import IPv6Address, ip_address, ip_network
from threading import Lock
from typing import TypeVar

# A burst of this many, then one every six seconds. A client that polls with an expired token rarely reaches the limit;
# one that guesses tokens does, and causes at most ten calls a minute to the Auth server.
BURST = 20
INTERVAL_SECONDS = 6.0
# A few hundred bytes each; the least recently set are dropped first.
KEPT = 4096

_Key = TypeVar("_Key", bound=Hashable)
_Value = TypeVar("_Value")


class _Latest(OrderedDict[_Key, _Value]):
    """A dict of the KEPT most recently set keys."""

    def __setitem__(self, key: _Key, value: _Value) -> None:
        super().__setitem__(key, value)
        self.move_to_end(key)
        if len(self) > KEPT:
            self.popitem(last=False)


class SignInFailures:
    """Counts refused tokens by IP address, and remembers recently verified tokens.

    Uses the generic cell rate algorithm (ITU-T I.371), which keeps one number per address: the time at which its whole
    allowance is available again. The clock is monotonic, in seconds. It may stop while a function is frozen, which can
    only lengthen a wait.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = Lock()
        self._free_at: _Latest[str, float] = _Latest()
        self._good: _Latest[bytes, None] = _Latest()

    def wait_seconds(self, address: str) -> float:
        """Return the seconds until this address is within the limit again; 0 if it is."""
        with self._lock:
            free_at = self._free_at.get(_network(address), 0.0)
        return max(0.0, free_at - (BURST - 1) * INTERVAL_SECONDS - self._clock())

    def count(self, address: str) -> None:
        """Count one refusal of this address."""
        network = _network(address)
        with self._lock:
            self._free_at[network] = max(self._clock(), self._free_at.get(network, 0.0)) + INTERVAL_SECONDS

    def remember_good(self, token: str) -> None:
        """Remember by its hash that this token was verified."""
        with self._lock:
            self._good[sha256(token.encode()).digest()] = None

    def was_good(self, token: str) -> bool:
        """Whether this token was recently verified."""
        return sha256(token.encode()).digest() in self._good


def _network(address: str) -> str:
    """Return the key to count an address under: the /64 of an IPv6 address, which one subscriber holds (RFC 6177)."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address  # API Gateway's console sends text that is not an IP address
    return str(ip_network((parsed, 64), strict=False)) if isinstance(parsed, IPv6Address) else address
