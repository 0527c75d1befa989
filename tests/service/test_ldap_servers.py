"""Servers of the directory that one should not trust, that fail, or that are not there."""

import shutil
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from ldap3.protocol.rfc4511 import LDAPMessage
from pyasn1.codec.ber import decoder, encoder
from service.apache import free_port
from service.authority import Authority, Certificate
from service.between import Act, Between, chatters, drips, hangs, passes, says
from service.installation import short_directory
from service.slapd import Slapd

from desktop.auth import chain, directory
from desktop.auth.credentials import REJECTED, Credentials, Verdict
from desktop.errors import Refusal
from desktop.settings import Settings

SECRET = "ada-secret"
PEOPLE = "ou=people,dc=example,dc=org"
GARBAGE = b"\x30\x10" + bytes(range(16)) + b"\x30\x10" + bytes(range(16, 32))
Start = Callable[..., Slapd]


@pytest.fixture
def ours(slapd: Slapd, authority: Authority, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Settings for the plain directory; a server has less time than usual."""
    monkeypatch.setattr(directory, "PATIENCE", 4)
    return Settings(check_user_with_ldap=True, ldap_server=("localhost",), ldap_port=slapd.port,
                    ldap_ca_file=str(authority.ca), ldap_domain="example.org")


@pytest.fixture
def start(authority: Authority) -> Iterator[Start]:
    """Return what starts a server with another certificate or older ciphers."""
    with ExitStack() as stack:
        def make(certificate: Certificate, **how: str) -> Slapd:
            place = short_directory()
            stack.callback(shutil.rmtree, place)
            return stack.enter_context(Slapd(place, authority, certificate, **how))
        yield make


def ada(settings: Settings) -> Verdict:
    """Return the verdict on ada and her password."""
    return chain.check(settings, Credentials("ada", SECRET, "192.0.2.7"))


def binds(said: bytes) -> bool:
    """Tell whether a short message, after its header and its number, is a BindRequest."""
    return said[4 + said[3]] == 0x60


def refused(settings: Settings) -> None:
    """Make sure that ada is not let in, and not told why."""
    with pytest.raises(Refusal) as problem:
        ada(settings)
    assert problem.value.status == 503
    assert problem.value.message == "Names and passwords cannot be checked now."


def test_certificates(ours: Settings, start: Start, authority: Authority, tmp_path: Path,
                      caplog: pytest.LogCaptureFixture) -> None:
    another = Authority(tmp_path).certify("another")
    for certificate, why in (
            (authority.certify("over", lasts=timedelta(days=-1)), "certificate has expired"),
            (authority.certify("wrong", "ldap.example.org"), "not valid for 'localhost'"),
            (another, "ldap_ca_file names the CA")):
        server = start(certificate)
        for encryption, port in (("starttls", server.port), ("ldaps", server.ldaps)):
            caplog.clear()
            refused(replace(ours, ldap_tls=encryption, ldap_port=port))
            assert why in caplog.text
        assert not server.binds() and not server.searches()


def test_an_old_server_and_the_setting_that_admits_it(
        ours: Settings, start: Start, authority: Authority,
        caplog: pytest.LogCaptureFixture) -> None:
    server = start(authority.certify("old"), ciphers="NORMAL:-VERS-ALL:+VERS-TLS1.0")
    old = replace(ours, ldap_port=server.port)
    refused(old)
    assert "ldap_tls_least = 1.0" in caplog.text
    assert ada(replace(old, ldap_tls_least="1.0")).accepted


def test_starttls_stripped_in_the_middle(ours: Settings, slapd: Slapd,
                                         caplog: pytest.LogCaptureFixture) -> None:
    done, unknown = (b"\x78\x07\x0a\x01" + code for code in (b"\x00", b"\x02"))
    with Between(passes(slapd.port, (done, unknown))) as between:
        refused(replace(ours, ldap_port=between.port))
    assert "StartTLS with protocolError" in caplog.text
    assert between.heard and SECRET.encode() not in between.heard


@pytest.mark.parametrize(("encryption", "act"), [
    ("starttls", hangs), ("ldaps", hangs), ("none", hangs), ("none", drips), ("ldaps", drips),
    ("starttls", says()), ("ldaps", says()), ("none", says()),
    ("starttls", says(b"220 ready\r\n", b"\x30\x05hello")), ("none", says(b"", GARBAGE)),
    ("ldaps", says(GARBAGE)), ("starttls", says(b"", GARBAGE)), ("none", chatters)])
def test_whoever_does_not_answer_is_passed_over(ours: Settings, slapd: Slapd, act: Act,
                                                encryption: str) -> None:
    port = slapd.ldaps if encryption == "ldaps" else slapd.port
    talk = replace(ours, ldap_tls=encryption, ldap_port=port)
    with Between(act) as between:
        both = (f"localhost:{between.port}", "localhost")
        assert ada(replace(talk, ldap_server=both)).accepted
    assert between.visits == 1 and SECRET.encode() not in between.heard


def test_the_next_server_and_the_next_method(ours: Settings) -> None:
    down = f"localhost:{free_port()}"
    assert ada(replace(ours, ldap_server=(down, "nobody.invalid", "localhost"))).accepted
    alone = replace(ours, ldap_server=(down,))
    refused(alone)
    also = replace(alone, check_user_custom="/usr/bin/true")
    assert (ada(also).name, ada(also).method) == ("ada", "custom")


def test_a_server_that_is_too_busy_to_connect(ours: Settings) -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full:
        waiting = [socket.socket() for _ in range(4)]
        for one in waiting:
            one.setblocking(False)
            one.connect_ex(full.getsockname())
        try:
            both = (f"127.0.0.1:{full.getsockname()[1]}", "localhost")
            assert ada(replace(ours, ldap_server=both)).accepted
        finally:
            for one in waiting:
                one.close()


def test_a_password_is_shown_to_one_server(ours: Settings, slapd: Slapd) -> None:
    before = slapd.binds()
    leave = passes(slapd.port, edit=lambda said: b"" if said and binds(said) else said)
    for template in ("", f"uid={{user}},{PEOPLE}"):
        with Between(leave) as between:
            refused(replace(ours, ldap_tls="none", ldap_template=template,
                            ldap_server=(f"127.0.0.1:{between.port}", "localhost")))
        assert SECRET.encode() in between.heard
    assert slapd.binds() == before


def test_no_password_without_encryption_but_to_this_computer(
        ours: Settings, monkeypatch: pytest.MonkeyPatch,
        caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.setattr(socket.socket, "getpeername", lambda *_: ("192.0.2.1", 389))
    plain = replace(ours, ldap_tls="none")
    refused(plain)
    assert "ldap_tls = none is for a server on this computer" in caplog.text
    assert ada(replace(plain, ldap_allow_unencrypted=True)).accepted


def test_a_method_that_is_off_is_told_nothing(ours: Settings) -> None:
    with Between(hangs) as between:
        off = replace(ours, ldap_port=between.port, ldap_tls="none", check_user_with_ldap=False,
                      check_user_custom="/usr/bin/false")
        assert ada(off) == REJECTED
    assert not between.visits


def by_principal_name(names: dict[str, str]) -> Callable[[bytes], bytes]:
    """Return what turns principal names into DNs in a bind: Active Directory takes both."""
    def edit(said: bytes) -> bytes:
        if not said or not binds(said):
            return said
        asked, _ = decoder.decode(said, asn1Spec=LDAPMessage())
        bind = asked["protocolOp"]["bindRequest"]
        bind["name"] = names.get(str(bind["name"]), str(bind["name"]))
        return bytes(encoder.encode(asked))
    return edit


def test_signing_in_by_principal_name(ours: Settings, slapd: Slapd) -> None:
    users = "ou=Users,dc=ad,dc=test"
    grace, alan = rf"CN=Hopper\, Grace (G) \\ *,{users}", f"CN=Turing,{users}"
    knows = by_principal_name({"grace@ad.test": grace, "alan@ad.test": alan,
                               "ada@ad.test": alan})
    with Between(passes(slapd.port, edit=knows)) as between:
        talk = replace(ours, ldap_server=(f"127.0.0.1:{between.port}",), ldap_tls="none",
                       ldap_domain="ad.test", ldap_template="{user}@ad.test",
                       ldap_admin_group=rf"CN=Admins\, of desktops,{users}")

        def says(name: str, password: str) -> Verdict:
            return chain.check(talk, Credentials(name, password, "192.0.2.7"))
        assert says("grace", "grace-secret") == Verdict(
            True, "Grace", "ldap", True, "grace.hopper@ad.test")
        assert not says("alan", "alan-secret").admin
        said: list[str] = []
        chain.check(talk, Credentials("ada", "alan-secret", "192.0.2.7", said.append))
        assert said == ["ada", "Grace"]  # each before the password is shown for it
        for name, password in (("grace", "alan-secret"), ("nobody", "grace-secret"),
                               ("ada", "alan-secret"), ("ada", "grace-secret")):
            assert says(name, password) == REJECTED  # uid=ada is Grace's, ada@ad.test Alan's
