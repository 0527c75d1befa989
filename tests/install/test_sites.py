"""Beside what Apache serves already: two sites, one of them with TLS, by the installer's hand."""

from collections.abc import Iterator

import pytest
from install.debian import Debian
from install.desk import Desk, password

SITES = {"one": """\
<VirtualHost *:{0}>
    ServerName one.example
    DocumentRoot /srv/one
</VirtualHost>
""", "two": """\
<VirtualHost *:{0}>
    ServerName two.example
    DocumentRoot /srv/two
</VirtualHost>
<VirtualHost *:{1}>
    ServerName two.example
    DocumentRoot /srv/two
    SSLEngine on
    SSLCertificateFile /etc/ssl/certs/ssl-cert-snakeoil.pem
    SSLCertificateKeyFile /etc/ssl/private/ssl-cert-snakeoil.key
</VirtualHost>
<Directory /srv>
    Require all granted
</Directory>
"""}


@pytest.fixture(scope="module")
def desk(trixie: Debian) -> Desk:
    """An installation on a new system, with TLS of its own, and a session on it."""
    said = trixie.install()
    assert "TLS with a certificate made here" in said and "tiny.iso started" in said
    return Desk(trixie, password(said))


@pytest.fixture
def sites(desk: Desk) -> Iterator[Debian]:
    """A system whose Apache serves two sites; afterwards it is as it was."""
    system = desk.system
    for name, text in SITES.items():
        system.write(f"/srv/{name}/index.html", name)
        system.write(f"/etc/apache2/sites-available/{name}.conf", text.format(*system.ports))
    system.install("--tls=off")
    system.run("a2enmod -q ssl && a2ensite -q one two && systemctl reload apache2")
    yield system
    system.run("a2dissite -q --purge one two && rm -r /srv/one /srv/two "
               "/etc/apache2/sites-available/one.conf /etc/apache2/sites-available/two.conf && "
               "a2dismod -q --purge ssl socache_shmcb && systemctl reload apache2")
    system.install("--tls=self --site=all")


def conf(system: Debian, name: str) -> str:
    """Return the file of a site."""
    return system.path(f"/etc/apache2/sites-available/{name}.conf").read_text()


def answers(system: Debian, name: str, path: str, tls: bool = True) -> tuple[int, str]:
    """Return status of a page, and where it leads or what stands in it."""
    from browser import Browser
    browser = Browser("127.0.0.1", system.ports[int(tls)], tls, name)
    answer = browser.ask("GET", path, {}, b"")
    return answer.status, answer.headers.get("location", answer.body.decode(errors="replace"))


def test_tls_is_the_default(desk: Desk) -> None:
    secure = desk.system.ports[1]
    assert desk.browser.tls and desk.screen_answers()
    assert answers(desk.system, "localhost", "/desktop/", tls=False) == (
        307, f"https://localhost:{secure}/desktop/")
    assert answers(desk.system, "localhost", "/", tls=False)[0] == 200, "the rest stays"
    assert answers(desk.system, "localhost", "/") == (302, f"https://localhost:{secure}/desktop/")


def test_two_sites_keep_working_and_one_of_them_has_ours(sites: Debian) -> None:
    texts = {name: conf(sites, name) for name in SITES}
    said = sites.install("--tls=self", check=False)
    assert "Apache has TLS already, in two; nothing was changed." in said
    assert "There are: 000-default, one, two." in sites.install("--site=three", check=False)
    for options, mine in (("--tls=existing", ("one", "two")), ("--site=two", ("two",)),
                          ("", ("two",))):
        said = sites.install(options)
        assert "tiny.iso started" in said
        assert answers(sites, "one.example", "/", tls=False) == (200, "one")
        assert answers(sites, "two.example", "/", tls=False) == (200, "two")
        assert answers(sites, "two.example", "/") == (200, "two")
        assert answers(sites, "two.example", "/desktop/")[0] == 200
        assert answers(sites, "two.example", "/desktop/", tls=False) == (
            307, f"https://two.example:{sites.ports[1]}/desktop/")
        assert answers(sites, "one.example", "/desktop/", tls=False)[0] == (
            307 if "one" in mine else 404)
        assert conf(sites, "one") == texts["one"]
    assert " changed " not in said, "a second run keeps what is"
    assert conf(sites, "two") != texts["two"]
    sites.install("--site=all")
    assert conf(sites, "two") == texts["two"]
    assert "There is no TLS" in sites.install("--tls=off")
    assert answers(sites, "two.example", "/desktop/", tls=False)[0] == 200


def test_a_port_in_use_and_a_broken_configuration_change_nothing(sites: Debian) -> None:
    sites.run("a2dissite -q two && a2dismod -q ssl && systemctl reload apache2")
    port = sites.ports[1]
    sites.run(f"systemd-run -q --unit=squatter python3 -m http.server -b 127.0.0.1 {port}")
    sites.run(f"until grep -q :{port:04X} /proc/net/tcp; do sleep 0.1; done")
    before = sites.run("cd /etc/apache2 && find . -type f -o -type l | sort | xargs sha256sum")
    said = sites.install("--tls=self", check=False)
    assert f"port {port} is in use by python3" in said and "nothing was changed" in said
    sites.run("systemctl stop squatter; echo Nonsense > /etc/apache2/conf-enabled/own.conf")
    said = sites.install("--tls=self", check=False)
    assert "configuration is broken; nothing was changed" in said and "Nonsense" in said
    sites.run("rm /etc/apache2/conf-enabled/own.conf")
    assert sites.run("cd /etc/apache2 && find . -type f -o -type l | sort | xargs sha256sum"
                     ) == before
    sites.run("a2enmod -q ssl && a2ensite -q two && systemctl reload apache2")
