"""Parse a webhook's URL, and decide which addresses are public."""

from __future__ import annotations

import re
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import NamedTuple
from urllib.parse import SplitResult, urlsplit

from shared.errors import Problem

MAX_URL_CHARACTERS = 2048

Address = IPv4Address | IPv6Address

# Listed here, because `ipaddress.is_global` differs between versions of Python (CVE-2024-4032 and later changes).
# Slightly more than necessary is refused: parts of 192.0.0.0/24 and 2001::/23 are public anycast services.
# Sources: https://www.iana.org/assignments/iana-ipv4-special-registry/ and …/iana-ipv6-special-registry/, plus
# multicast (224.0.0.0/4) and the former 6to4 relays (192.88.99.0/24), which they do not list.
_IPV4_NOT_PUBLIC = tuple(
    ip_network(block)
    for block in (
        *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12"),
        *("192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24"),
        *("203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4"),
    )
)
# Public IPv6 addresses begin with the bits 001. Addresses that embed an IPv4 address are refused: mapped
# (::ffff:0:0/96) and NAT64 (64:ff9b::/96) are outside this range, Teredo (in 2001::/23) and 6to4 (2002::/16) below.
_IPV6_PUBLIC = ip_network("2000::/3")
_IPV6_NOT_PUBLIC = tuple(ip_network(block) for block in ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"))

_LABEL = r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?"
_HOST_NAME = re.compile(rf"(?=.{{1,253}}$){_LABEL}(\.{_LABEL})*\.?")


# Names of the loopback address in the hosts files of Linux distributions.
_OWN_NAMES = {"localhost", "localhost.localdomain", "localhost4", "localhost6", "ip6-localhost", "ip6-loopback"}


class Receiver(NamedTuple):
    """A parsed URL: `authority` is the value of the Host header, `target` the path with the query."""

    encrypted: bool
    host: str
    port: int
    authority: str
    target: str


def is_public(address: Address) -> bool:
    """Whether the address is public and embeds no other address."""
    if isinstance(address, IPv4Address):
        return not any(address in block for block in _IPV4_NOT_PUBLIC)
    return address in _IPV6_PUBLIC and not any(address in block for block in _IPV6_NOT_PUBLIC)


def receiver_of(url: str, *, private: bool) -> Receiver:
    """Parse a URL. With `private`, http and private addresses are allowed, for local use.

    Raises Problem (422). A host name is not resolved here: its addresses may change, so the sender resolves it.
    """
    if len(url) > MAX_URL_CHARACTERS:
        raise _refused(f"The URL has {len(url)} characters; at most {MAX_URL_CHARACTERS} are allowed.")
    if re.fullmatch(r"[!-~]+", url) is None or "\\" in url:
        raise _refused(
            "The URL contains a space, a backslash or a non-ASCII character.",
            "Percent-encode the path, and write the host name in Punycode (xn--).",
        )
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
        address = _literal(parts)
    except ValueError as error:
        raise _refused("The URL is not valid: its host or port cannot be parsed.") from error
    if parts.scheme != "https" and not (private and parts.scheme == "http"):
        raise _refused("The URL does not begin with https://.")
    if "@" in parts.netloc:
        raise _refused(
            "The URL contains a user name or a password.", "Put a secret into the path or the query instead."
        )
    if parts.fragment or url.endswith("#"):
        raise _refused("The URL contains a fragment (#…), which is never sent.", "Remove it.")
    if address is None and not _HOST_NAME.fullmatch(host):
        raise _refused("The URL has no host.")
    if port == 0:
        raise _refused("The URL has port 0.")
    if not private and (_is_own_name(host) or (address is None and _ends_in_a_number(host))):
        raise _refused("The URL's host is not reachable from the Internet.", "Register a public host.")
    if address is not None and not private and not is_public(address):
        raise _refused("The URL's address is not public.", "Register a public address.")
    encrypted = parts.scheme == "https"
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Receiver(encrypted, host, port or (443 if encrypted else 80), parts.netloc, target)


def _is_own_name(host: str) -> bool:
    """Whether a host name is a loopback name. Source: RFC 6761, section 6.3."""
    name = host.rstrip(".")
    return name in _OWN_NAMES or name.endswith(".localhost")


def _ends_in_a_number(host: str) -> bool:
    """Whether some parsers read the host as an IPv4 address, such as 127.1 or 0x7f000001.

    Source: https://url.spec.whatwg.org/#ends-in-a-number-checker
    """
    return re.fullmatch(r"[0-9]+|0x[0-9a-f]*", host.rstrip(".").rpartition(".")[2]) is not None


def _literal(parts: SplitResult) -> Address | None:
    """Return the IP address in the URL, or None for a host name.

    Raises ValueError for brackets without an IPv6 address.
    """
    host = parts.hostname or ""
    try:
        return ip_address(host)
    except ValueError:
        if "[" in parts.netloc or "]" in parts.netloc:
            raise
        return None


def _refused(detail: str, suggestion: str = "Send a URL such as https://example.org/hooks/assay.") -> Problem:
    return Problem(422, "invalid_url", detail, suggestion)
