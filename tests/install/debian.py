"""A Debian system of its own, booted with systemd: for what only shows on a whole server.

In: a release of Debian, whose smallest system tests/run has made. Out: a booted copy that shares
this machine's network and nothing else, with a clean clone of the project in ann's home. It is
ended with everything in it, and leaves nothing.
"""

import os
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

from service import orphans
from service.apache import free_port
from service.until import until

ROOT = Path(__file__).resolve().parents[2]
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
CLONE = "/home/ann/remote-desktop"
PORTS = """\
Listen 127.0.0.1:{0}
<IfModule ssl_module>
Listen 127.0.0.1:{1}
</IfModule>
"""


class Debian:
    """One system, from its boot to its end."""

    def __init__(self, release: str, directory: Path) -> None:
        self.directory = directory / release
        self.files = Path(f"{self.directory}.files")  # the disk; what runs sees more: `path`
        self.ports = (free_port(), free_port())
        self.group = Group(f"remote-desktop-tests-{os.getpid()}-{release}")
        source = Path(os.environ["REMOTE_DESKTOP_TEST_ROOTS"]) / release
        subprocess.run(["cp", "-a", source, self.files], check=True)
        shutil.copy("/etc/resolv.conf", self.files / "etc/resolv.conf")
        self.console = Path(f"{self.directory}.console").open("wb")
        self.nspawn: subprocess.Popen[bytes] | None = None
        self.leader = 0
        self.said: list[str] = []

    def __enter__(self) -> "Debian":
        try:
            self.boot()
            self.clone()
        except BaseException:
            print(self.last_words())
            self.end()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    def boot(self) -> None:
        """Start it, and wait until systemd has started everything."""
        self.nspawn = subprocess.Popen(
            ["systemd-nspawn", "--quiet", "--boot", f"--directory={self.files}",
             f"--machine={self.group.name}", "--hostname=debian", "--register=no", "--keep-unit",
             "--resolv-conf=off", "--timezone=off", "--link-journal=no", "--console=pipe"],
            env={"PATH": PATH, "SYSTEMD_NSPAWN_UNIFIED_HIERARCHY": "1",
                 "SYSTEMD_NSPAWN_LOCK": "0"},
            stdin=subprocess.DEVNULL, stdout=self.console, stderr=self.console,
            preexec_fn=self.group.enter)
        self.leader = until(lambda: self.runs() and self.init(), 60, "a boot")
        until(lambda: self.runs() and self.run("systemctl is-system-running --wait",
                                               check=False).strip() in ("running", "degraded"),
              120, "systemd to have started everything")

    def init(self) -> int:
        """Return the process that is the first within, or 0 while there is none."""
        assert self.nspawn
        for pid in orphans.descendants(self.nspawn.pid):
            try:
                status = Path(f"/proc/{pid}/status").read_text()
            except OSError:
                continue
            if re.search(r"^NSpid:\t\d+\t1$", status, re.M):
                return pid
        return 0

    def runs(self) -> bool:
        """Fail when it has ended."""
        assert self.nspawn and self.nspawn.poll() is None, self.last_words()
        return True

    def clone(self) -> None:
        """Put a clean clone of the project into ann's home, with what is not committed yet."""
        target = self.files / CLONE.lstrip("/")
        shutil.rmtree(target, ignore_errors=True)
        git = ["git", "-c", "safe.directory=*", "-C", str(ROOT)]
        subprocess.run([*git, "clone", "--quiet", "--no-hardlinks", ".", target], check=True)
        changed = subprocess.run([*git, "ls-files", "-z", "--modified", "--others",
                                  "--exclude-standard"], check=True, capture_output=True,
                                 text=True).stdout
        for name in filter(None, changed.split("\0")):
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            (target / name).unlink(missing_ok=True)
            if (ROOT / name).exists():
                shutil.copy(ROOT / name, target / name)
        self.run(f"chown -R ann: {CLONE}")

    def end(self) -> None:
        """End all its processes at once and remove it."""
        self.group.kill()
        if self.nspawn:
            self.nspawn.wait(30)
        self.console.close()
        self.group.remove()
        shutil.rmtree(self.files)

    # What is done in it

    def run(self, command: str, user: str = "root", check: bool = True,
            timeout: float = 900) -> str:
        """Have a user type a command; return what it says, errors included."""
        typed = ["sh", "-c", command] if user == "root" else ["su", "-", user, "-c", command]
        done = subprocess.run(
            ["nsenter", "-t", str(self.leader), "-m", "-u", "-i", "-n", "-p", "-C", "--",
             "env", "-i", f"PATH={PATH}", "LANG=C.UTF-8", "TERM=dumb", "HOME=/root", *typed],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            text=True, errors="replace", timeout=timeout, check=False)
        self.said.append(f"{user}$ {command}\n{done.stdout}(status {done.returncode})")
        assert done.returncode == 0 or not check, self.said[-1]
        return done.stdout

    def install(self, options: str = "", check: bool = True) -> str:
        """Type the README's command as its reader does."""
        return self.run(f"cd {CLONE} && sudo apache/install {options}".strip(), "ann", check)

    def path(self, name: str) -> Path:
        """Return where a file of the running system is seen from here; its /run for one."""
        return Path(f"/proc/{self.leader}/root") / name.lstrip("/")

    def write(self, name: str, text: str) -> None:
        """Write a file of root's."""
        self.path(name).parent.mkdir(parents=True, exist_ok=True)
        self.path(name).write_text(text, encoding="utf-8")

    def use_free_ports(self) -> None:
        """Let Apache listen where nobody else does: the network is this machine's."""
        self.write("/etc/apache2/ports.conf", PORTS.format(*self.ports))

    def last_words(self) -> str:
        """Return what was said last: commands, the journal, the console."""
        said = self.said[-4:]
        journal = self.run("journalctl --no-pager -n 40; tail -n 20 /var/log/apache2/error.log",
                           check=False) if self.nspawn and self.nspawn.poll() is None else ""
        console = Path(self.console.name).read_text(errors="replace")
        return "\n".join([journal, console[-1000:], *said])


class Group:
    """Control groups of its own (v2, and systemd's of v1), so that two systems do not meet."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.paths = [mount / name for mount in mounts()]

    def enter(self) -> None:
        """Move the calling process into it."""
        for path in self.paths:
            path.mkdir(exist_ok=True)
            (path / "cgroup.procs").write_text(str(os.getpid()))

    def kill(self) -> None:
        """Kill every process in it."""
        for path in self.paths:
            switch = path / "cgroup.kill"
            if switch.exists():
                switch.write_text("1")

    def remove(self) -> None:
        """Remove it; the kernel takes a moment to forget the dead."""
        end = time.monotonic() + 20
        for top in filter(Path.exists, self.paths):
            for path, _, _ in os.walk(top, topdown=False):
                while True:
                    try:
                        os.rmdir(path)
                        break
                    except OSError:
                        assert time.monotonic() < end, f"{path} is still in use"
                        time.sleep(0.05)


def mounts() -> Iterator[Path]:
    """Yield where control groups are that systemd makes use of, seen from our own."""
    own = {kind: path for _, kind, path in (
        line.split(":", 2) for line in Path("/proc/self/cgroup").read_text().splitlines())}
    for line in Path("/proc/mounts").read_text().splitlines():
        _, mount, kind, options, *_ = line.split()
        if kind == "cgroup2":
            yield Path(mount) / own.get("", "/").lstrip("/")
        elif kind == "cgroup" and "name=systemd" in options.split(","):
            yield Path(mount) / own.get("name=systemd", "/").lstrip("/")
