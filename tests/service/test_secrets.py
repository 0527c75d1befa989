"""After a busy run, no password and no token stands anywhere it should not."""

import os
from pathlib import Path

from service import orphans
from service.installation import Installation
from service.person import Desktop


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
    secret_words |= {f"cookie of {name}": person.cookies["remote-desktop"]
                     for name, person in any_site.people.items()}
    assert len(secret_words) > 3
    said = everything_said(any_site)
    said |= {str(path): path.read_text() for path in any_site.run.glob("*/s*.[ji]*")}
    desktop.stop()
    said |= {f"after: {where}": words for where, words in everything_said(any_site).items()}
    assert any("keeper" in where for where in said) and any("qemu" in where for where in said)
    found = [f"{what} in {where}" for what, secret in secret_words.items()
             for where, words in said.items() if secret in words]
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
