"""Beside other sites, and however people reach it: by address, names, a tunnel, a proxy.

The site has two virtual hosts, one of them with TLS; the service is in all, or in that one, where
the installer's own line includes it. Other Apaches play proxies that end TLS under another name.
"""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from service import apache, websocket
from service.installation import Goods, Installation
from service.person import Desktop, Person
from service.websocket import Address, Refused

ROOT = Path(__file__).resolve().parents[2]
OTHER = """\
<VirtualHost *:{port}>
    ServerName plain.example.org
    DocumentRoot "{directory}/plain"
    <Directory "{directory}/plain">
        Require all granted
    </Directory>
</VirtualHost>
"""


@pytest.fixture(scope="module", params=["all", "one"])
def beside(request: pytest.FixtureRequest, goods: Goods) -> Iterator[Installation]:
    """An installation whose Apache serves other things, in all virtual hosts or in one."""
    site = Installation(goods, "event", tls=True)
    server, folder = site.server, site.directory
    for name in ("htdocs", "plain"):
        (folder / name).mkdir(exist_ok=True)
        (folder / name / "index.html").write_text(name)
    server.everywhere = request.param == "all"
    if request.param == "one":  # the other site has a /desktop of its own
        (folder / "plain/desktop").mkdir()
        (folder / "plain/desktop/index.html").write_text("their desktop")
    server.more = OTHER.format(port=server.plain[1], directory=folder)
    with site:
        if request.param == "one":
            choose(site)
        with websocket.hanging_up():
            yield site


def choose(site: Installation) -> None:
    """Put the service into the virtual host with TLS, as apache/install --site does."""
    sys.path.append(str(ROOT / "apache/installer"))
    import sites
    (site.directory / "conf-available").mkdir()
    (site.directory / sites.INCLUDE.split()[1]).symlink_to(ROOT / "apache/remote-desktop.conf")
    said = subprocess.run(["/usr/sbin/apache2", "-f", site.directory / "apache.conf", "-D",
                           "DUMP_VHOSTS"], capture_output=True, text=True, check=True).stdout
    hosts = sites.parse(said)
    assert sorted((host.names, host.tls) for host in hosts) == [
        (("desktop.example.org", "www.example.org"), True), (("plain.example.org",), False)]
    chosen = [host for host in hosts if host.tls]
    file = site.directory / "tls.conf"
    before = file.read_text()
    assert sites.include(chosen) == [file] and not sites.include(chosen)
    assert sites.withdraw([file]) == [file] and file.read_text() == before
    assert sites.include(chosen) == [file]
    site.server.stop()
    site.server.start()


def guest(site: Installation, address: Address, host: str, name: str = "ada") -> Person:
    """Return somebody who comes to an address and calls it by another name."""
    person = Person(address, name, site.goods.passwords[name])
    person.host = host
    return person


def opens(person: Person) -> Desktop:
    """Start a desktop and see its screen, from where this person is."""
    assert person.get("").status == 200
    reply = person.try_create(user=person.name, password=person.password)
    assert reply.status == 201, str(reply)
    facts = reply.json
    assert facts["websocket"].startswith(f"{person.origin.replace('http', 'ws', 1)}/desktop/")
    assert facts["url"].startswith(f"{person.origin}/desktop/view.html#")
    desktop = Desktop(person, facts)
    desktop.view().leave()
    return desktop


def test_other_sites_are_as_they_were(beside: Installation) -> None:
    server = beside.server
    plain = guest(beside, server.plain, f"plain.example.org:{server.plain[1]}")
    secure = guest(beside, server.address, f"desktop.example.org:{server.address[1]}")
    assert plain.get("/").text == "plain" and secure.get("/").text == "htdocs"
    if server.everywhere:
        assert plain.get("/desktop/").status == 307
    else:
        assert plain.get("/desktop/").text == "their desktop"
        assert plain.get("/desktop/create").status == 404
    assert secure.get("/desktop/").status == 200


@pytest.mark.parametrize("host", ["127.0.0.1:{0}", "desktop.example.org:{0}", "unknown:{0}",
                                  "www.example.org:{0}", "localhost:9443", "desktop.example.org"])
def test_by_address_by_names_and_through_a_tunnel(beside: Installation, host: str) -> None:
    address = beside.server.address
    person = guest(beside, address, host.format(address[1]))
    desktop = opens(person)
    assert "; Secure" in person.sign_in().headers["Set-Cookie"]
    assert person.stop(desktop.id).status == 200


@pytest.mark.parametrize("beside", ["all"], indirect=True)
def test_without_tls_one_is_sent_to_it(beside: Installation) -> None:
    server = beside.server
    for host in ("127.0.0.1", "plain.example.org", "[::1]"):
        for path in ("/desktop/", "/desktop/create?a=%20b", "/desktop/x/%0d%0aX:y"):
            reply = guest(beside, server.plain, f"{host}:{server.plain[1]}").get(path)
            assert reply.status == 307, str(reply)
            assert reply.headers["Location"] == f"https://{host}:{server.address[1]}{path}"
            assert not reply.headers.get("X")
    posted = guest(beside, server.plain, f"localhost:{server.plain[1]}").try_create()
    assert posted.status == 307


@pytest.mark.parametrize("beside", ["all"], indirect=True)
def test_through_a_tunnel_that_ends_at_the_port_without_tls(beside: Installation) -> None:
    person = guest(beside, beside.server.plain, "localhost:8080")
    opens(person)
    assert "Secure" not in person.sign_in().headers["Set-Cookie"]
    assert "without TLS" not in person.get("monitor").text


@pytest.fixture(params=["", "ProxyPreserveHost On", "ProxyPreserveHost On\n"
                        '    RequestHeader set X-Forwarded-Proto "https"'],
                ids=["plain", "host", "host and proto"])
def proxied(request: pytest.FixtureRequest, beside: Installation) -> Iterator[Person]:
    """Somebody behind a proxy that ends TLS, and says this or that of who is there."""
    folder = beside.directory / f"proxy{apache.free_port()}"
    folder.mkdir()
    tls = beside.goods.authority.tls(folder.name, "outside.example.org", "127.0.0.1")
    proxy = apache.Apache(folder, "event", beside.goods.share, beside.run, beside.ini, tls=tls)
    proxy.everywhere = False
    (folder / "tls.conf").write_text(apache.TLS.format(
        directory=folder, port=proxy.address[1], plain=proxy.plain[1], shown=tls.certificate
        ).replace("DocumentRoot", f"{request.param}\n    ProxyPass / http://127.0.0.1:"
                  f"{beside.server.plain[1]}/ upgrade=websocket\n    DocumentRoot"))
    proxy.start()
    try:
        person = guest(beside, proxy.address, f"outside.example.org:{proxy.address[1]}")
        yield person
    finally:
        proxy.stop()
        beside.configure()
        beside.clear()


@pytest.mark.parametrize("beside", ["all"], indirect=True)
def test_behind_a_proxy_that_ends_tls(beside: Installation, proxied: Person,
                                      request: pytest.FixtureRequest) -> None:
    assert proxied.get("").status == 200  # and no loop of redirections
    first = proxied.try_create(user="ada", password=proxied.password)
    if "host" not in request.node.callspec.id:
        wanted = re.search(r"sets (\w+) = ([^ ]+)\.", first.json["message"])
        assert first.status == 403 and wanted, str(first)
        assert wanted.groups() == ("server_name", proxied.origin)
        beside.configure(server_name=proxied.origin)
    desktop = opens(proxied)
    assert "; Secure" in proxied.sign_in().headers["Set-Cookie"]
    if "proto" in request.node.callspec.id:
        assert "sets trusted_proxies = 127.0.0.1." in proxied.get("monitor").text
        beside.configure(trusted_proxies="127.0.0.1")
        assert "trusted_proxies" not in proxied.get("monitor").text
        listed, = (one for one in proxied.sessions() if one["session"] == desktop.id)
        assert listed["url"].startswith(proxied.origin)


@pytest.mark.parametrize("beside", ["all"], indirect=True)
def test_a_screen_behind_an_unknown_name_is_refused_with_the_setting(beside: Installation) -> None:
    desktop = opens(guest(beside, beside.server.address, "desktop.example.org"))
    with pytest.raises(Refused) as refusal:
        desktop.connect(Origin="https://outside.example.org")
    assert "server_name = https://outside.example.org" in refusal.value.body
