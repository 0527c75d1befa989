"""A whole service of its own for tests: its files, its settings and its Apache, in one directory.

In: what all installations of a run share (`Goods`), the MPM, and settings. Out: a server on
127.0.0.1 that runs the project's scripts as www-data, as an installed one does. The directory is
short, for the sake of unix sockets (107 bytes), and goes when the installation ends.
"""

import json
import os
import pwd
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from service import apache, orphans
from service.authority import Authority
from service.person import Person
from service.until import until

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("machines", "run", "snapshots", "state", "log", "templates", "parked")
USER = "www-data" if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name
RUNNING: list["Installation"] = []
ENVIRONMENT = {"PATH": "/usr/local/bin:/usr/bin:/bin", "LANG": "C.UTF-8"}


@dataclass(frozen=True)
class Goods:
    """What every installation of a run has: programs, the tiny machine, accounts, trust."""

    share: Path
    tiny: Path
    htpasswd: Path
    passwords: Mapping[str, str]
    authority: Authority


def short_directory() -> Path:
    """Make a directory that others may go through, at a short path."""
    path = Path(tempfile.mkdtemp(prefix="rd.", dir=os.environ.get("TMPDIR", "/tmp")))
    path.chmod(0o711)
    return path


def install_programs(share: Path) -> None:
    """Put the checkout's programs where www-data can read them, as apache/install does."""
    for part in ("cgi-bin", "lib", "html"):
        shutil.copytree(ROOT / part, share / part, ignore=shutil.ignore_patterns("__pycache__"))
    (share / "machines").mkdir()
    shutil.copy(ROOT / "machines/freeze", share / "machines")
    for script in (*(share / "cgi-bin").iterdir(), share / "machines/freeze"):
        first, newline, rest = script.read_text(encoding="utf-8").partition("\n")
        assert first.startswith("#!"), f"{script.name} names no interpreter"
        script.write_text(f"#!{sys.executable} -I\n{rest}", encoding="utf-8")
        script.chmod(0o755)
    run = subprocess.run([sys.executable, "-m", "compileall", "-q", share / "lib"], check=False)
    assert run.returncode == 0, "the library does not compile"


class Installation:
    """One service. Use it as a context: it ends with everything in it."""

    def __init__(self, goods: Goods, mpm: str = "event", run_at: Path | None = None,
                 tls: bool = False, more: str = "", **settings: object) -> None:
        """`more` is configuration of Apache's besides ours."""
        self.goods = goods
        self.directory = short_directory()
        self.ini = self.directory / "desktop.ini"
        for room in ROOMS:
            path = self.directory / room
            path.mkdir(mode=0o700)
            shutil.chown(path, USER, USER)
        (self.machines, self.run, self.snapshots, self.state, self.log, self.templates,
         self.parked) = (self.directory / room for room in ROOMS)
        self.run = run_at or self.run
        self.machines.chmod(0o755)
        shutil.copyfile(goods.tiny, self.machines / "tiny.iso")
        shutil.copyfile(ROOT / "machines/tiny.ini", self.machines / "tiny.ini")
        self.add_machine("empty.raw")
        shutil.copyfile(goods.htpasswd, self.directory / "htpasswd")
        shutil.chown(self.directory / "htpasswd", "root" if os.geteuid() == 0 else USER, USER)
        (self.directory / "htpasswd").chmod(0o640)
        self.people: dict[str, Person] = {}
        self.standing = settings
        self.settings: dict[str, object] = {}
        self.configure()
        self.server = apache.Apache(self.directory, mpm, goods.share, self.run, self.ini, more,
                                    goods.authority.tls(mpm) if tls else None,
                                    settings.get("dir_novnc", "/usr/share/novnc"))

    def __enter__(self) -> "Installation":
        try:
            self.server.start()
        except BaseException:
            shutil.rmtree(self.directory)
            raise
        RUNNING.append(self)
        return self

    def __exit__(self, *_: object) -> None:
        RUNNING.remove(self)
        try:
            self.configure()
            self.clear()
        finally:
            self.server.stop()
            shutil.rmtree(self.directory)

    # Settings, machines, people

    def configure(self, **settings: object) -> None:
        """Set these settings, and those of the installation, and no others, from now on."""
        places = {"dir_service": self.goods.share, "dir_html": self.goods.share / "html",
                  "dir_machines": self.machines, "dir_snapshots": self.snapshots,
                  "dir_cfg": self.run, "dir_state": self.state, "dir_log": self.log,
                  "dir_templates": self.templates, "dir_parked": self.parked,
                  "file_htpasswd": self.directory / "htpasswd"}
        self.settings = {**places, "check_user_with_htpasswd": 1, "user_admin": "root",
                         "machine": "empty.raw", "snapshot_alloc_mem": 32, "dir_mounts": "",
                         "service_max_load": 0, "service_max_session_nb_per_user": 0,
                         "service_max_cpu_fraction_nb_per_user": 0,
                         "service_max_mem_fraction_nb_per_user": 0,
                         "host_disk_reserve": 0.1, "snapshot_alloc_disk": 0.1,
                         **self.standing, **settings}
        self.ini.write_text("".join(f"{name} = {value}\n" for name, value in
                                    self.settings.items() if value is not None))
        self.ini.chmod(0o644)

    def forget(self) -> None:
        """Forget what counts for a while: refused sign-ins, people for whom there was no room.

        Templates too.
        """
        shutil.rmtree(self.state / "throttle", ignore_errors=True)
        for path in self.templates.iterdir():
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        (self.state / "refused").unlink(missing_ok=True)
        for path in self.log.glob("*.corrupt"):
            path.unlink()

    def add_machine(self, name: str, content: bytes = b"", **descriptor: object) -> Path:
        """Put a machine on offer, a disk of 1 MB with `content` at its start, unless it is there.

        An empty one stays at the firmware's screen, where QEMU idles.
        """
        path = self.machines / name
        if content or not path.exists():
            with path.open("wb") as file:
                file.write(content)
                file.truncate(max(1 << 20, len(content)))
        if descriptor:
            path.with_suffix(".ini").write_text("".join(
                f"{key} = {value}\n" for key, value in descriptor.items()))
        return path

    def person(self, name: str = "ada") -> Person:
        """Return somebody with an account who has signed in, in a browser of their own."""
        if name not in self.people:
            one = self.stranger(name)
            reply = one.sign_in()
            assert reply.status == 303, str(reply)
            self.people[name] = one  # only now: threads may ask at once
        fresh = self.stranger(name)
        fresh.cookies = dict(self.people[name].cookies)
        return fresh

    def stranger(self, name: str = "") -> Person:
        """Return somebody who has not signed in (yet)."""
        return Person(self.server.address, name, self.goods.passwords.get(name, ""))

    # Programs

    def script(self, name: str, *arguments: str, user: str = USER, timeout: float = 60,
               **environment: str) -> "subprocess.CompletedProcess[str]":
        """Run a script by hand, as the web server's user, with the installation's settings."""
        return subprocess.run(
            [self.goods.share / "cgi-bin" / name, *arguments], capture_output=True, text=True,
            timeout=timeout, stdin=subprocess.DEVNULL, cwd="/",
            user=user if os.geteuid() == 0 else None, group=user if os.geteuid() == 0 else None,
            extra_groups=[] if os.geteuid() == 0 else None,
            env={**ENVIRONMENT, "REMOTE_DESKTOP_INI": str(self.ini), **environment})

    # Sessions

    def directories(self) -> list[Path]:
        """Return the directories of all sessions."""
        return sorted(path for path in self.run.iterdir()
                      if len(path.name) == 26 and path.is_dir())

    def record(self, session: str) -> dict[str, Any]:
        """Return what is written of a session."""
        facts: dict[str, Any] = json.loads((self.run / session / "session.json").read_text())
        return facts

    def pids(self, session: str) -> dict[str, int]:
        """Return the processes of a session that are written down: keeper, qemu, network."""
        record = self.record(session)
        return {role: record[role]["pid"] for role in ("keeper", "qemu", "network")
                if record[role]}

    def processes(self, session: str) -> set[int]:
        """Return all processes of a session: those written down and their children."""
        pids = set(self.pids(session).values())
        return pids.union(*(orphans.descendants(pid) for pid in pids))

    def leftovers(self) -> Iterator[str]:
        """Say what is there of sessions."""
        yield from map(str, self.directories())
        yield from map(str, self.snapshots.iterdir())
        yield from map(str, self.parked.iterdir())
        yield from (f"{pid} {words}" for pid, words in orphans.adopted().items()
                    if str(self.directory) in words)

    def gone(self, session: str, timeout: float = 10) -> None:
        """Wait until nothing is left of a session."""
        until(lambda: not [left for left in self.leftovers() if session in left], timeout,
              f"the end of {session}")

    def clear(self) -> None:
        """End all sessions as an administrator does; fail when anything is left of them."""
        if not list(self.leftovers()):
            return
        purge = self.script("admin.py", "--session_purge=1")
        try:
            assert purge.returncode == 0, purge
            until(lambda: not list(self.leftovers()), 15, "the end of all sessions")
        finally:
            self.sweep_away()

    def sweep_away(self) -> None:
        """End and remove what the product has left, so that the next test starts clean."""
        orphans.end([pid for pid, words in orphans.adopted().items()
                     if str(self.directory) in words])
        for path in [*self.directories(), *self.snapshots.iterdir(), *self.parked.iterdir()]:
            shutil.rmtree(path, ignore_errors=True)
