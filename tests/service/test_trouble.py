"""What administrators are told when something is wrong, and what they do about it."""

import os
import re
import shutil
import signal
import time

import pytest
from service.chromium import Browser
from service.installation import USER, Installation
from service.person import Desktop, Person, Reply
from service.until import until

from desktop.session.record import LOST, SILENT


def corrupt(person: Person) -> list[dict[str, object]]:
    """Return the records that cannot be used, as a program reads them."""
    found = person.facts("monitor")["corrupt"]
    assert isinstance(found, list)
    return found


def remove(person: Person, session: str, **words: str) -> Reply:
    return person.post("admin", {"action": "remove", "session": session, **words},
                       Accept="application/json")


def kill(site: Installation, desktop: Desktop, *roles: str) -> None:
    pids = site.pids(desktop.id)
    for role in roles:
        os.kill(pids[role], signal.SIGKILL)


def test_a_record_set_aside_is_listed_and_removed(site: Installation) -> None:
    desktop = site.person("ada").create()
    kill(site, desktop, "keeper", "qemu", "network")
    (site.run / desktop.id / "session.json").write_text("{ half a rec")
    root = site.person("root")
    page = root.get("monitor").text
    assert desktop.id in page and "Records that cannot be used" in page and "not JSON" in page
    [one] = corrupt(root)
    assert (one["session"], one["state"]) == (desktop.id, "over")
    assert "not JSON" in str(one["problem"])
    assert re.fullmatch(r"20..-..-..T..:..:..Z", str(one["when"]))
    by_hand = site.script("monitor.py")
    assert desktop.id in by_hand.stdout and "<form" not in by_hand.stdout
    assert corrupt(site.person("ada")) == [] and desktop.id not in site.person("ada").get(
        "monitor").text
    for person, words, status in ((site.person("ada"), {"ticket": str(one["ticket"])}, 403),
                                  (site.stranger(), {}, 401), (root, {"ticket": "x"}, 403)):
        assert remove(person, desktop.id, **words).status == status
    for wrong in ("../x", "", "x" * 26, "history"):
        assert remove(root, wrong, user="root",
                      password=site.goods.passwords["root"]).status == 404
    assert (site.log / f"{desktop.id}.corrupt").exists()
    assert remove(root, desktop.id, ticket=str(one["ticket"])).json["state"] == "removed"
    assert not (site.log / f"{desktop.id}.corrupt").exists() and not corrupt(root)
    assert remove(root, desktop.id, ticket=str(one["ticket"])).status == 404
    assert f"root removes the unusable record {desktop.id}, from 127.0.0.1" in (
        site.server.errors())


def test_a_record_set_aside_is_removed_by_hand(site: Installation) -> None:
    path = site.log / f"{'b' * 26}.corrupt"
    path.write_bytes(b"\xff")
    done = site.script("admin.py", f"--session_stop={'b' * 26}")
    assert done.returncode == 0 and not path.exists(), done
    assert site.script("admin.py", f"--session_stop={'b' * 26}").returncode == 1


@pytest.mark.parametrize("way", ["web", "hand", "purge"])
def test_what_runs_with_a_lost_record_is_ended_with_it(site: Installation, way: str) -> None:
    desktop = site.person("ada").create()
    pids = site.pids(desktop.id)
    os.kill(pids["keeper"], signal.SIGSTOP)  # else it writes the record anew
    (site.run / desktop.id / "session.json").write_text("null")
    root = site.person("root")
    [one] = corrupt(root)
    assert one["state"] == "running" and one["session"] == desktop.id
    if way == "web":
        assert remove(root, desktop.id, ticket=str(one["ticket"])).status == 200
    else:
        asked = f"--session_stop={desktop.id}" if way == "hand" else "--session_purge=1"
        assert site.script("admin.py", asked).returncode == 0
    assert not list(site.leftovers()) and not [path for path in pids.values()
                                               if os.path.exists(f"/proc/{path}/exe")]
    assert not corrupt(root)


def test_one_that_is_parked_goes_with_its_disk(site: Installation) -> None:
    session = "c" * 26
    parked = site.directory / "parked" / session
    disk = site.snapshots / session
    site.configure(dir_parked=parked.parent)
    for path in (parked.parent, parked, disk):
        path.mkdir(mode=0o700, exist_ok=True)
        shutil.chown(path, USER, USER)
    (parked / "session.json").write_text("{")
    root = site.person("root")
    [one] = corrupt(root)
    assert (one["session"], one["state"]) == (session, "parked")
    assert "cannot be woken" in root.get("monitor").text
    assert remove(root, session, ticket=str(one["ticket"])).status == 200
    assert not parked.exists() and not disk.exists() and not corrupt(root)


def test_a_lost_keeper_is_replaced_and_that_is_said(site: Installation) -> None:
    desktop = site.person("ada").create()
    kill(site, desktop, "keeper")
    root = site.person("root")
    [one] = root.sessions()
    assert (one["state"], one["reason"]) == ("running", LOST)
    until(lambda: site.record(desktop.id)["reason"] == LOST)
    assert LOST in root.get("monitor").text and LOST in site.person("ada").get("monitor").text
    desktop.view().leave()
    assert desktop.stop().status == 200
    assert not list(site.leftovers())


def test_that_qemu_does_not_answer_is_said(site: Installation) -> None:
    desktop = site.person("ada").create()
    qemu = site.pids(desktop.id)["qemu"]
    os.kill(qemu, signal.SIGSTOP)
    assert site.person("ada").get(f"monitor?screen={desktop.id}").status == 404
    until(lambda: site.record(desktop.id)["reason"] == SILENT)
    start = time.monotonic()
    assert site.person("ada").get(f"monitor?screen={desktop.id}").status == 404
    assert time.monotonic() - start < 2, "nobody waits for it again"
    root = site.person("root")
    [one] = root.sessions()
    assert (one["state"], one["reason"]) == ("running", SILENT)
    assert SILENT in root.get("monitor").text
    os.kill(qemu, signal.SIGCONT)
    until(lambda: site.record(desktop.id)["reason"] == "", 10, "its answer")
    assert site.person("ada").get(f"monitor?screen={desktop.id}").status == 200
    os.kill(qemu, signal.SIGSTOP)
    start = time.monotonic()
    assert site.person("root").stop(desktop.id).status == 200
    assert time.monotonic() - start < 6
    assert not list(site.leftovers())


def test_it_is_noticed_without_anybody_asking(site: Installation) -> None:
    desktop = site.person("ada").create()
    qemu = site.pids(desktop.id)["qemu"]
    os.kill(qemu, signal.SIGSTOP)
    until(lambda: site.record(desktop.id)["reason"] == SILENT, 75)
    assert desktop.stop().status == 200


def test_screens_of_others_are_shown_where_the_site_says(site: Installation,
                                                         window: Browser) -> None:
    desktop = site.person("ada").create()
    until(lambda: site.person("ada").get(f"monitor?screen={desktop.id}").status == 200)
    root, bob = site.person("root"), site.person("bob")
    addresses = [f"monitor?{what}={desktop.id}" for what in ("screen", "look")]
    assert [root.get(one).status for one in addresses] == [404, 404]
    assert "look=" not in root.get("monitor").text and not root.sessions()[0]["screen"]
    assert f"look at {desktop.facts['name']}" not in site.server.errors()
    site.configure(monitor_thumbnails="admin")
    assert [bob.get(one).status for one in addresses] == [404, 404]
    assert [site.stranger().get(one).status for one in addresses] == [401, 401]
    assert root.get(f"monitor?session={desktop.id}").status == 404
    assert root.get(addresses[0]).body.startswith(b"\x89PNG")
    assert root.sessions()[0]["screen"] == addresses[0]
    assert root.get(addresses[1], Accept="application/json").json["token"] == ""
    line = f"root: look at {desktop.facts['name']} of ada, from 127.0.0.1"
    assert line not in site.server.errors()
    window.sign_in(root)
    window.open(f"{root.origin}/desktop/monitor")
    window.find(f"a[href='{addresses[1]}']").click()
    until(lambda: window.run("return document.querySelector('[data-screen] canvas')?.width > 300"),
          30, "a picture of the screen")
    assert desktop.token and desktop.token not in window.driver.page_source
    for width, dark in ((360, True), (1600, False)):
        window.emulate(width, 900, dark=dark)
        assert window.run("return document.documentElement.scrollWidth") <= width
        assert not window.violations()
        window.picture(f"look-{width}")
    assert not window.complaints()
    assert site.server.errors().count(line) == 1, "once for all pictures"
    desktop.stop()
    until(lambda: "is over" in window.find("main").text, 30, "the end in words")
