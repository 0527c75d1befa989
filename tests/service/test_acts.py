"""What administrators type: a line in the log each, who, what and when; for nobody else to do.

What they do on pages is in test_rights.py. A new command without a line here fails.
"""

import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from service.installation import ROOT, USER, Installation
from service.test_freezing import act, freeze, frozen

# What each is given: S is a session, F a file of accounts.
ACTS = {
    "session_stop": ["S"], "session_purge": ["1"], "session_extend": ["S", "--seconds=60"],
    "session_wake": ["S"], "session_message": ["S", "--text=Hello"],
    "service_maintenance": ["Back at noon."],
    "user_add": ["eve"], "user_remove": ["bob"], "user_import": ["F"], "user_try": ["ada"]}
ROUTINE = ("check", "housekeeping")
DETAILS = {"seconds", "text", "json"}
AS_ROOT = {"user_add", "user_remove", "user_import"}  # accounts are root's
NOTHING = {"user_try", "session_wake"}  # change nothing here: no password, it is not parked
WHEN = r"20\d\d-\d\d-\d\d \d\d:\d\d:\d\d,\d\d\d"
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can be others")


@pytest.fixture
def place(site: Installation) -> Iterator[Installation]:
    """Return a site where nothing was done by hand yet, and whose accounts come back."""
    accounts, path = site.directory / "htpasswd", site.log / "by-hand.log"
    saved = accounts.read_bytes()
    path.unlink(missing_ok=True)
    yield site
    accounts.write_bytes(saved)
    (site.state / "maintenance").unlink(missing_ok=True)
    shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)


def line(site: Installation, command: str) -> tuple[list[str], str, str]:
    """Return what is typed for a command, a session it may be about, and how the log says it."""
    desktop = site.person("ada").create()
    site.pids(desktop.id)
    (site.directory / "class.csv").write_text("fred\n")
    (site.directory / "class.csv").chmod(0o644)
    for_real = {"S": desktop.facts["name"], "F": str(site.directory / "class.csv")}
    first, *more = ACTS.get(command, ["1"])
    words = [f"--{command}={for_real.get(first, first)}", *more]
    return words, desktop.id, " ".join(word.removeprefix("--") for word in words)


def log(site: Installation) -> str:
    """Return what was done by hand."""
    path = site.log / "by-hand.log"
    return path.read_text() if path.exists() else ""


def state(site: Installation, session: str) -> tuple[object, ...]:
    """Return what any of the commands could change."""
    record = site.record(session)
    return ([record[name] for name in ("state", "extended", "message", "keeper")],
            (site.state / "maintenance").exists(), (site.directory / "htpasswd").read_bytes())


def test_each_command_has_its_line() -> None:
    listed = set(re.findall(r'Command\("(\w+)"', "".join(
        path.read_text() for path in (ROOT / "cgi-bin/admin.py", *(
            ROOT / "lib/desktop" / name for name in (
                "auth/accounts.py", "web/doctor.py", "web/steering.py"))))))
    assert listed == ACTS.keys() | DETAILS | set(ROUTINE)


@needs_root
@pytest.mark.parametrize("command", [*ACTS, *ROUTINE])
def test_another_user_of_the_server_does_nothing(place: Installation, command: str) -> None:
    words, session, _ = line(place, command)
    before = state(place, session)
    done = place.script("admin.py", *words, user="daemon", HOME="/nonexistent")
    assert done.returncode == 1 and done.stderr, done
    assert state(place, session) == before and not log(place)


@needs_root
def test_nor_does_another_user_see_anything(place: Installation) -> None:
    words, session, _ = line(place, "session_stop")
    name = words[0].partition("=")[2]
    for asked in (["--json"], ["--service_monitor=1"], [f"--session_watch={name}"], []):
        done = place.script("monitor.py", *asked, user="daemon", HOME="/nonexistent")
        assert done.returncode == 1 and not done.stdout, done
        assert name not in done.stderr and session not in done.stderr or asked[0].endswith(name)


@needs_root
@pytest.mark.parametrize("user", ["root", USER])
@pytest.mark.parametrize("command", ACTS)
def test_an_act_is_logged(place: Installation, command: str, user: str) -> None:
    words, session, said = line(place, command)
    before = state(place, session)
    sudo = {"SUDO_USER": "ann"} if user == "root" else {}
    done = place.script("admin.py", *words, user=user, **sudo)
    may = (user == "root" or command not in AS_ROOT) and command != "user_try"
    assert done.returncode == (0 if may else 1), done
    who = re.escape("root (ann)" if user == "root" else user)
    assert re.search(rf"^{WHEN} admin\[\d+\] INFO {who}: {re.escape(said)}, by hand$",
                     log(place), re.M), log(place) + done.stderr
    assert "INFO" not in done.stderr
    if command not in NOTHING and may:
        assert not (place.run / session).exists() or state(place, session) != before
    facts = (place.log / "by-hand.log").stat()
    assert (facts.st_uid, facts.st_mode & 0o777) == (place.log.stat().st_uid, 0o600)


def test_freezing_on_a_page_is_logged(site: Installation) -> None:
    root = site.person("root")
    made = frozen(site)["template"]
    assert act(root, "discard", made, template=made).status == 200
    assert freeze(site).status == 200 and act(root, "cancel").status == 200
    for words in ("freezes empty.raw, usual CPU, 32 MB", f"removes the template {made}",
                  "says that empty.raw is ready to be frozen",
                  "cancels the freezing of empty.raw"):
        assert f"root {words}, from 127.0.0.1" in site.server.errors(), words


@needs_root
def test_routine_is_not_logged(place: Installation) -> None:
    assert place.script("admin.py", "--housekeeping=1", user="root").returncode == 0
    place.script("admin.py", "--check", user="root")
    assert "by hand" not in log(place)


@needs_root
@pytest.mark.parametrize("trap", ["link", "pipe", "directory"])
def test_a_log_that_is_a_trap_harms_nobody(place: Installation, tmp_path: Path,
                                           trap: str) -> None:
    """Whoever owns the directory of logs gets root to write nowhere that they could not."""
    path, secret = place.log / "by-hand.log", tmp_path / "secret"
    secret.write_text("root's own")
    secret.chmod(0o600)
    if trap == "link":
        path.symlink_to(secret)
    elif trap == "pipe":
        os.mkfifo(path)
    else:
        path.mkdir()
    done = place.script("admin.py", "--user_remove=nobody-here", user="root", timeout=20)
    assert done.returncode == 1 and "no account" in done.stderr
    assert "user_remove=nobody-here, by hand" in done.stderr, "it is said somewhere"
    assert secret.read_text() == "root's own"
