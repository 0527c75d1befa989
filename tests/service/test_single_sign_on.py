"""People whom Apache knows already: OpenID Connect as in the README, and a directory."""

import re
import shutil
import subprocess
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent
from urllib.parse import urlsplit

import pytest
from service.apache import MODULES, free_port
from service.authority import Authority
from service.chromium import browser
from service.conftest import Install
from service.installation import ROOT, Goods, Installation
from service.person import Desktop, Person, Reply
from service.provider import Client, Provider
from service.slapd import Slapd
from service.until import until
from service.websocket import Address

SCRIPTS = ("", "index.html", "create", "monitor", "admin")
OPEN = ("terms.html", "style.css", "form.js", "view.html", "novnc/vnc.html", "novnc/core/rfb.js")
SPOOFED = {name: "root" for name in (
    "REMOTE_USER", "Remote_User", "X_Remote_User", "X_Forwarded_User", "OIDC_CLAIM_sub",
    "OIDC_CLAIM_preferred_username", "Auth_User")}
BASIC = b64encode(b"ada:ada-secret").decode()


def example(word: str) -> str:
    """Return the configuration of the README in which a word stands."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    found, = (block for block in re.findall(r"(?:^ {4}.*\n)+", readme, re.M) if word in block)
    return dedent(found)


def modules(*names: str) -> str:
    """Return what loads modules besides the usual."""
    return "".join(f"LoadModule {name}_module {MODULES}/mod_{name}.so\n" for name in names)


@pytest.fixture(scope="module")
def provider() -> Iterator[Provider]:
    """The institution's provider."""
    with Provider() as found:
        yield found
        assert not found.complaints


@pytest.fixture(scope="module")
def connected(goods: Goods, provider: Provider) -> Iterator[Installation]:
    """An installation with the README's example, of which hosts and secrets alone are changed."""
    conf = example("openid-connect")
    for old, new in (("https://login.example.org", provider.issuer),
                     ("CLIENT-SECRET", "client-secret-of-ours"),
                     ("AT-LEAST-32-RANDOM-CHARACTERS", "0123456789abcdef0123456789abcdef")):
        assert conf.count(old) == 1
        conf = conf.replace(old, new)
    with Installation(goods, more=modules("authz_user", "auth_openidc") + conf, user_admin="root",
                      check_user_with_remote_user=1, check_user_with_htpasswd=0,
                      remote_user_sign_out="/desktop/oidc?logout=%2Fdesktop%2Fterms.html") as site:
        provider.client = Client("remote-desktop", "client-secret-of-ours",
                                 f"{site.stranger().origin}/desktop/oidc")
        yield site


def inside(reply: Reply) -> str:
    """Return where a reply leads, without the server."""
    parts = urlsplit(reply.headers["Location"])
    return f"{parts.path}?{parts.query}" if parts.query else parts.path


def come_in(site: Installation, provider: Provider, name: str) -> Person:
    """Return somebody who came by the provider."""
    person = site.stranger()
    asked = person.get("")
    assert asked.status == 302 and asked.headers["Location"].startswith(provider.issuer)
    there = Person(Address("127.0.0.1", provider.server_address[1]))
    assert there.get(inside(asked)).status == 200
    back = there.post(inside(asked), {"name": name})
    assert back.headers["Location"].startswith(provider.client.back)
    again = person.get(inside(back))
    assert again.status == 302 and inside(again) == "/desktop/", str(again)
    return person


def test_who_did_not_come_by_the_provider(connected: Installation, provider: Provider) -> None:
    stranger = connected.stranger()
    forged = {"mod_auth_openidc_session": "0123456789abcdef", "remote-desktop": "x"}
    for cookies in ({}, forged):
        for headers in ({}, SPOOFED):
            for path in SCRIPTS:
                stranger.cookies = dict(cookies)
                reply = stranger.get(path, **headers)
                assert reply.status == 302, f"{path} {reply}"
                assert reply.headers["Location"].startswith(f"{provider.issuer}/authorize?")
            stranger.cookies = dict(cookies)
            told = stranger.get("create", Accept="application/json", **headers).json
            assert told["person"]["name"] is None and not any(told["enter"].values())
            assert "administrator" in told["words"]["help"]
            assert stranger.get("monitor", Accept="application/json", **headers).status == 401
            for path in ("create", "monitor", "admin"):
                reply = stranger.post(path, {"action": "purge", "confirm": "purge"} if path == (
                    "admin") else {"terms": "1"} if path == "create" else {"action": "stop"},
                    **headers)
                assert reply.status == 401, f"{path} {reply}"
    for path in OPEN:
        assert connected.stranger().get(path).status == 200, path


def test_who_did(connected: Installation, provider: Provider) -> None:
    given = provider.given
    eve = come_in(connected, provider, "eve@example.org")
    assert provider.given == given + 1
    assert eve.get("").status == 200
    offer = eve.get("create", Accept="application/json", **SPOOFED).json
    assert offer["person"] == {"name": "eve@example.org", "admin": False, "sign_out":
                               "/desktop/oidc?logout=%2Fdesktop%2Fterms.html"}
    desktop = eve.create()
    record = connected.record(desktop.id)
    assert (record["owner"], record["method"]) == ("eve@example.org", "remote_user")
    desktop.view().look().leave()
    Desktop(connected.stranger(), desktop.facts).view().look().leave()  # a guest
    assert come_in(connected, provider, "mallory").stop(desktop.id).status == 404
    root = come_in(connected, provider, "root")
    assert desktop.id in root.get("monitor").text
    assert come_in(connected, provider, "Root").get("admin").status == 403
    assert desktop.stop().status == 200
    out = eve.get(offer["person"]["sign_out"])
    assert out.status == 302 and inside(out) == "/desktop/terms.html", str(out)
    assert eve.get("monitor").status == 302


def test_it_counts_before_our_own_cookie(connected: Installation, provider: Provider) -> None:
    connected.configure(check_user_with_htpasswd=1)
    person = come_in(connected, provider, "eve")
    ada = connected.stranger("ada")
    assert ada.sign_in().status == 303 and ada.cookies["remote-desktop"]
    person.cookies |= ada.cookies
    assert person.get("create", Accept="application/json").json["person"]["name"] == "eve"
    connected.configure()


def test_names_that_nobody_can_have_here(connected: Installation, provider: Provider) -> None:
    for name in ("a b", "https://issuer.example.org/x", "root\u202e", "x" * 200):
        person = come_in(connected, provider, name)
        assert person.get("monitor").status == 403
        assert person.get("admin").status == 403


def test_in_a_browser(connected: Installation, provider: Provider) -> None:
    origin = connected.stranger().origin
    with browser() as page:
        page.open(f"{origin}/desktop/")
        page.fill("#name", "eve")
        page.find("button").click()
        until(lambda: page.find("#person").text == "eve", 30)
        assert not page.driver.find_element("id", "user").is_displayed()
        page.find("label:has(input[value='empty.raw'])").click()
        page.tick("#persistent")
        page.tick("#terms")
        page.find("#start").click()
        button = page.find("a.button[href*='view.html']", 60)
        first = page.driver.current_window_handle
        page.new_tab(button)
        assert page.screen()[0] > 300
        page.driver.close()
        page.driver.switch_to.window(first)
        page.open(f"{origin}/desktop/")
        page.find("label:has(input[value='empty.raw'])").click()
        page.driver.delete_cookie("mod_auth_openidc_session")  # it was over meanwhile
        page.tick("#terms")
        page.find("#start").click()
        again = page.find("a.button[href='./']")
        assert "was not" in page.find("main").text
        again.click()
        page.fill("#name", "eve")
        page.find("button").click()
        page.find("#sign-out-elsewhere").click()
        until(lambda: page.driver.current_url.endswith("/desktop/terms.html"))
        page.open(f"{origin}/desktop/monitor")
        page.find("#name")


def test_headers_alone_are_nobody(site: Installation) -> None:
    site.configure(check_user_with_remote_user=1)
    for headers in (SPOOFED, {"Authorization": f"Basic {BASIC}"}):
        person = site.stranger()
        assert person.get("monitor", **headers).status == 401
        offer = person.get("create", Accept="application/json", **headers).json
        assert offer["person"]["name"] is None
        assert person.post("admin", {"action": "purge", "confirm": "purge"},
                           **headers).status == 401


def test_a_directory_that_apache_asks(install: Install, authority: Authority,
                                      slapd: Slapd) -> None:
    """By number: libldap takes the certificate of `localhost` for the host's own name."""
    site = install(check_user_with_remote_user=1, check_user_with_htpasswd=0, more=modules(
        "authz_user", "auth_basic", "ldap", "authnz_ldap") + f"""
LDAPTrustedGlobalCert CA_BASE64 {authority.ca}
<LocationMatch "^/desktop/(|index\\.html|create|monitor|admin)$">
    AuthType Basic
    AuthName "Institution"
    AuthBasicProvider ldap
    AuthLDAPURL "ldap://127.0.0.1:{slapd.port}/ou=people,dc=example,dc=org?uid" STARTTLS
    AuthLDAPRemoteUserAttribute uid
    Require valid-user
</LocationMatch>
""")
    ada = {"Authorization": f"Basic {BASIC}"}
    wrong = {"Authorization": f"Basic {b64encode(b'ada:ada-secre').decode()}"}
    person = site.stranger()
    for headers in ({}, wrong, SPOOFED, {**SPOOFED, **wrong}):
        for path in SCRIPTS:
            assert person.get(path, **headers).status == 401, path
    offer = person.get("create", Accept="application/json", **ada).json
    assert offer["person"]["name"] == "ada"
    fields = {"machine": "empty.raw", "terms": "1", "persistent": "1"}
    json = {"Accept": "application/json", **ada}
    for origin in ("http://evil.example", None):  # a browser sends the password by itself
        assert person.post("create", fields, **{**json, "Origin": origin}).status == 403
    assert person.post("create", fields, **json).status == 403, "without a ticket"
    reply = person.post("create", {**fields, "ticket": offer["tickets"]["create"]}, **json)
    assert reply.status == 201, str(reply)
    Desktop(site.stranger(), reply.json).view().look().leave()
    stop = {"action": "stop", "session": reply.json["session"], "ticket": reply.json["ticket"]}
    assert person.post("monitor", stop, **json).status == 200


def test_apache_takes_the_example_for_kerberos(tmp_path: Path) -> None:
    conf = tmp_path / "apache.conf"
    conf.write_text(f"ServerRoot {tmp_path}\nServerName localhost\n"
                    f"Listen 127.0.0.1:{free_port()}\nErrorLog {tmp_path}/error.log\n"
                    f"PidFile {tmp_path}/pid\n" + modules(
                        "mpm_event", "authn_core", "authz_core", "authz_user", "auth_gssapi")
                    + example("GSSAPI"))
    run = subprocess.run([shutil.which("apache2", path="/usr/sbin") or "", "-t", "-f", conf],
                         capture_output=True, text=True, check=False,
                         env={"PATH": "/usr/sbin:/usr/bin", "APACHE_RUN_DIR": str(tmp_path)})
    assert run.returncode == 0 and "Syntax OK" in run.stderr, run.stderr
