"""From the form's POST to a live screen, through Apache in both ways it runs scripts."""

import os
import pwd
import time
from pathlib import Path

import pytest
from service import orphans
from service.guest import descriptors
from service.installation import USER, Installation
from service.rfb import Viewer
from service.until import until
from service.websocket import Closed

FACTS = {"session", "name", "machine", "url", "websocket", "token", "expires", "persistent"}
CGI_WORDS = (b"HTTP_", b"QUERY_STRING", b"REMOTE_ADDR", b"GATEWAY_INTERFACE", b"SCRIPT_NAME")


def lit(viewer: Viewer) -> bool:
    """Tell whether something is on the screen."""
    return len(viewer.colours(2)) > 1


def test_post_answers_with_a_live_screen(any_site: Installation) -> None:
    ada = any_site.person()
    desktop = ada.create(machine="empty.raw", memory="48")
    assert FACTS <= set(desktop.facts)
    assert desktop.facts["machine"] == "empty.raw"
    assert desktop.facts["persistent"] is True
    viewer = desktop.view()
    viewer.wait(lit)
    viewer.leave()
    assert desktop.stop().status in (200, 303)
    any_site.gone(desktop.id)
    with pytest.raises(OSError):
        (any_site.run / desktop.id / "session.json").read_text()


def test_html_answer_ends_while_the_machine_runs(any_site: Installation) -> None:
    ada = any_site.person()
    start = time.monotonic()
    reply = ada.post("create", {"machine": "empty.raw", "persistent": "1", "terms": "1",
                                "form": "an-opening"})
    assert time.monotonic() - start < 5
    assert reply.status == 201, str(reply)
    assert reply.headers.get_content_type() == "text/html"
    session, = any_site.directories()
    assert until(lambda: any_site.record(session.name)["state"] == "running")


def test_processes_of_a_session(any_site: Installation) -> None:
    before = set(orphans.adopted())
    desktop = any_site.person().create()
    viewers = [desktop.view() for _ in range(3)]
    new = {pid: words for pid, words in orphans.adopted().items() if pid not in before}
    roles = any_site.pids(desktop.id)
    assert set(roles) == {"keeper", "qemu", "network"}
    inner = set(orphans.descendants(roles["network"]))  # an old passt runs within pasta
    assert set(new) - inner == set(roles.values()) and len(inner) <= 1, new
    for viewer in viewers:
        viewer.leave()


def test_processes_keep_nothing_of_the_request(any_site: Installation) -> None:
    desktop = any_site.person().create()
    desktop.view().leave()  # by then the keeper has read all of its program
    for role, pid in any_site.pids(desktop.id).items():
        proc = Path(f"/proc/{pid}")
        environ = (proc / "environ").read_bytes()
        assert not [word for word in CGI_WORDS if word in environ], role
        assert desktop.token and desktop.token.encode() not in environ
        assert desktop.token.encode() not in (proc / "cmdline").read_bytes()
        status = dict(line.split(":\t", 1) for line in
                      (proc / "status").read_text().splitlines() if ":\t" in line)
        assert int(status["Uid"].split()[0]) == pwd.getpwnam(USER).pw_uid, role
        if role != "network":  # passt makes a sandbox of its own
            assert os.readlink(proc / "cwd") == "/", role
        if role == "qemu":
            assert status["Seccomp"].strip() == "2", "QEMU's sandbox is off"
        if role == "keeper":
            until(lambda proc=proc: "\nSigBlk:\t0000000000000000\n" in
                  (proc / "status").read_text(), 5)  # but while it starts something (vfork)
            assert os.getsid(pid) == pid
        allowed = (str(any_site.run / desktop.id), str(any_site.snapshots / desktop.id),
                   str(any_site.machines), "/dev/", "socket:", "pipe:", "anon_inode:", "/memfd:",
                   "/proc/", "net:", "user:", "mnt:", "/usr/")
        for target in descriptors(pid):
            assert target.startswith(allowed), f"{role} holds {target}"
    for role, pid in any_site.pids(desktop.id).items():
        for target in (1, 2):
            opened = os.readlink(f"/proc/{pid}/fd/{target}")
            assert "log" in opened or opened == "/dev/null", f"{role} writes to {opened}"


def test_session_outlives_a_restart_of_apache(any_site: Installation) -> None:
    desktop = any_site.person().create()
    before = any_site.pids(desktop.id)
    any_site.server.stop()
    any_site.server.start()
    desktop.view().leave()
    assert any_site.pids(desktop.id).items() >= before.items()


def test_viewer_outlives_a_graceful_reload(any_site: Installation) -> None:
    desktop = any_site.person().create()
    viewer = desktop.view()
    viewer.look()
    any_site.server.reload()
    other = until(lambda: reachable(desktop), 10)
    viewer.look()
    other.look()
    viewer.leave()
    other.leave()


def reachable(desktop: object) -> Viewer | None:
    try:
        return desktop.view()  # type: ignore[attr-defined, no-any-return]
    except (OSError, Closed):
        return None


def test_the_same_form_twice_is_one_session(any_site: Installation) -> None:
    ada = any_site.person()
    first = ada.try_create(form="opening-number-one")
    again = ada.try_create(form="opening-number-one")
    assert (first.status, again.status) == (201, 201) or again.status == 200, str(again)
    assert first.json["session"] == again.json["session"]
    assert first.json["token"] == again.json["token"]
    other = ada.try_create(form="opening-number-two")
    assert other.json["session"] != first.json["session"]
    assert len(any_site.directories()) == 2
