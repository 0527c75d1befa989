"""Which TLS in which virtual host: what is asked for, what was before, what there is."""

from pathlib import Path

import pytest
from service.authority import Authority

import tls
from places import SITE
from report import Problem
from sites import Host


def host(site: str, port: int, *names: str, secure: bool = False) -> Host:
    return Host(Path(f"/etc/apache2/sites-available/{site}.conf"), 1, port, names[0], names[1:],
                secure)


PLAIN = host("000-default", 80, "a.example")
WEB = host("web", 80, "b.example", "www.b.example")
WEB_TLS = host("web-tls", 8443, "b.example", secure=True)
OURS = Host(SITE, 1, 443, "localhost", (), True)


def choose(text: str = "", site: str = "", known: dict[str, str] | None = None,
           hosts: tuple[Host, ...] = (PLAIN,)) -> tls.Choice:
    return tls.choose(tls.parse(text, site), known or {}, hosts)


def test_the_first_time_there_is_always_tls() -> None:
    assert choose().kind == "self" and choose(hosts=()).certificate == tls.SNAKEOIL[0]
    found = choose(hosts=(PLAIN, WEB, WEB_TLS))
    assert (found.kind, found.site, found.certificate, found.port) == ("existing", "", "", 8443)
    assert not found.hosts, "everywhere"
    assert "web-tls" in tls.described(found) and "WITHOUT" in tls.described(choose("off"))


def test_who_comes_without_tls_is_sent_to_its_port(ports_conf: Path) -> None:
    assert b'DESKTOP_TLS "%{SERVER_NAME}"\nDefine DESKTOP_PLAIN 80\n' in tls.redirect(choose())
    found = tls.redirect(choose(hosts=(WEB, WEB_TLS)))
    assert b'DESKTOP_TLS "%{SERVER_NAME}:8443"' in found
    ports_conf.write_text("Listen 443\n")
    assert b"PLAIN" not in tls.redirect(choose()), "there is nobody to be sent"


def test_what_is_there_stays_until_something_else_is_asked_for() -> None:
    for text in ("self", "off"):
        assert choose(known=choose(text).facts(), hosts=(PLAIN, OURS)).kind == text
    grown = (PLAIN, OURS, WEB_TLS)  # by certbot --apache, say
    assert choose(known=choose("self").facts(), hosts=grown).kind == "self"
    assert choose("existing", known=choose("self").facts(), hosts=grown).port == 8443
    known = choose(site="web-tls", hosts=(PLAIN, WEB, WEB_TLS)).facts()
    assert choose(known=known, hosts=(PLAIN, WEB, WEB_TLS)).site == "web-tls"
    assert not choose(site="all", known=known, hosts=(PLAIN, WEB, WEB_TLS)).site


def test_in_one_site_and_its_twin_without_tls() -> None:
    found = choose(site="web-tls.conf", hosts=(PLAIN, WEB, WEB_TLS))
    assert found.hosts == (WEB_TLS, WEB) and found.names == ("b.example",)
    made = choose("self", site="000-default", hosts=(PLAIN, WEB, WEB_TLS))
    assert made.hosts == (PLAIN,) and made.names == ("a.example",)
    text = tls.virtual_host(made).decode()
    assert "ServerName a.example" in text and "IncludeOptional" in text
    assert choose("off", site="web", hosts=(PLAIN, WEB)).hosts == (WEB,)


@pytest.mark.parametrize(("text", "site", "hosts", "said"), [
    ("", "nope", (PLAIN, WEB), "000-default, web"),
    ("existing", "", (PLAIN, OURS), "certbot"),
    ("existing", "web", (WEB, WEB_TLS), "--site=web-tls"),
    ("self", "", (PLAIN, WEB_TLS), "--tls=existing"),
    ("self", "web", (WEB, WEB_TLS), "--tls=existing --site=web-tls"),
    ("/nonexistent,/nonexistent", "", (PLAIN,), "two files in pem")])
def test_what_cannot_be_is_said_with_what_can(text: str, site: str, hosts: tuple[Host, ...],
                                              said: str) -> None:
    with pytest.raises(Problem, match="nothing was changed|Nothing was changed") as problem:
        choose(text, site, hosts=hosts)
    assert said.lower() in problem.value.hint.lower()


@pytest.mark.parametrize("text", ["selfish", "cert.pem", ",key", "cert,", "Off"])
def test_a_wrong_word(text: str) -> None:
    with pytest.raises(Problem, match="self, CERT,KEY, existing, off"):
        tls.parse(text)


def test_files_of_the_site(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    one = authority.certify("one", "desktop.example.org", "www.example.org", "*.example.org")
    found = choose(f"{one.file},{one.key}", hosts=(PLAIN, WEB_TLS))
    assert found.names == ("desktop.example.org", "www.example.org", "*.example.org")
    assert found.kind == "files" and found.facts()["certificate"] == str(one.file)
    assert choose(known=found.facts()).certificate == str(one.file)
    other = authority.certify("other", "other.example.org")
    with pytest.raises(Problem, match="cannot be used"):
        choose(f"{one.file},{other.key}")
