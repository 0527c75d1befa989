"""What an administrator is told of real servers: that they answer, for how long, and why not."""

from dataclasses import replace

import pytest
from service.apache import free_port
from service.authority import Authority
from service.mailserver import HOST, OTHER, OVER, PEOPLE, MailServer
from service.slapd import Slapd

from desktop.auth import certificate, doctor
from desktop.finding import Finding
from desktop.settings import Settings


@pytest.fixture
def ours(mail: MailServer, slapd: Slapd, authority: Authority,
         monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Settings of a site that asks a directory, then IMAP, then SMTP, and sends mails."""
    monkeypatch.setattr(certificate, "SOON", 0)  # the authority's are good for a day
    return Settings(**mail.settings(  # type: ignore[arg-type]
        check_user_with_imap=True, check_user_with_smtp=True, check_user_with_email=True,
        check_user_with_ldap=True, email_domains=("example.org",),
        email_from="desktop@example.org", ldap_server=("localhost",), ldap_port=slapd.port,
        ldap_ca_file=str(authority.ca), ldap_domain="example.org"))


def look(settings: Settings) -> dict[str, Finding]:
    """Return what is found of each way."""
    return {finding.name: finding for finding in doctor.look(settings)}


def test_servers_that_answer(ours: Settings, slapd: Slapd) -> None:
    found = look(ours)
    assert list(found) == ["ldap", "imap", "smtp", "email"]
    for name, finding in found.items():
        assert finding.good and "its certificate is valid until 20" in finding.text, finding
    assert found["ldap"].text.startswith(f"localhost:{slapd.port} answers")
    plain = replace(ours, ldap_tls="none", imap_use_ssl="none")
    assert "without TLS" in look(plain)["ldap"].text


def test_certificates_that_end_soon(ours: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(certificate, "SOON", 14)
    assert not any(finding.good for finding in look(ours).values())


def test_servers_that_do_not(ours: Settings, mail: MailServer) -> None:
    port = free_port()
    found = look(replace(ours, ldap_port=port, imap_server=OVER, smtp_port=mail.other_port,
                         email_method="simple"))
    assert not any(finding.good for finding in found.values()), found
    assert f"localhost:{port}: Connection refused" in found["ldap"].text
    assert "expired" in found["imap"].text and "not valid for" in found["smtp"].text
    found = look(replace(ours, imap_server=OTHER, ldap_ca_file="", smtp_ca_file=""))
    assert "not valid for" in found["imap"].text
    assert "ldap_ca_file names the CA" in found["ldap"].text
    assert "smtp_ca_file names the CA" in found["smtp"].text
    assert look(replace(ours, ldap_server=()))["ldap"].text == "ldap_server is not set."
    assert look(replace(ours, smtp_server=""))["email"].text == "smtp_server is not set."


def test_a_directory_that_answers_and_is_of_no_use(ours: Settings) -> None:
    found = look(replace(ours, ldap_base="dc=nowhere,dc=org"))["ldap"]
    assert not found.good and "shows no dc=nowhere,dc=org" in found.text
    found = look(replace(ours, ldap_domain="ad.test"))["ldap"]
    assert not found.good and ("ldap_bind_dn" in found.text or "ldap_bind_dn" in found.cure)


def test_each_server_is_told_of(ours: Settings, slapd: Slapd) -> None:
    several = replace(ours, ldap_server=(f"localhost:{free_port()}", f"localhost:{slapd.port}"))
    found = [finding for finding in doctor.look(several) if finding.name == "ldap"]
    assert [finding.good for finding in found] == [False, True]


def test_mails_to_nobody(ours: Settings) -> None:
    found = [finding for finding in doctor.look(replace(ours, email_domains=()))
             if finding.name == "email"]
    assert [finding.good for finding in found] == [False, True]
    assert not look(replace(ours, email_from="x"))["email"].good


def test_a_name_is_tried_in_turn(ours: Settings) -> None:
    found = list(doctor.attempt(ours, "ada", PEOPLE["ada"]))
    assert [(one.name, one.good) for one in found] == [("ldap", False), ("imap", True)]
    found = list(doctor.attempt(ours, "ada", "ada-secret"))
    assert [one.name for one in found] == ["ldap"] and "ada.lovelace@example.org" in found[0].text
    found = list(doctor.attempt(replace(ours, ldap_port=free_port()), "ada", "wrong"))
    assert [one.name for one in found] == ["ldap", "imap", "smtp"]
    assert "cannot be asked" in found[0].text and "No ldap_server has answered" in found[0].text
    assert HOST not in found[1].text
