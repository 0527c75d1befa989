"""Freezing a machine from its page, and what people see of it then; all in real browsers."""

import json
import os
import signal
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from service.chromium import Browser
from service.installation import Installation
from service.looks import troubles
from service.person import Person, Reply
from service.until import until

PAGE = "monitor?machines=1"


def facts(person: Person) -> dict[str, Any]:
    """Return what the page of the machines says to programs."""
    reply = person.get(PAGE, Accept="application/json")
    assert reply.status == 200, str(reply)
    found: dict[str, Any] = reply.json
    return found


def act(person: Person, action: str, about: str = "", **fields: str) -> Reply:
    """Send a form of that page, as a program does; one that knows no ticket says who it is."""
    known = facts(person) if person.name == "root" else {"machines": (), "templates": ()}
    tickets = {**{one["name"]: one["tickets"] for one in known["machines"]},
               **{one["template"]: one["tickets"] for one in known["templates"]},
               "": known.get("tickets", {})}.get(about, {})
    who = ({"ticket": tickets[action]} if action in tickets
           else {"user": person.name, "password": person.password})
    return person.post("admin", {"action": action, **who, **fields}, Accept="application/json")


def freeze(site: Installation, machine: str = "empty.raw", **size: str) -> Reply:
    """Have a machine frozen."""
    return act(site.person("root"), "freeze", machine, machine=machine, **size)


def frozen(site: Installation) -> dict[str, Any]:
    """Freeze the machine that shows the firmware's screen, without waiting; return what it is."""
    root = site.person("root")
    reply = freeze(site, memory="32")
    assert reply.status == 200, str(reply)
    assert reply.json["freezing"]["machine"] == "empty.raw"
    assert act(root, "hasten").status == 200
    until(lambda: not facts(root)["freezing"], 30, "the template")
    known = facts(root)
    assert not known["failure"], known["failure"]
    found: dict[str, Any] = known["templates"][0]
    return found


def test_from_the_button_to_a_session_that_is_there_at_once(
        site: Installation, window: Browser) -> None:
    root, ada = site.person("root"), site.person()
    window.sign_in(root)
    window.open(f"{root.origin}/desktop/{PAGE}")
    assert "Nothing is frozen" in window.find(".frozen").text
    assert not troubles(window, "machines-none")
    window.emulate(1600, 1000)
    row = "//tr[contains(., 'tiny.iso')]"
    window.find(f"{row}//summary").click()
    window.fill("details[open] input[name=memory]", "128")
    window.find("details[open] button").click()
    window.find("[data-freezing] canvas")
    assert freeze(site).status == 409
    assert "is being frozen already" in freeze(site).json["message"]
    for path in ("monitor?freezing=1", "monitor?freezing=screen", PAGE):
        assert ada.get(path, Accept="application/json").status == 403
    for action in ("freeze", "hasten", "cancel", "discard"):
        assert act(ada, action, machine="tiny.iso").status == 403
    assert not troubles(window, "machines-freezing")
    assert "CPU" in window.find("[data-words]").text
    state = window.find("//*[@class='frozen']//*[contains(., 'sessions start at once')]", 90)
    assert state.is_displayed() and "freezes tiny.iso" in site.server.errors()
    assert not troubles(window, "machines-frozen")
    assert window.complaints() == []
    told_in_the_form(site, window)
    desktop = ada.create(machine="tiny.iso", memory="128")
    assert desktop.facts["began"] == "resumed" and desktop.facts["boot_reason"] == ""
    assert "it was there at once" in ada.get(f"monitor?session={desktop.id}").text
    one, = facts(root)["templates"]
    assert one["sessions"] == 1 and one["seconds"] > 3
    refused = act(root, "discard", one["template"], template=one["template"])
    assert refused.status == 409 and "1 sessions" in refused.json["message"]
    desktop.stop()
    assert act(root, "discard", one["template"], template=one["template"]).status == 200
    assert facts(root)["templates"] == []


def told_in_the_form(site: Installation, window: Browser) -> None:
    """Look at what the form says of tiny, which starts at once with 128 MB."""
    window.sign_in(site.person())
    window.open(f"{site.person().origin}/desktop/")
    window.find("label:has(input[value='tiny.iso'])").click()
    mark = "label:has(input[value='tiny.iso']) [data-instant]"

    def say(script: str, words: str, marked: bool) -> None:
        window.run(f"{script}; document.getElementById('form').dispatchEvent("
                   "new Event('change', {bubbles: true}))")
        until(lambda: words in window.run(
            "return document.getElementById('instant').textContent"), 5, words)
        assert window.run(f"return document.querySelector(\"{mark}\").hidden") != marked
    choose = "document.getElementById('memory').value = '{}'"
    say(choose.format(256), "Boots first. It starts at once with 1 processor, 128\xa0MB.", False)
    assert not troubles(window, "form-boots")
    say(choose.format(128), "Starts at once", True)
    assert not troubles(window, "form-at-once")
    say("document.getElementById('gpu').checked = true", "with a GPU", False)
    say("document.getElementById('gpu').checked = false", "Starts at once", True)
    window.run("document.querySelector(\"input[value='empty.raw']\").click()")
    assert window.run("return document.getElementById('instant').hidden")
    window.emulate(1600, 900)


def test_cancelled_it_leaves_nothing(site: Installation) -> None:
    root = site.person("root")
    assert freeze(site, "tiny.iso", memory="128").status == 200
    until(lambda: root.get("monitor?freezing=screen").status == 200, 20, "a picture")
    assert act(root, "cancel").json == {"freezing": None, "failure": None}
    assert not [path for path in site.templates.iterdir() if path.name not in (
        ".lock", ".freeze.log")]
    assert not [words for words in site.leftovers()]
    assert act(root, "cancel").status == 409 and act(root, "hasten").status == 409


def test_of_three_at_once_one_begins_and_the_others_are_told(site: Installation) -> None:
    root = site.person("root")
    with ThreadPoolExecutor(3) as pool:
        replies = list(pool.map(lambda memory: freeze(site, memory=memory), ("32", "48", "64")))
    begun, = (reply for reply in replies if reply.status == 200)
    assert sorted(reply.status for reply in replies) == [200, 409, 409]
    assert all("is being frozen already" in reply.json["message"]
               for reply in replies if reply.status == 409)
    assert facts(root)["freezing"]["memory"] == begun.json["freezing"]["memory"]
    assert act(root, "cancel").status == 200


def test_a_failure_is_there_for_whoever_looks_later(site: Installation) -> None:
    root = site.person("root")
    assert freeze(site, "tiny.iso", memory="128").status == 200
    progress = json.loads((site.templates / ".draft/progress.json").read_text())
    os.kill(progress["by"]["pid"], signal.SIGKILL)
    until(lambda: not facts(root)["freezing"], 5, "its end")
    assert site.script("admin.py", "--housekeeping=1").returncode == 0
    assert facts(root)["failure"]["words"] == "It was killed."
    assert "could not\nbe frozen" in root.get(PAGE).text
    assert not (site.templates / ".draft").exists()
    frozen(site)
    assert facts(root)["failure"] is None


def test_what_cannot_be_frozen_is_refused_in_words(site: Installation) -> None:
    assert freeze(site, "no.iso").status == 404
    assert freeze(site, memory="1").status == 400
    assert freeze(site, cpu="x").status == 400
    site.configure(host_disk_reserve=100000)
    reply = freeze(site)
    assert reply.status == 507 and "GB are needed" in reply.json["message"]
    site.configure()
    broken = site.add_machine("broken.qcow2", b"nothing of the kind")
    assert freeze(site, "broken.qcow2").status == 409
    broken.unlink()
    assert not list(site.templates.iterdir())
    site.configure(dir_templates=site.machines / "tiny.iso" / "templates")
    reply = freeze(site)
    assert reply.status == 403 and "cannot be written: Not a directory" in reply.json["message"]


def test_a_form_without_its_ticket_is_asked_about(site: Installation) -> None:
    root = site.person("root")
    reply = root.post("admin", {"action": "freeze", "machine": "empty.raw", "ticket": "x"})
    assert reply.status == 403 and "Freeze it" in reply.text
    assert not facts(root)["freezing"]


def spoil(place: Path) -> None:
    """Change what the devices knew; nothing shows it."""
    state = place / "state"
    facts = state.stat()
    state.chmod(0o600)
    state.write_bytes(b"\0" * facts.st_size)
    os.utime(state, ns=(facts.st_atime_ns, facts.st_mtime_ns))


def test_a_template_that_fails_is_told_to_administrators_alone(site: Installation) -> None:
    one = frozen(site)
    root, ada = site.person("root"), site.person()
    assert ada.create(memory="32").facts["began"] == "resumed"
    spoil(site.templates / one["template"])
    desktop = ada.create(memory="32")
    assert (desktop.facts["began"], desktop.facts["boot_reason"]) == ("booted", "")
    assert ada.get(f"monitor?session={desktop.id}", Accept="application/json"
                   ).json["boot_reason"] == ""
    known = root.get("monitor", Accept="application/json").json
    reason, = [told["boot_reason"] for told in known["sessions"]
               if told["session"] == desktop.id]
    assert reason and any(reason in warning and "empty.raw" in warning
                          for warning in known["host"]["warnings"])
    assert facts(root)["templates"][0]["trouble"] == reason
    page = root.get(PAGE).text
    assert "Freeze again" in page and "It failed" in page
    assert "sessions boot until it is tried again" in page
    assert "sessions start at once" not in page
    offered = ada.get("create", Accept="application/json").json["machines"]
    assert not any(machine["instant"] for machine in offered)
    listed = site.script("../machines/freeze", "--list")
    assert listed.returncode == 0 and "it failed at" in listed.stdout
