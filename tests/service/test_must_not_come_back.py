"""What was seen by running the original (REFERENCE.md), each as an attack that fails."""

import os
import shutil
import stat
from pathlib import Path

import pytest
from service.installation import USER, Installation
from service.person import Person
from service.until import until

COMMANDS = (";touch {0}", "|touch {0}", "$(touch {0})", "`touch {0}`", "&touch {0}&",
            "'; touch {0}; '", '"; touch {0}; "', "x\ntouch {0}", "${{IFS}}touch {0}")
SCRIPTS = ("create", "monitor", "admin")


def test_no_request_runs_a_command(site: Installation) -> None:
    mark = site.directory / "state" / "touched"
    fields = ("user", "password", "machine", "cpu", "memory", "video", "session", "form",
              "action", "session_stop", "session_watch", "service_monitor", "lifetime")
    for person in (site.stranger(), site.person()):
        for place, command in enumerate(COMMANDS):
            words = command.format(mark)
            person.post(SCRIPTS[place % 3], {field: words for field in fields})
            person.post("create", {"machine": words, "terms": "1"})
            person.post("monitor", {"action": "stop", "session": words})
            person.get("monitor", User_Agent=words.replace("\n", " "), Cookie=f"a={place}{words}"
                       .replace("\n", " "), Referer=words.replace("\n", " "))
    assert not mark.exists()
    assert not site.directories()


@pytest.mark.parametrize("left_out", [
    ("user",), ("password",), ("user", "password"), ("user", "password", "terms"),
    ("user", "password", "machine"), ("user", "password", "form", "persistent", "memory")])
def test_leaving_fields_out_does_not_let_anybody_in(site: Installation,
                                                    left_out: tuple[str, ...]) -> None:
    stranger = site.stranger("ada")
    reply = stranger.try_create(without=left_out, user="ada", password=stranger.password)
    assert reply.status in (400, 401), str(reply)
    assert not site.directories()
    assert not stranger.cookies


def test_strangers_and_others_neither_list_nor_stop_nor_purge(site: Installation) -> None:
    desktop = site.person("ada").create()
    token = (site.run / desktop.id / "token").read_text()
    forged = site.stranger()
    forged.cookies = {"remote-desktop": "WyJyb290IiwiaHRwYXNzd2QiLCIiXQ.aaaaaa.bbbbbbbbbbbbbbb"}
    for person in (site.stranger(), forged, site.person("bob")):
        for reply in (
                person.get("monitor"), person.get("monitor", Accept="application/json"),
                person.get(f"monitor?session={desktop.id}"), person.get("admin"),
                person.get(f"monitor?screen={desktop.id}"), person.get("create"),
                person.get("create", Accept="application/json"),
                person.stop(desktop.id),
                person.post("admin", {"action": "stop", "session": desktop.id},
                            Accept="application/json"),
                person.post("admin", {"action": "purge", "confirm": "purge"}),
                person.post("create", {"machine": "[ADMIN] purge", "terms": "1"}),
                person.post("create", {"machine": "[ADMIN] monitor", "terms": "1"})):
            assert desktop.id not in reply.text and token not in reply.text
            assert reply.status in (200, 303, 400, 401, 403, 404), str(reply)
            if reply.status == 303:
                assert reply.headers["Location"] == "./"
    assert site.record(desktop.id)["state"] == "running"
    desktop.view().look()


def test_the_owner_may_stop_and_so_may_the_administrator(site: Installation) -> None:
    first, second = site.person("ada").create(), site.person("ada").create()
    assert first.stop().status in (200, 303)
    site.gone(first.id)
    root = site.person("root")
    assert second.id in root.get("monitor").text
    assert root.post("admin", {"action": "stop", "session": second.id}).status in (200, 303)
    site.gone(second.id)


def test_an_administrator_does_not_see_tokens_of_others(site: Installation) -> None:
    desktop = site.person("ada").create()
    token = (site.run / desktop.id / "token").read_text()
    root = site.person("root")
    for reply in (root.get("monitor"), root.get("monitor", Accept="application/json"),
                  root.get(f"monitor?session={desktop.id}"),
                  root.get(f"monitor?screen={desktop.id}"), root.get("admin")):
        assert token not in reply.text if reply.headers.get_content_maintype() == "text" else True
        assert not reply.body.startswith(b"\x89PNG")


def test_purge_wants_an_administrator_who_means_it(site: Installation) -> None:
    site.person("ada").create()
    root = site.person("root")
    assert root.get("admin").status == 200
    for words in ({}, {"confirm": "yes"}, {"confirm": ""}):
        assert root.post("admin", {"action": "purge", **words}).status == 400
    assert len(site.directories()) == 1
    assert root.post("admin", {"action": "purge", "confirm": "purge"}).status in (200, 303)
    assert not list(site.leftovers())


def test_no_directory_is_deleted_because_a_file_names_it(site: Installation) -> None:
    precious = site.directory / "state" / "precious"
    precious.mkdir()
    (precious / "work").write_text("of a year")
    shutil.chown(precious, USER, USER)
    desktop = site.person().create()
    record = site.run / desktop.id / "session.json"
    original = record.read_text()
    for place in (str(precious), f"../{precious.name}", f"../state/{precious.name}"):
        record.write_text(original.replace(desktop.id, place))
        site.script("admin.py", "--housekeeping=1")
        site.script("admin.py", f"--session_stop={place}")
    fake = site.run / ("a" * 26)
    fake.symlink_to(precious)
    (site.snapshots / ("b" * 26)).symlink_to(precious)
    (site.run / desktop.id / "link").symlink_to(precious)
    purge = site.script("admin.py", "--session_purge=1")
    assert purge.returncode == 0, purge
    assert (precious / "work").read_text() == "of a year"
    for path in (fake, site.snapshots / ("b" * 26)):
        path.unlink(missing_ok=True)
    shutil.rmtree(precious)


def test_nothing_of_a_session_or_a_master_is_served(site: Installation) -> None:
    desktop = site.person().create()
    names = ["machines/", "machines/tiny.iso", "snapshots/", f"snapshots/{desktop.id}/disk.qcow2",
             f"run/{desktop.id}/session.json", f"session/{desktop.id}/session.json",
             f"{desktop.id}/token", "../desktop.ini", "desktop.ini", "cgi-bin/create.py",
             "create.py", "lib/", "lib/desktop/settings.py", ".htpasswd", "htpasswd", "state/",
             "novnc/../../etc/passwd", "%2e%2e/%2e%2e/etc/passwd", "novnc/%2e%2e/x", ".git/config",
             "icons/", "novnc/"]
    for name in names:
        reply = site.person().get(name)
        assert reply.status in (400, 403, 404) or name == "novnc/", f"{name} {reply}"
        assert "Index of" not in reply.text
        assert "dir_machines" not in reply.text and "root:x:" not in reply.text


def test_records_and_logs_are_private(site: Installation) -> None:
    desktop = site.person().create()
    desktop.view().leave()
    for room in (site.run, site.snapshots, site.state, site.log):
        for path in [room, *room.rglob("*")]:
            mode = stat.S_IMODE(path.lstat().st_mode)
            assert not mode & 0o007, f"{path} {mode:o}"
    for path in (site.run / desktop.id, *(site.run / desktop.id).iterdir()):
        assert not stat.S_IMODE(path.lstat().st_mode) & 0o077, path
        assert path.owner() == USER


def test_administrators_are_names_not_patterns(site: Installation) -> None:
    for name in ("r..t", "roo", ".+", "root-2"):
        added = site.script("admin.py", f"--user_add={name}", user="root")
        if added.returncode:
            assert name == ".+", added
            continue
        password = added.stdout.strip().rpartition(",")[2]
        person = Person(site.server.address, name, password)
        assert person.sign_in().status == 303
        assert person.get("admin").status == 403
        assert not person.get("create", Accept="application/json").json["person"]["admin"]
    site.configure(user_admin="r..t .*")
    assert site.person("root").get("admin").status == 403


def test_wrong_passwords_are_counted_across_requests(site: Installation) -> None:
    site.script("admin.py", "--user_add=victim", user="root")
    person = Person(site.server.address, "victim", "not this one")
    statuses = [person.sign_in().status for _ in range(10)]
    assert statuses[:5] == [401] * 5 and statuses[5:] == [429] * 5, statuses
    again = person.try_create(user="victim", password="another")
    assert again.status == 429 and int(again.headers["Retry-After"]) > 0
    assert site.stranger("bob").sign_in().status == 303, "others are not locked out by it"


def test_answers_do_not_tell_who_has_an_account(site: Installation) -> None:
    texts = set()
    for name in ("root", "nobody-here"):
        reply = Person(site.server.address, name, "wrong").sign_in()
        texts.add((reply.status, reply.text.replace(name, "NAME")))
    assert len(texts) == 1


def test_a_dead_qemu_is_not_answered_as_started(site: Installation) -> None:
    fake = site.directory / "qemu"
    for script, word in (("#!/bin/sh\nexit 1\n", ""), ("#!/bin/sh\nexec /bin/true\n", ""),
                         ("#!/bin/sh\ncase $* in *-vnc*) echo 'no such luck' >&2; exit 1;; esac\n"
                          f"exec {shutil.which('qemu-system-x86_64')} \"$@\"\n", "no such luck")):
        fake.write_text(script)
        fake.chmod(0o755)
        site.configure(qemu_exec=fake)
        reply = site.person().try_create()
        assert reply.status in (500, 503), str(reply)
        assert word in reply.text
        until(lambda: not list(site.leftovers()), 15)
    site.configure(qemu_exec="/nonexistent/qemu")
    assert site.person().try_create().status >= 500


def test_a_machine_put_into_the_directory_is_on_offer(site: Installation) -> None:
    path = site.add_machine("fresh.raw", title="A fresh one")
    offered = {one["name"]: one for one in
               site.person().get("create", Accept="application/json").json["machines"]}
    assert offered["fresh.raw"]["title"] == "A fresh one"
    assert site.person().create(machine="fresh.raw").facts["machine"] == "fresh.raw"
    path.unlink()
    path.with_suffix(".ini").unlink()


def test_the_lifetime_ends_without_any_request(site: Installation) -> None:
    desktop = site.person().create(lifetime="3")
    desktop.view()
    pids = site.pids(desktop.id)
    until(lambda: not (site.run / desktop.id).exists(), 10)
    until(lambda: not [pid for pid in pids.values() if os.path.exists(f"/proc/{pid}")], 5)
    assert not list(site.leftovers())
    assert "time" in (site.log / "history.jsonl").read_text().splitlines()[-1]


def test_logs_say_nothing_that_was_typed_as_password(site: Installation) -> None:
    Person(site.server.address, "hunter2-as-a-name", "hunter2-as-a-password").sign_in()
    said = site.server.errors() + (site.directory / "access.log").read_text() + "".join(
        path.read_text() for path in Path(site.log).iterdir())
    assert "hunter2" not in said
