"""Addresses that are handed out, and pages that forms may come from."""

from dataclasses import replace
from urllib.parse import parse_qs, urlsplit

import pytest
from asking import Make

from desktop.errors import Refusal
from desktop.settings import Settings
from desktop.web import gateway, login

ID = "abcdefghijklmnopqrstuvwx23"


def fragment(address: str) -> dict[str, str]:
    """Return what the viewer reads of its address."""
    return {name: value for name, [value] in parse_qs(urlsplit(address).fragment).items()}


@pytest.mark.parametrize(("host", "https", "server_name", "address"), [
    ("desktop.example.org", None, "", "http://desktop.example.org/desktop/"),
    ("h:8080", None, "", "http://h:8080/desktop/"),
    ("h", "on", "", "https://h/desktop/"),
    ("h:443", "on", "", "https://h/desktop/"),
    ("[::1]:8080", None, "", "http://[::1]:8080/desktop/"),
    ("[::1]", None, "", "http://[::1]/desktop/"),
    ("inner:8080", None, "https://outer.example.org", "https://outer.example.org/desktop/"),
    ("inner", None, "https://outer.example.org:444/vm/", "https://outer.example.org:444/vm/"),
    ("inner", "on", "outer.example.org", "https://outer.example.org/desktop/")])
def test_places(ask: Make, settings: Settings, host: str, https: str | None, server_name: str,
                address: str) -> None:
    place = gateway.place(ask(HTTP_HOST=host, HTTPS=https),
                          replace(settings, server_name=server_name))
    assert place.address == address
    assert gateway.websocket(place, ID) == (
        address.replace("http", "ws", 1) + f"session/{ID}/websockify")


@pytest.mark.parametrize("name", ["ftp://a", "https://a b", "https://user@a", "//a", "https://"])
def test_a_server_name_that_is_none(ask: Make, settings: Settings, name: str) -> None:
    with pytest.raises(Refusal) as problem:
        gateway.place(ask(), replace(settings, server_name=name))
    assert problem.value.status == 500


def test_ports_that_are_none(ask: Make, settings: Settings) -> None:
    for port in ("0", "65536", "99999"):
        with pytest.raises(Refusal):
            gateway.place(ask(HTTP_HOST=f"a:{port}"), settings)


def test_a_viewer_that_waits_says_so(ask: Make, settings: Settings) -> None:
    place = gateway.place(ask(), settings)
    facts = fragment(gateway.address(place, ID, wait=True))
    assert facts["wait"] == "1" and facts["autoconnect"] == "false"


def test_the_link_tells_the_viewer_all(ask: Make, settings: Settings) -> None:
    place = gateway.place(ask(HTTP_HOST="h:8080"), settings)
    link = gateway.link(place, ID, "s3cr&t#1")
    assert link.startswith("view.html#")
    assert fragment(link) == {
        "host": "h", "port": "8080", "path": f"desktop/session/{ID}/websockify",
        "autoconnect": "true", "resize": "remote", "reconnect": "true", "password": "s3cr&t#1"}
    assert not urlsplit(link).query  # a query would be sent, and logged


def test_the_address_to_share_has_no_token(ask: Make, settings: Settings) -> None:
    place = gateway.place(ask(HTTPS="on"), settings)
    address = gateway.address(place, ID)
    assert address.startswith("https://desktop.example.org/desktop/view.html#")
    assert "password" not in fragment(address)
    assert fragment(address)["port"] == "443"


def test_ipv6_keeps_its_brackets(ask: Make, settings: Settings) -> None:
    place = gateway.place(ask(HTTP_HOST="[::1]:81"), settings)
    assert fragment(gateway.link(place, ID))["host"] == "[::1]"


@pytest.mark.parametrize(("origin", "changes"), [
    ("http://desktop.example.org", {}), ("https://desktop.example.org", {}),
    ("https://desktop.example.org", {"HTTPS": "on"}),
    ("http://H:8080", {"HTTP_HOST": "h:8080"}), ("http://[::1]:81", {"HTTP_HOST": "[::1]:81"}),
    ("https://outer.example.org", {}), ("https://alias.example.org", {}), (None, {})])
def test_forms_of_ours(ask: Make, settings: Settings, origin: str | None,
                       changes: dict[str, str]) -> None:
    ours = replace(settings, server_name="https://outer.example.org",
                   server_aliases=("alias.example.org",))
    gateway.check_origin(ask({}, HTTP_ORIGIN=origin, **changes), ours, False)


@pytest.mark.parametrize("origin", [
    "null", "", "http://evil.example", "http://desktop.example.org.evil.example",
    "http://desktop.example.org@evil.example", "http://evil.example/desktop.example.org",
    "http://desktop.example.org:8080", "http://evildesktop.example.org", "file://", "http://[",
    "http://desktop.example.org evil", "javascript:alert(1)", "//desktop.example.org",
    "http://desktop.example.org#", "desktop.example.org"])
def test_forms_of_others(ask: Make, settings: Settings, origin: str) -> None:
    with pytest.raises(Refusal) as problem:
        gateway.check_origin(ask({}, HTTP_ORIGIN=origin), settings, False)
    assert problem.value.status == 403


def test_a_foreign_origin_hears_of_the_setting(ask: Make, settings: Settings) -> None:
    with pytest.raises(Refusal, match="sets server_name = https://a.example:8443"):
        gateway.check_origin(ask({}, HTTP_ORIGIN="https://a.example:8443"), settings, False)
    named = replace(settings, server_name="https://b.example", server_aliases=("c.example",))
    with pytest.raises(Refusal, match="sets server_aliases = c.example, a.example"):
        gateway.check_origin(ask({}, HTTP_ORIGIN="https://a.example"), named, False)


def test_behind_a_proxy_the_origin_tells_where_the_browser_is(ask: Make,
                                                              settings: Settings) -> None:
    sent = ask({}, HTTP_ORIGIN="https://desktop.example.org")
    gateway.check_origin(sent, settings, True)
    assert gateway.place(sent, settings).address == "https://desktop.example.org/desktop/"
    assert gateway.place(ask(), settings).address == "http://desktop.example.org/desktop/"


@pytest.mark.parametrize(("headers", "name", "said"), [
    ({}, "", "without TLS"), ({"HTTPS": "on"}, "", ""), ({}, "https://outer.example", ""),
    ({}, "http://outer.example", "without TLS"), ({"HTTP_HOST": "localhost:8080"}, "", ""),
    ({"HTTP_HOST": "[::1]:8080"}, "", ""), ({"HTTP_HOST": "localhost.evil.example"}, "", "TLS"),
    ({"HTTP_X_FORWARDED_PROTO": "https"}, "", "sets trusted_proxies = 192.0.2.7."),
    ({"HTTP_X_FORWARDED_FOR": "198.51.100.1"}, "", "send X-Forwarded-Proto: https"),
    ({"HTTP_X_FORWARDED_FOR": "198.51.100.1", "HTTP_X_FORWARDED_PROTO": "http"}, "",
     "without TLS")])
def test_what_is_readable_on_the_way_is_said(ask: Make, settings: Settings,
                                             headers: dict[str, str], name: str,
                                             said: str) -> None:
    [notice] = gateway.notices(ask(**headers), replace(settings, server_name=name)) or [""]
    assert said in notice if said else not notice


def test_a_page_without_tls_is_foreign_to_one_with(ask: Make, settings: Settings) -> None:
    with pytest.raises(Refusal, match="TLS"):
        gateway.check_origin(ask({}, HTTP_ORIGIN="http://desktop.example.org", HTTPS="on"),
                             settings, False)


def test_no_origin_passes_only_when_nobody_is_named(ask: Make, settings: Settings) -> None:
    def check(ours: Settings, **changes: str) -> None:
        request = ask({}, **changes)
        gateway.check_origin(request, ours, login.by_itself(request, ours))

    believing = replace(settings, check_user_with_remote_user=True)
    check(settings, HTTP_COOKIE="theme=dark")
    check(settings, REMOTE_USER="ada")
    check(believing, HTTP_REMOTE_USER="ada")
    for ours, changes in ((settings, {"HTTP_COOKIE": "remote-desktop=x"}),
                          (believing, {"REMOTE_USER": "ada"})):
        with pytest.raises(Refusal) as problem:
            check(ours, **changes)
        assert problem.value.status == 403


def test_looking_is_free(ask: Make, settings: Settings) -> None:
    gateway.check_origin(ask(HTTP_ORIGIN="http://evil.example"), settings, True)
