"""After a busy run, no password and no token stands anywhere it should not."""

import os
import shutil
from pathlib import Path

from service import mailserver, orphans
from service.authority import Authority
from service.installation import USER, Installation
from service.mailserver import MailServer
from service.person import Desktop
from service.slapd import Slapd


def everything_said(site: Installation) -> dict[str, str]:
    """Return every log, and what each process shows of itself."""
    said = {str(path): path.read_text(errors="replace")
            for path in [site.directory / "error.log", site.directory / "access.log",
                         *(path for path in site.log.rglob("*") if path.is_file()),
                         *site.run.glob("*/*.log")]}
    for pid in [*orphans.adopted(), *orphans.descendants(os.getpid())]:
        for name in ("cmdline", "environ"):
            try:
                said[f"{orphans.command(pid)[:60]} {name}"] = Path(
                    f"/proc/{pid}/{name}").read_text(errors="replace")
            except OSError:
                pass
    return said


def test_secrets_stand_nowhere(any_site: Installation) -> None:
    secret_words = {"a password in the address": "Wrong-Pass-Word-1"}
    ada, stranger = any_site.person("ada"), any_site.stranger("bob")
    secret_words["password of bob"] = stranger.password
    desktop = ada.create()
    stranger.try_create(user="bob", password=stranger.password)
    stranger.sign_in()
    stranger.post("monitor", {"action": "signin", "user": "ada", "password": "Wrong-Pass-Word-1"})
    stranger.post("create", {"user": "ada", "password": "Wrong-Pass-Word-1", "terms": "1"})
    ada.try_create(user="ada\n", password="Wrong-Pass-Word-1")
    ada.ask("POST", "create", b'{"password": "Wrong-Pass-Word-1", ',
            Content_Type="application/json")
    desktop.view().look().leave()
    Desktop(any_site.stranger(), desktop.facts).view().leave()
    ada.get("monitor")
    ada.get(f"monitor?session={desktop.id}")
    any_site.person("root").get("monitor")
    secret_words |= {f"token {path.parent.name}": path.read_text()
                     for path in any_site.run.glob("*/token")}
    secret_words |= {f"cookie of {name}": cookie for name, person in any_site.people.items()
                     for cookie in person.cookies.values()}
    assert len(secret_words) > 3
    said = everything_said(any_site)
    said |= {str(path): path.read_text() for path in any_site.run.glob("*/s*.[ji]*")}
    desktop.stop()
    said |= {f"after: {where}": words for where, words in everything_said(any_site).items()}
    assert any("keeper" in where for where in said) and any("qemu" in where for where in said)
    found = [f"{what} in {where}" for what, secret in secret_words.items()
             for where, words in said.items() if secret in words]
    assert not found


def witness(site: Installation) -> Path:
    """Make a program of the site that notes all that can be seen of a sign-in, and refuses it.

    Of itself and of the script that asks it; it is told the secrets on its standard input alone.
    """
    seen = site.directory / "seen"
    seen.write_text("")
    shutil.chown(seen, USER, USER)
    path = site.directory / "witness"
    path.write_text(f"#!/bin/sh\ncat /proc/$$/cmdline /proc/$$/environ /proc/$PPID/cmdline "
                    f"/proc/$PPID/environ >> {seen}\nexit 1\n")
    path.chmod(0o755)
    return path


def test_no_method_lets_a_password_out(site: Installation, slapd: Slapd, mail: MailServer,
                                       authority: Authority) -> None:
    reader = site.directory / "ldap.passwd"
    reader.write_text("reader-secret\n")
    shutil.chown(reader, "root" if os.geteuid() == 0 else USER, USER)
    reader.chmod(0o640)
    ca = site.directory / "mail-ca.pem"
    shutil.copyfile(mail.ca, ca)
    site.configure(**mail.settings(
        imap_ca_file=ca, smtp_ca_file=ca, check_user_with_htpasswd=1, check_user_with_imap=1,
        check_user_with_smtp=1, check_user_with_ldap=1, ldap_server="localhost",
        ldap_port=slapd.port, ldap_ca_file=authority.ca, ldap_domain="ad.test",
        file_ldap_passwd=reader,
        ldap_bind_dn="cn=Reader,ou=Users,dc=ad,dc=test", check_user_custom=witness(site)))
    log = site.directory / "error.log"
    before = log.stat().st_size
    words = ["reader-secret", "Wrong-Pass-Word-2", mailserver.PEOPLE["ada"],
             site.goods.passwords["bob"]]
    stranger = site.stranger()
    statuses = [stranger.post("monitor", {"action": "signin", "user": user, "password": password}
                              ).status for user, password in (
        ("nobody", words[1]), ("ada", words[2]), ("bob", words[3]), (words[1], "x"))]
    assert statuses == [401, 303, 303, 401]
    logged = log.read_bytes()[before:].decode(errors="replace")
    assert "ada signed in by imap" in logged and "bob signed in by htpasswd" in logged
    seen = (site.directory / "seen").read_bytes().decode(errors="replace")
    assert "REMOTE_ADDR" in seen and "monitor.py" in seen
    said = everything_said(site) | {"the program": seen}
    said |= {str(path): path.read_bytes().decode(errors="replace")
             for path in site.state.rglob("*") if path.is_file()}
    assert any("throttle" in where for where in said)
    found = [f"secret {number} in {where}" for number, word in enumerate(words)
             for where, text in said.items() if word in text]
    assert not found


def test_pages_with_secrets_are_not_kept_by_browsers(any_site: Installation) -> None:
    ada = any_site.person()
    desktop = ada.create()
    pages = [ada.post("create", {"machine": "empty.raw", "terms": "1", "form": "page"}),
             ada.get("monitor"), ada.get(f"monitor?session={desktop.id}"),
             ada.get("monitor", Accept="application/json"), ada.sign_in(), ada.get("create"),
             ada.get(f"monitor?screen={desktop.id}"), any_site.stranger().get("monitor")]
    for page in pages:
        assert page.headers["Cache-Control"] == "no-store", str(page)


def test_the_token_travels_in_the_fragment_alone(any_site: Installation) -> None:
    desktop = any_site.person().create()
    address, fragment = desktop.link()
    assert desktop.token and desktop.token not in address
    assert fragment["password"] == desktop.token
    assert fragment["path"] == f"desktop/session/{desktop.id}/websockify"
    assert (fragment["host"], fragment["port"]) == tuple(desktop.person.host.split(":"))
    assert fragment["resize"] == "remote" and fragment["autoconnect"] == "true"
    assert desktop.token not in desktop.facts["websocket"]
