"""TLS to servers that are shown passwords, against real handshakes."""

import socket
import ssl
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from service.authority import Authority, Certificate

from desktop import tls
from desktop.errors import Refusal
from desktop.settings import Settings

Serve = Callable[..., int]


@pytest.fixture
def settings() -> Settings:
    return Settings()


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


@pytest.fixture
def trusting(settings: Settings, authority: Authority) -> Settings:
    return replace(settings, ldap_ca_file=str(authority.ca))


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Return what starts a server that shakes hands once, and gives its port."""
    threads: list[threading.Thread] = []

    def start(certificate: Certificate, most: ssl.TLSVersion | None = None) -> int:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate.both)
        if most:
            context.set_ciphers("DEFAULT:@SECLEVEL=0")
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", DeprecationWarning)
                context.minimum_version = ssl.TLSVersion.TLSv1
                context.maximum_version = most
        listening = socket.create_server(("127.0.0.1", 0))
        threads.append(threading.Thread(target=shake_hands, args=(listening, context)))
        threads[-1].start()
        port: int = listening.getsockname()[1]
        return port
    yield start
    for thread in threads:
        thread.join(20)


def shake_hands(listening: socket.socket, context: ssl.SSLContext) -> None:
    """Accept one connection and greet whoever agrees on TLS."""
    listening.settimeout(20)
    try:
        with listening, listening.accept()[0] as plain, \
                context.wrap_socket(plain, server_side=True) as sock:
            sock.sendall(b"hello")
    except OSError:
        pass


def greeting(settings: Settings, port: int, host: str = "localhost") -> str:
    """Return what a server says, or what we say of it."""
    try:
        with tls.connect("127.0.0.1", port) as plain, tls.context(settings, "ldap").wrap_socket(
                plain, server_hostname=host) as sock:
            return sock.recv(5).decode()
    except OSError as error:
        return tls.explain(settings, "ldap", error)


def test_a_good_certificate(trusting: Settings, authority: Authority, serve: Serve) -> None:
    assert greeting(trusting, serve(authority.certify("good"))) == "hello"
    assert greeting(trusting, serve(authority.certify("good")), "127.0.0.1") == "hello"


def test_bad_certificates_and_what_is_said(trusting: Settings, authority: Authority,
                                           serve: Serve) -> None:
    over = authority.certify("over", lasts=timedelta(days=-1))
    assert greeting(trusting, serve(over)) == "certificate has expired"
    other = authority.certify("other", "ldap.example.org")
    assert "not valid for 'localhost'" in greeting(trusting, serve(other))
    system = replace(trusting, ldap_ca_file="")
    assert "ldap_ca_file names" in greeting(system, serve(authority.certify("good")))


def test_another_authority_of_the_same_name(trusting: Settings, authority: Authority,
                                            serve: Serve, tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    forged = Authority(tmp_path / "b").certify("forged")
    assert "hello" not in greeting(trusting, serve(forged))


def test_an_old_server_is_let_in_by_the_setting_that_the_error_names(
        trusting: Settings, authority: Authority, serve: Serve) -> None:
    certificate = authority.certify("old")
    for old in (ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1):
        assert "ldap_tls_least = 1.0" in greeting(trusting, serve(certificate, old))
        lowered = replace(trusting, ldap_tls_least="1.0")
        assert greeting(lowered, serve(certificate, old)) == "hello"
        assert "not valid" in greeting(lowered, serve(certificate, old), "example.org")
    strict = replace(trusting, ldap_tls_least="1.3")
    assert "ldap_tls_least" in greeting(strict, serve(certificate, ssl.TLSVersion.TLSv1_2))


def test_no_tls_at_all(trusting: Settings) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        def chat() -> None:
            with listening.accept()[0] as sock:
                sock.recv(100)
                sock.sendall(b"220 ready when you are\r\n")
        thread = threading.Thread(target=chat)
        thread.start()
        said = greeting(trusting, listening.getsockname()[1])
        thread.join(20)
    assert "does not speak TLS" in said


def test_a_ca_file_that_cannot_be_used(settings: Settings, tmp_path: Path) -> None:
    for content in (None, b"", b"garbage", b"-----BEGIN CERTIFICATE-----\nAAAA\n"):
        path = tmp_path / "ca"
        if content is not None:
            path.write_bytes(content)
        with pytest.raises(Refusal, match="ldap_ca_file") as problem:
            tls.context(replace(settings, ldap_ca_file=str(path)), "ldap")
        assert problem.value.status == 503


def test_who_does_not_answer_has_a_share_of_the_time(
        monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full, \
            socket.create_server(("127.0.0.1", 0)) as good:
        fillers = [socket.socket() for _ in range(4)]
        for one in fillers:  # a full backlog: no more connections are answered
            one.setblocking(False)
            one.connect_ex(full.getsockname())
        known = [(socket.AF_INET, socket.SOCK_STREAM, 0, "", one.getsockname())
                 for one in (full, good)]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: known)
        before = time.monotonic()
        with tls.connect("any", 1, 1) as sock:
            assert sock.getpeername() == good.getsockname()
        assert time.monotonic() - before >= 0.4
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: known[:1])
        with pytest.raises(TimeoutError):
            tls.connect("any", 1, 0.3)
        for one in fillers:
            one.close()
