"""Without Apache: a plain checkout, an ordinary user, 127.0.0.1."""

import json
import os
import pty
import shutil
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from service import orphans, websocket
from service.chromium import browser
from service.conftest import machine_image
from service.installation import ENVIRONMENT, ROOT, short_directory
from service.rfb import Denied, Viewer
from service.until import until

NOBODY = "nobody" if os.geteuid() == 0 else None
KEYS = {"session", "name", "machine", "url", "websocket", "token", "expires", "persistent"}


class Checkout:
    """A checkout that belongs to an ordinary user, who types commands."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        for part in ("cgi-bin", "lib", "html"):
            shutil.copytree(ROOT / part, directory / part)
        (directory / "machines").mkdir()
        shutil.copyfile(machine_image("tiny.iso"), directory / "machines/tiny.iso")
        (directory / "home").mkdir()
        if NOBODY:
            for path in [directory, *directory.rglob("*")]:
                shutil.chown(path, NOBODY)
        self.settings = [f"--dir_{name}={directory}/{name}" for name in
                         ("snapshots", "cfg", "state", "log")]
        self.settings += ["--dir_machines=machines", "--service_max_load=0"]

    def command(self, script: str, *arguments: str) -> dict[str, Any]:
        """Return what starts a script, as subprocess takes it."""
        return {"args": [sys.executable, f"cgi-bin/{script}.py", *arguments, *self.settings],
                "cwd": self.directory, "user": NOBODY, "stdin": subprocess.DEVNULL,
                "extra_groups": [] if NOBODY else None, "text": True,
                "env": {**ENVIRONMENT, "HOME": str(self.directory / "home")}}

    def type(self, script: str, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """Type a command and wait for its end."""
        return subprocess.run(**self.command(script, *arguments), capture_output=True, timeout=60)

    def start(self, *arguments: str) -> dict[str, Any]:
        """Start a session; return what --json says of it."""
        done = self.type("create", "--json", "--memory=32", *arguments)
        assert done.returncode == 0, done
        facts: dict[str, Any] = json.loads(done.stdout)
        return facts


@pytest.fixture(scope="module")
def clone() -> Iterator[Checkout]:
    """The checkout for all tests here."""
    place = Checkout(short_directory())
    yield place
    shutil.rmtree(place.directory)


@pytest.fixture
def checkout(clone: Checkout) -> Iterator[Checkout]:
    """The checkout without sessions; nothing is left of those of the test."""
    with websocket.hanging_up():
        yield clone
    done = clone.type("admin", "--session_purge=1")
    assert done.returncode == 0, done
    until(lambda: not [words for words in orphans.adopted().values()
                       if str(clone.directory) in words], 3, "the end of all sessions")


def view(facts: dict[str, Any], **headers: str) -> Viewer:
    """Look at the screen that printed facts lead to."""
    parts = urlsplit(facts["url"])
    fragment = {name: words[0] for name, words in parse_qs(parts.fragment).items()}
    assert parts.hostname == "127.0.0.1" and fragment["host"] == "127.0.0.1"
    address = ("127.0.0.1", int(fragment["port"]))
    stream = websocket.connect(address, f"/{fragment['path']}",
                               {"Origin": f"http://{parts.netloc}", **headers})
    return Viewer(stream, fragment["password"])


def test_the_printed_address_works(checkout: Checkout) -> None:
    done = checkout.type("create", "--machine=tiny.iso", "--memory=32")
    assert done.returncode == 0, done
    address, = done.stdout.split()
    with urllib.request.urlopen(address.partition("#")[0], timeout=10) as page:
        assert page.status == 200 and b"noVNC" in page.read()
    view({"url": address}).look()


def test_the_printed_address_works_in_chromium(checkout: Checkout) -> None:
    address = checkout.start()["url"]
    with browser() as chromium:
        chromium.open(address)
        assert chromium.screen()[0] > 300
        assert not chromium.complaints()


def test_json_says_what_programs_need(checkout: Checkout) -> None:
    facts = checkout.start()
    assert set(facts) == KEYS
    assert facts["machine"] == "tiny.iso"
    viewer = view(facts)
    assert viewer.look().width > 300
    parts = urlsplit(facts["websocket"])
    assert parts.scheme == "ws" and parts.hostname == "127.0.0.1" and parts.port != 6000
    assert Viewer(websocket.connect(("127.0.0.1", parts.port or 0), parts.path, {}),
                  facts["token"]).look()


def test_nobody_else_on_this_host_gets_in(checkout: Checkout) -> None:
    facts = checkout.start()
    for origin in ("http://evil.example", "null", "http://localhost:1"):
        with pytest.raises(websocket.Refused) as refusal:
            view(facts, Origin=origin)
        assert refusal.value.status == 403
    with pytest.raises(websocket.Refused):  # a foreign name that leads to 127.0.0.1
        view(facts, Host="evil.example", Origin="http://evil.example")
    parts = urlsplit(facts["url"])
    with pytest.raises(Denied):
        Viewer(websocket.connect(("127.0.0.1", parts.port or 0), "/websockify", {}), "abcdefgh")
    with pytest.raises(urllib.error.HTTPError):
        urllib.request.urlopen(f"http://{parts.netloc}/../token", timeout=10)


def test_the_monitor(checkout: Checkout) -> None:
    facts = checkout.start()
    page = checkout.type("monitor").stdout
    assert page.lstrip().lower().startswith("<!doctype html>") and facts["name"] in page
    for word in ("href=\"style.css", "src=\"", "<script src", facts["token"]):
        assert word not in page, word
    listed = json.loads(checkout.type("monitor", "--json").stdout)
    assert facts["session"] in {one["session"] for one in listed["sessions"]}
    table = on_a_terminal(checkout, "monitor")
    assert facts["name"] in table and "<" not in table and "tiny.iso" in table


def on_a_terminal(checkout: Checkout, script: str, *arguments: str) -> str:
    """Type a command at a terminal; return what it shows."""
    master, slave = pty.openpty()
    with open(master, "rb", buffering=0) as screen:
        done = subprocess.Popen(**checkout.command(script, *arguments), stdout=slave,
                                stderr=slave)
        os.close(slave)
        shown = b""
        try:
            while data := screen.read(4096):
                shown += data
        except OSError:
            pass  # how a terminal ends
        assert done.wait(30) == 0, shown
    return shown.decode()


def test_a_session_is_watched_to_its_end_and_stopped_by_any_name(checkout: Checkout) -> None:
    for name in ("session", "name", "record"):
        facts = checkout.start() | {"record": ""}
        facts["record"] = str(checkout.directory / "cfg" / facts["session"] / "session.json")
        watch = subprocess.Popen(**checkout.command("monitor", f"--session_watch={facts[name]}"),
                                 stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        assert watch.stdout and watch.stdout.readline()
        done = checkout.type("admin", f"--session_stop={facts[name]}")
        assert done.returncode == 0, done
        said, errors = watch.communicate(timeout=20)
        assert watch.returncode == 0, said + errors
        assert not (checkout.directory / "cfg" / facts["session"]).exists()


@pytest.mark.parametrize(("script", "arguments"), [
    ("create", ["--machine=nothing.iso"]), ("create", ["--machin=tiny.iso"]),
    ("create", ["--cpu=0"]), ("create", ["--memory=lots"]), ("create", ["tiny.iso"]),
    ("create", ["--machine=tiny.iso", "--machine=tiny.iso"]), ("create", ["--qemu_exec"]),
    ("create", ["--dir_novnc=/nonexistent"]), ("monitor", ["--session_watch=nothing"]),
    ("admin", []), ("admin", ["--session_stop=nothing"]), ("admin", ["--session_stop=/etc"]),
    ("admin", ["--user_remove=nobody-here"]), ("admin", ["--session_stop="]),
    ("create", ["--qemu_exec=/bin/false"])])
def test_a_refusal_is_status_1_and_a_sentence(checkout: Checkout, script: str,
                                              arguments: list[str]) -> None:
    before = sorted((checkout.directory / "cfg").glob("?" * 26))
    done = checkout.type(script, *arguments)
    assert done.returncode == 1, done
    assert done.stderr.strip() and not done.stdout, done
    assert "Traceback" not in done.stderr
    assert sorted((checkout.directory / "cfg").glob("?" * 26)) == before


def test_a_near_miss_is_told_the_right_word(checkout: Checkout) -> None:
    assert "machine" in checkout.type("create", "--machin=tiny.iso").stderr
    assert "qemu_video" in checkout.type("create", "--qemu_vdeo=std").stderr
    assert "tiny.iso" in checkout.type("create", "--machine=tinny.iso").stderr


def test_help_knows_every_setting(checkout: Checkout) -> None:
    from desktop import settings
    for script in ("create", "monitor", "admin"):
        done = checkout.type(script, "--help")
        assert done.returncode == 0, done
        for name in settings.TABLE:
            assert f"--{name}=" in done.stdout
        assert max(map(len, done.stdout.splitlines())) <= 99
        assert checkout.type(script, "--version").stdout.strip()


def test_accounts(checkout: Checkout) -> None:
    file = f"--file_htpasswd={checkout.directory}/htpasswd"
    added = checkout.type("admin", "--user_add=carol", file)
    assert added.returncode == 0 and added.stdout.startswith("carol,")
    assert checkout.type("admin", "--user_add=carol", file).returncode == 1
    people = checkout.directory / "people.csv"
    people.write_text("name,password\ndave,\nerin,correct horse\n")
    imported = checkout.type("admin", f"--user_import={people}", file)
    assert imported.returncode == 0 and "dave," in imported.stdout
    assert "correct horse" not in imported.stdout
    accounts = (checkout.directory / "htpasswd").read_text()
    assert [line.split(":")[0] for line in accounts.splitlines()] == ["carol", "dave", "erin"]
    assert all(":$2" in line for line in accounts.splitlines()), "bcrypt"
    assert (checkout.directory / "htpasswd").stat().st_mode & 0o007 == 0
    assert checkout.type("admin", "--user_remove=carol", file).returncode == 0
    assert "carol" not in (checkout.directory / "htpasswd").read_text()


def test_ports_are_taken_in_order_and_browsers_accept_them(checkout: Checkout) -> None:
    ports = [urlsplit(checkout.start("--service_min_port=6664", "--overcommit_cpu=0",
                                     "--service_max_cpu_fraction_nb_per_user=0")["url"]).port
             for _ in range(3)]
    assert len(set(ports)) == 3
    assert not set(ports) & {6000, 6566, *range(6665, 6670), 6679, 6697}
    assert all(port and 6664 <= port < 6674 for port in ports)


def test_it_ends_with_its_lifetime(checkout: Checkout) -> None:
    facts = checkout.start("--lifetime=2")
    until(lambda: not (checkout.directory / "cfg" / facts["session"]).exists(), 10)
