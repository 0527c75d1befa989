"""Where people are, as their proxies say it, and what network that is."""

import pytest

from desktop import whereabouts
from desktop.errors import Refusal


@pytest.mark.parametrize(("proxies", "near", "forwarded", "found"), [
    ((), "192.0.2.1", "198.51.100.7", "192.0.2.1"),
    (("192.0.2.1",), "192.0.2.1", "198.51.100.7", "198.51.100.7"),
    (("192.0.2.1",), "192.0.2.1", "", "192.0.2.1"),
    (("192.0.2.1",), "192.0.2.2", "198.51.100.7", "192.0.2.2"),
    (("192.0.2.1",), "192.0.2.1", "203.0.113.9, 198.51.100.7", "198.51.100.7"),
    (("192.0.2.0/24",), "192.0.2.1", "203.0.113.9, 198.51.100.7, 192.0.2.77", "198.51.100.7"),
    (("192.0.2.0/24",), "192.0.2.1", "192.0.2.5, 192.0.2.77", "192.0.2.5"),
    (("192.0.2.1",), "192.0.2.1", "198.51.100.7, unknown", "192.0.2.1"),
    (("192.0.2.1",), "::ffff:192.0.2.1", "2001:db8::7", "2001:db8::7"),
    (("2001:db8::/32",), "2001:db8::1", "[2001:db8:1::7]", "2001:db8:1::7"),
    (("192.0.2.1",), "192.0.2.1", "x" * 5000 + ", 198.51.100.7", "198.51.100.7")])
def test_where_people_are(proxies: tuple[str, ...], near: str, forwarded: str,
                          found: str) -> None:
    assert whereabouts.client(near, forwarded, proxies) == found


def test_a_proxy_that_is_no_address() -> None:
    with pytest.raises(Refusal, match="trusted_proxies"):
        whereabouts.client("192.0.2.1", "", ("proxy.example.org",))


def test_networks() -> None:
    network = whereabouts.network
    assert network("2001:db8::1") == network("2001:db8::ffff:1")
    assert network("2001:db8::1") != network("2001:db8:0:1::1")
    assert network("::ffff:192.0.2.1") == network("192.0.2.1") == "192.0.2.1"
    assert network("fe80::1%eth0") == network("fe80::2")
    assert network("") == "" and network("junk") == "junk"
