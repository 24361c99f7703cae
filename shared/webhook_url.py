"""Where a webhook may lead: a URL taken apart once, and which addresses are public."""

from __future__ import annotations

import re
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import NamedTuple
from urllib.parse import SplitResult, urlsplit

from shared.errors import Problem

MAX_URL_CHARACTERS = 2048

Address = IPv4Address | IPv6Address

# Of our own, because what `ipaddress` calls global differs between versions of Python (CVE-2024-4032, and later
# additions). A little more is refused than must be: parts of 192.0.0.0/24 and 2001::/23 are public anycast services.
# Sources: https://www.iana.org/assignments/iana-ipv4-special-registry/ and …/iana-ipv6-special-registry/; of multicast
# (224.0.0.0/4) and of the former 6to4 relays (192.88.99.0/24) they say nothing.
_IPV4_NOT_PUBLIC = tuple(
    ip_network(block)
    for block in (
        *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12"),
        *("192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24"),
        *("203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4"),
    )
)
# Public IPv6 addresses begin with the bits 001. So the forms that carry an IPv4 address are refused as such: mapped
# (::ffff:0:0/96) and NAT64 (64:ff9b::/96) stand outside of it, Teredo (in 2001::/23) and 6to4 (2002::/16) below.
_IPV6_PUBLIC = ip_network("2000::/3")
_IPV6_NOT_PUBLIC = tuple(ip_network(block) for block in ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"))

_LABEL = r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?"
_HOST_NAME = re.compile(rf"(?=.{{1,253}}$){_LABEL}(\.{_LABEL})*\.?")


# What hosts files of Linux distributions call the loopback address.
_OWN_NAMES = {"localhost", "localhost.localdomain", "localhost4", "localhost6", "ip6-localhost", "ip6-loopback"}


class Receiver(NamedTuple):
    """A URL, taken apart: `authority` is what the header Host says, `target` the path with the query."""

    encrypted: bool
    host: str
    port: int
    authority: str
    target: str


def is_public(address: Address) -> bool:
    """Tell whether the address is one of the Internet's, and stands for no other."""
    if isinstance(address, IPv4Address):
        return not any(address in block for block in _IPV4_NOT_PUBLIC)
    return address in _IPV6_PUBLIC and not any(address in block for block in _IPV6_NOT_PUBLIC)


def receiver_of(url: str, *, private: bool) -> Receiver:
    """Take a URL apart. With `private` it may also be http and name a private address, as on one's own machine.

    Raises Problem (422). A host name is not looked up here: what it leads to may change, so the sender looks.
    """
    if len(url) > MAX_URL_CHARACTERS:
        raise _refused(f"The URL has {len(url)} characters; at most {MAX_URL_CHARACTERS} are taken.")
    if re.fullmatch(r"[!-~]+", url) is None or "\\" in url:
        raise _refused(
            "The URL holds a space, a backslash or a character that is not ASCII.",
            "Percent-encode the path, and write the host name in its xn-- form.",
        )
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
        address = _literal(parts)
    except ValueError as error:
        raise _refused("The URL is not one: its host or its port cannot be read.") from error
    if parts.scheme != "https" and not (private and parts.scheme == "http"):
        raise _refused("The URL does not begin with https://.")
    if "@" in parts.netloc:
        raise _refused(
            "The URL holds a user name or a password.", "Put a secret of your own into the path or the query."
        )
    if parts.fragment or url.endswith("#"):
        raise _refused("The URL holds a fragment (#…), which is never sent.", "Leave it out.")
    if address is None and not _HOST_NAME.fullmatch(host):
        raise _refused("The URL names no host.")
    if port == 0:
        raise _refused("The URL names port 0.")
    if not private and (_is_own_name(host) or (address is None and _ends_in_a_number(host))):
        raise _refused("The URL names no host of the Internet.", "Register a host that the Internet can reach.")
    if address is not None and not private and not is_public(address):
        raise _refused("The URL's address is not a public one.", "Register an address that the Internet can reach.")
    encrypted = parts.scheme == "https"
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Receiver(encrypted, host, port or (443 if encrypted else 80), parts.netloc, target)


def _is_own_name(host: str) -> bool:
    """Tell whether a host name stands for the machine itself. Source: RFC 6761, section 6.3."""
    name = host.rstrip(".")
    return name in _OWN_NAMES or name.endswith(".localhost")


def _ends_in_a_number(host: str) -> bool:
    """Tell whether some readers take the host for an IPv4 address, such as 127.1 or 0x7f000001.

    Source: https://url.spec.whatwg.org/#ends-in-a-number-checker
    """
    return re.fullmatch(r"[0-9]+|0x[0-9a-f]*", host.rstrip(".").rpartition(".")[2]) is not None


def _literal(parts: SplitResult) -> Address | None:
    """Return the address that the URL names without a host name. Raises ValueError for one in brackets that is none."""
    host = parts.hostname or ""
    try:
        return ip_address(host)
    except ValueError:
        if "[" in parts.netloc or "]" in parts.netloc:
            raise
        return None


def _refused(detail: str, suggestion: str = "Send a URL such as https://example.org/hooks/assay.") -> Problem:
    return Problem(422, "invalid_url", detail, suggestion)
