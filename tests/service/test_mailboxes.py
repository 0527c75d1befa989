"""IMAP and SMTP against Dovecot and Postfix, and against whatever may sit there instead."""

import random
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from service import between
from service.authority import Authority
from service.between import Between
from service.mailserver import OTHER, OVER, PEOPLE, MailServer
from service.until import until

from desktop.auth import chain, imap, smtp
from desktop.auth.credentials import Credentials, Verdict, canonical
from desktop.errors import Refusal
from desktop.mail import imap as imap_server
from desktop.mail import sending
from desktop.mail import smtp as smtp_server
from desktop.settings import Settings

METHODS: dict[str, Any] = {"imap": imap, "smtp": smtp}


@pytest.fixture
def settings(mail: MailServer) -> Settings:
    """Return those of a site that asks both servers."""
    return Settings(**mail.settings(check_user_with_imap=True,  # type: ignore[arg-type]
                                    check_user_with_smtp=True))


@pytest.fixture(params=METHODS)
def method(request: pytest.FixtureRequest) -> str:
    """Return each of the two."""
    return str(request.param)


def change(settings: Settings, method: str, **values: object) -> Settings:
    """Change settings of one of the two servers; `port`, `use_ssl` and so on."""
    return replace(settings, **{f"{method}_{name}": value  # type: ignore[arg-type]
                                for name, value in values.items()})


def check(settings: Settings, method: str, user: str = "ada",
          password: str = PEOPLE["ada"]) -> Verdict:
    """Ask one server."""
    verdict: Verdict = METHODS[method].check(settings, Credentials(user, password, "192.0.2.7"))
    return verdict


def problem(settings: Settings, method: str) -> str:
    """Return why a server cannot be asked, in words for the log."""
    with pytest.raises(Refusal) as refused:
        check(settings, method)
    assert refused.value.status == 503
    return str(refused.value)


@pytest.mark.parametrize("user", ["ada", "ü", "long", "ADA", "Ü"])
def test_who_has_a_mailbox_enters(settings: Settings, method: str, user: str) -> None:
    name = user.lower()
    assert check(settings, method, user, PEOPLE[name]) == Verdict(True, name, method)
    for wrong in ("wrong", PEOPLE[name] + "x", PEOPLE[name][:-1], PEOPLE["desktop"], "ü\u2028"):
        assert not check(settings, method, user, wrong).accepted


def test_by_tls_from_the_start_and_by_starttls(settings: Settings, mail: MailServer) -> None:
    assert check(change(settings, "imap", use_ssl="starttls", port=mail.imap), "imap").accepted
    assert check(change(settings, "smtp", use_ssl="ssl", port=mail.submissions), "smtp").accepted


def test_a_domain_makes_one_person_of_two_names(settings: Settings, method: str) -> None:
    ours = change(settings, method, domain="Example.org")
    for typed in ("ada", "ada@example.org", "Ada@EXAMPLE.ORG"):
        assert check(ours, method, typed) == Verdict(True, "ada", method, mail="ada@example.org")
    assert not check(ours, method, "ada@elsewhere.org").accepted
    verdict = check(settings, method, "ada@example.org")
    assert verdict == Verdict(True, "ada@example.org", method, mail="ada@example.org")


@pytest.mark.parametrize("typed", ["*", "a)(cn=*", "\\2a", "ü", "a b", "ada\r\n", "ada*desktop",
                                   "ada\0", '"ada"', "ada%desktop", "", " ", "ada\n. NOOP",
                                   "@example.org", "@"])
def test_strange_names_and_passwords(settings: Settings, typed: str, mail: MailServer) -> None:
    before = mail.words().count("improper")
    assert not chain.check(settings, Credentials(canonical(typed), PEOPLE["ada"], "")).accepted
    assert not chain.check(settings, Credentials("ada", typed, "")).accepted
    assert mail.words().count("improper") == before
    noise = random.Random(typed).randbytes(10000).decode("latin-1")
    assert not chain.check(settings, Credentials("ada", noise, "")).accepted
    assert not chain.check(settings, Credentials(canonical(noise), "x", "")).accepted


def test_a_name_goes_with_its_account_before_a_password_is_shown(settings: Settings,
                                                                 method: str) -> None:
    told: list[str] = []

    def full(name: str) -> None:
        told.append(name)
        raise Refusal("Too many.", 429)
    for typed in ("ada", "ADA", "ada@example.org"):
        with pytest.raises(Refusal, match="Too many"):
            METHODS[method].check(change(settings, method, server="invalid.example"),
                                  Credentials(typed, "x", "", full))
    assert told == ["ada"] * 3


@pytest.mark.parametrize(("host", "port", "words"), [
    (OVER, "over_port", "expired"), (OTHER, "other_port", "not valid for")])
def test_bad_certificates(settings: Settings, mail: MailServer, method: str, host: str,
                          port: str, words: str) -> None:
    ours = change(settings, "imap", server=host)
    ours = change(ours, "smtp", port=getattr(mail, port))
    assert words in problem(ours, method)
    assert words in problem(change(ours, "imap", use_ssl="starttls", port=mail.imap), method)


def test_an_authority_nobody_knows(settings: Settings, method: str, tmp_path: Path) -> None:
    assert f"{method}_ca_file names the CA" in problem(change(settings, method, ca_file=""),
                                                       method)
    other = Authority(tmp_path, "other")
    assert "certificate" in problem(change(settings, method, ca_file=str(other.ca)), method)


def test_only_old_tls(settings: Settings, mail: MailServer, method: str) -> None:
    with Between(between.old_tls(mail.facts["good"], between.passes(mail.imap))) as old:
        ours = change(settings, method, port=old.port if method == "imap" else mail.old_port)
        words = problem(ours, method)
        assert f"{method}_tls_least = 1.0 admits" in words and "protocol" in words
        assert check(change(ours, method, tls_least="1.0"), method).accepted


def secrets(between: Between) -> list[bytes]:
    """Return in what forms the password came by."""
    word = PEOPLE["ada"].encode()
    return [form for form in (word, b64encode(word), b64encode(b"\0ada\0" + word),
                              b64encode(b"x" + word)[4:-4]) if form in between.heard]


@pytest.mark.parametrize("changes", [[(b"STARTTLS", b"XSTARTLS")],
                                     [(b"LOGINDISABLED", b"X"), (b"STARTTLS", b"AUTH=PLAIN")],
                                     [(b"* OK", b"* PREAUTH")], [(b"250-", b"250 ")]])
def test_starttls_struck_out(settings: Settings, mail: MailServer, method: str,
                             changes: list[tuple[bytes, bytes]]) -> None:
    port = mail.imap if method == "imap" else mail.submission
    if changes[0][1] == b"* PREAUTH" and method == "smtp" or (
            changes[0][0] == b"250-" and method == "imap"):
        return
    with Between(between.passes(port, *changes)) as man:
        assert problem(change(settings, method, port=man.port, use_ssl="starttls"), method)
    assert man.heard is not None and not secrets(man)


@pytest.mark.parametrize("use_ssl", ["ssl", "starttls"])
@pytest.mark.parametrize("act", [
    between.hangs, between.drips, between.says(), between.says(b"220 "), between.says(b"* OK"),
    between.says(b"220 x ESMTP\r\n", b"250-x\r\n250 STARTTLS\r\n", b"220 Go\r\n", b"junk"),
    between.says(b"* OK [CAPABILITY IMAP4rev1 STARTTLS] x\r\n", b"", b"junk\r\n"),
    between.says(random.Random(1).randbytes(10000).replace(b"\n", b"\r\n")),
    between.says(b"250 x\r\n" * 1500), between.says(b"* " * 100000)])
def test_no_server_at_all(settings: Settings, method: str, use_ssl: str, act: between.Act,
                          monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (imap_server, smtp_server):
        monkeypatch.setattr(module, "PATIENCE", 1)
    with Between(act) as other:
        assert problem(change(settings, method, port=other.port, use_ssl=use_ssl), method)
    assert not secrets(other)


def test_a_server_that_is_down(settings: Settings, method: str) -> None:
    with Between(between.hangs) as gone:
        pass
    assert "refused" in problem(change(settings, method, port=gone.port), method)
    assert "is not set" in problem(change(settings, method, server=""), method)
    with pytest.raises(Refusal, match="cannot be checked now") as refused:
        chain.check(change(settings, "smtp" if method == "imap" else "imap", port=gone.port),
                    Credentials("ada", "wrong", ""))
    assert method not in str(refused.value)
    ours = change(settings, "imap", port=gone.port)
    assert chain.check(ours, Credentials("ada", PEOPLE["ada"], "")).method == "smtp"


def test_it_takes_its_leave(settings: Settings, mail: MailServer) -> None:
    said = ("Logged out", "quit=1")
    before = [mail.words().count(word) for word in said]
    assert check(settings, "imap").accepted and check(settings, "smtp").accepted
    until(lambda: all(mail.words().count(word) > count for word, count in zip(said, before)), 20)


def test_a_mail_by_the_port_of_relays(settings: Settings, mail: MailServer,
                                      monkeypatch: pytest.MonkeyPatch) -> None:
    mail.clear()
    monkeypatch.setattr(sending, "PLAIN_PORT", mail.relay)
    ours = replace(settings, email_method="simple", smtp_use_ssl="none", email_passwd="not used",
                   email_from="desktop@example.org", server_name="https://desktop.example.org/x")
    sending.send(ours, *(sending.compose(ours, "ada@example.org", word, word, word)
                         for word in ("one", "two")))
    found = until(lambda: len(both := mail.received("ada")) == 2 and both, 30, "two mails")
    assert {message["Subject"] for message in found} == {"one", "two"}
    assert "desktop.example.org" in found[0]["Received"]


def test_without_tls_only_to_this_computer(settings: Settings, mail: MailServer) -> None:
    ours = change(settings, "imap", use_ssl="none", port=mail.imap)
    assert check(ours, "imap").accepted


@pytest.fixture(scope="module", autouse=True)
def nothing_said(mail: MailServer) -> Iterator[None]:
    """No password stands in the servers' logs either, which would be ours to explain."""
    yield
    assert not [word for word in PEOPLE.values() if word in mail.words()]
