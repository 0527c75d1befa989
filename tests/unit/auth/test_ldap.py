"""What LDAP's settings mean, and what is read from an entry, without a server."""

import pytest

from desktop.auth import ldap
from desktop.auth.directory import Entry
from desktop.errors import Refusal
from desktop.settings import Settings


@pytest.mark.parametrize(("server", "encryption", "port", "found"), [
    ("ldap.example.org", "starttls", 389, ("ldap.example.org", 389)),
    ("ldap.example.org", "ldaps", 389, ("ldap.example.org", 636)),
    ("ldap.example.org", "ldaps", 3269, ("ldap.example.org", 3269)),
    ("ldap.example.org:1389", "ldaps", 389, ("ldap.example.org", 1389)),
    ("192.0.2.7", "none", 389, ("192.0.2.7", 389)),
    ("2001:db8::7", "starttls", 389, ("2001:db8::7", 389)),
    ("[2001:db8::7]", "starttls", 389, ("2001:db8::7", 389)),
    ("[2001:db8::7]:1389", "starttls", 389, ("2001:db8::7", 1389))])
def test_servers(server: str, encryption: str, port: int, found: tuple[str, int]) -> None:
    settings = Settings(ldap_server=(server, "other"), ldap_tls=encryption, ldap_port=port)
    assert ldap.servers(settings)[0] == found and ldap.servers(settings)[1][0] == "other"


@pytest.mark.parametrize("server", ["ldaps://ldap.example.org", "ldap.example.org:", ":389",
                                    "ldap.example.org:ldap", "[2001:db8::7]:x"])
def test_no_server(server: str) -> None:
    with pytest.raises(Refusal, match="ldap_server"):
        ldap.servers(Settings(ldap_server=(server,)))


def test_where_people_are_looked_for() -> None:
    assert ldap.base(Settings(ldap_domain="example.org")) == "dc=example,dc=org"
    assert ldap.base(Settings(ldap_domain="example.org", ldap_base="o=x")) == "o=x"


@pytest.mark.parametrize(("dn", "attributes", "name"), [
    ("uid=ada,o=x", {"uid": ("ada",)}, "ada"),
    ("uid=ada,o=x", {"uid": ("aaron", "Ada")}, "Ada"),
    ("cn=Ada,o=x", {"uid": ("b", "a")}, "a"),
    ("cn=Ada,o=x", {"uid": ("a",), "samaccountname": ("Ada",)}, "Ada"),
    ("cn=Ada,o=x", {"uid": ("Jose\u0301",)}, "Jos\u00e9"),
    ("cn=Ada,o=x", {"uid": ("a b",)}, ""), ("cn=Ada,o=x", {}, "")])
def test_the_name_of_an_entry(dn: str, attributes: dict[str, tuple[str, ...]],
                              name: str) -> None:
    assert ldap.name_of(Entry(dn, attributes)) == name


@pytest.mark.parametrize(("mail", "kept"), [
    ("ada@example.org", True), ("\u00fc@example.org", True), ("ada", False), ("@", False),
    ("a@b@c", False), ("ada@example.org\r\nBcc: x@y", False), ("a b@example.org", False),
    ("x" * 250 + "@example.org", False)])
def test_the_address_of_an_entry(mail: str, kept: bool) -> None:
    assert ldap.mail_of(Entry("cn=x", {"mail": (mail,)})) == (mail if kept else "")


def test_spellings_of_one_name() -> None:
    assert len({ldap.folded(name) for name in ("ada", "ADA", "\uff41da", "a\u0301da", "\u00e1da")
                }) == 1
