"""Where a webhook may lead."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import Problem
from shared.webhook_url import Receiver, is_public, receiver_of

PUBLIC = ["1.1.1.1", "93.184.215.14", "100.63.255.255", "172.32.0.1", "223.255.255.255", "2606:4700::1111", "2a00::1"]
NOT_PUBLIC = [
    *("0.0.0.1", "0.1.2.3", "10.0.0.1", "100.64.0.1", "127.0.0.1", "127.1.2.3", "169.254.169.254", "172.16.0.1"),
    *("172.31.255.255", "192.0.0.1", "192.0.0.170", "192.0.2.1", "192.88.99.1", "192.168.1.1", "198.18.0.1"),
    *("198.51.100.1", "203.0.113.1", "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255"),
    *("::", "::1", "::2", "64:ff9b:1::1", "100::1", "100:0:0:1::1", "2001::1", "2001:10::1", "2001:db8::1", "3fff::1"),
    *("5f00::1", "fc00::1", "fd00:ec2::254", "fe80::1", "fe80::1%eth0", "fec0::1", "ff02::1", "4000::1"),
]


@pytest.mark.parametrize("text", PUBLIC)
def test_an_address_of_the_internet_is_public(text: str) -> None:
    assert is_public(ip_address(text))


@pytest.mark.parametrize("text", NOT_PUBLIC)
def test_any_other_is_not(text: str) -> None:
    assert not is_public(ip_address(text))


@given(st.ip_addresses())
def test_what_python_calls_anything_but_global_is_not_public(address: IPv4Address | IPv6Address) -> None:
    kinds = (
        address.is_private,
        address.is_multicast,
        address.is_reserved,
        address.is_link_local,
        not address.is_global,
    )
    if any(kinds) and address not in {ip_address(text) for text in PUBLIC}:
        assert not is_public(address)


@given(st.ip_addresses(v=4))
def test_no_address_goes_inside_another(inner: IPv4Address) -> None:
    """Whatever is at the other end of the translation: public or not, it has a form of its own."""
    bits = int(inner)
    forms = {
        "mapped": 0xFFFF << 32 | bits,
        "compatible": bits,
        "NAT64": 0x64FF9B << 96 | bits,
        "local NAT64": 0x64FF9B0001 << 80 | bits,
        "6to4": 0x2002 << 112 | bits << 80,
        "Teredo server": 0x20010000 << 96 | bits << 64,
        "Teredo client": 0x20010000 << 96 | bits ^ 0xFFFFFFFF,
    }
    assert [name for name, value in forms.items() if is_public(IPv6Address(value))] == []


@pytest.mark.parametrize(
    ("url", "receiver"),
    [
        ("https://example.org", Receiver(True, "example.org", 443, "example.org", "/")),
        (
            "https://Example.org:8443/a/b?c=d&e=%20",
            Receiver(True, "example.org", 8443, "Example.org:8443", "/a/b?c=d&e=%20"),
        ),
        (
            "https://xn--bcher-kva.example./",
            Receiver(True, "xn--bcher-kva.example.", 443, "xn--bcher-kva.example.", "/"),
        ),
        ("https://1.1.1.1/hook", Receiver(True, "1.1.1.1", 443, "1.1.1.1", "/hook")),
        ("https://[2606:4700::1111]:444/?", Receiver(True, "2606:4700::1111", 444, "[2606:4700::1111]:444", "/")),
    ],
)
def test_a_url_is_taken_apart(url: str, receiver: Receiver) -> None:
    assert receiver_of(url, private=False) == receiver


REFUSED = [
    *(
        "",
        "/hook",
        "example.org",
        "https://",
        "https:///hook",
        "https://?a",
        "ftp://example.org/",
        "javascript:alert(1)",
    ),
    *(
        "https://user@example.org/",
        "https://user:secret@example.org/",
        "https://:@example.org/",
        "https://@example.org/",
    ),
    *("https://example.org/#part", "https://example.org/#", "https://example.org:0/", "https://example.org:70000/"),
    *(
        "https://example.org:x/",
        "https://[::1",
        "https://[v1.a]/",
        "https://[example.org]/",
        "https://1.1.1.1\\@10.0.0.1/",
        "https://example.org/\\a",
    ),
    *("https://example.org/a b", "https://example.org/\r\nX: y", " https://example.org/", "https://example.org/\t"),
    *("https://ex\u00e4mple.org/", "https://example.org/\u00e4", "https://-a.org/", "https://a..org/", "https://.org/"),
    *(f"https://{'a' * 64}.org/", f"https://{'a.' * 130}org/", f"https://example.org/{'a' * 2048}", "https://a%2eorg/"),
]


@pytest.mark.parametrize("url", REFUSED)
@pytest.mark.parametrize("private", [True, False])
def test_what_is_no_such_url_is_refused(url: str, private: bool) -> None:
    with pytest.raises(Problem) as caught:
        receiver_of(url, private=private)
    assert (caught.value.status, caught.value.code) == (422, "invalid_url")


@pytest.mark.parametrize(
    "url", ["http://example.org/", *(f"https://{text}/" for text in NOT_PUBLIC if ":" not in text)]
)
def test_only_one_s_own_machine_takes_http_and_private_addresses(url: str) -> None:
    with pytest.raises(Problem, match=r"https|public"):
        receiver_of(url, private=False)
    assert receiver_of(url, private=True).target == "/"


@given(st.text(st.characters(max_codepoint=300)).map("https://".__add__))
def test_whatever_is_taken_names_one_host_and_no_second_line(url: str) -> None:
    try:
        receiver = receiver_of(url, private=False)
    except Problem:
        return
    assert receiver.host
    assert not {*"\r\n @\\#"} & {*receiver.authority, *receiver.target}


@pytest.mark.parametrize(
    "host",
    ["localhost", "LOCALHOST.", "a.localhost", "localhost.localdomain", "ip6-localhost", "127.1", "0x7f.1",
     "2130706433", "0177.0.0.1", "10.0.0.0x1"],
)  # fmt: skip
def test_names_of_the_machine_itself_are_refused_at_registration(host: str) -> None:
    with pytest.raises(Problem) as caught:
        receiver_of(f"https://{host}/hook", private=False)
    assert (caught.value.status, caught.value.code) == (422, "invalid_url")


@pytest.mark.parametrize("host", ["localhost4.example.org", "mylocalhost", "a.0x.example", "1.2.3.example"])
def test_names_that_only_look_so_are_taken(host: str) -> None:
    assert receiver_of(f"https://{host}/hook", private=False).host == host
