"""What a proxy says of how a browser came to it."""

import pytest
from asking import environ

from desktop.web import proxy


@pytest.mark.parametrize(("proxies", "near", "said", "found"), [
    ((), "192.0.2.1", "https", "http"),
    (("192.0.2.1",), "192.0.2.1", "https", "https"),
    (("192.0.2.1",), "::ffff:192.0.2.1", "HTTPS, http", "https"),
    (("192.0.2.0/24",), "192.0.2.1", "http, https", "http"),
    (("192.0.2.0/24",), "192.0.2.1", "httpsx", "http"),
    (("192.0.2.1",), "192.0.2.2", "https", "http"),
    (("192.0.2.1",), "nonsense", "https", "http")])
def test_tls_before_a_proxy(proxies: tuple[str, ...], near: str, said: str, found: str) -> None:
    asked = environ(REMOTE_ADDR=near, HTTP_X_FORWARDED_PROTO=said)
    assert proxy.scheme(asked, proxies) == found
    claimed = said.lower().split(",")[0] == "https"
    assert proxy.doubted(asked, proxies) == (near if claimed and found == "http" else "")


def test_apache_s_own_tls_needs_no_proxy() -> None:
    asked = environ(HTTPS="on", HTTP_X_FORWARDED_PROTO="http")
    assert proxy.scheme(asked, ()) == "https" and not proxy.doubted(asked, ())
