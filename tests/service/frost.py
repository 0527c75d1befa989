"""Frozen machines, made once a run, and what is to be seen of copies of them.

Templates are of a machine's file where it lies, so all who use one share its directory. There are
tiny.iso, and quick.raw: a boot sector that is ready within the second.
"""

import hashlib
import os
import shutil
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from service.guest import Guest
from service.installation import Installation
from service.person import Desktop

FREEZE = "../machines/freeze"
MEMORY = {"tiny.iso": 192, "quick.raw": 16}  # MB
READY = "quick is ready"
# xor ax, ax; mov ds, ax; mov si, text; mov dx, 0x3f8 (the serial port);
# again: lodsb; test al, al; jz rest; out dx, al; jmp again; rest: hlt; jmp rest; text
SECTOR = bytes.fromhex("31c0 8ed8 be177c baf803 ac 84c0 7403 ee ebf8 f4 ebfd 9090")


@dataclass(frozen=True)
class Frost:
    """Machines, and their templates as they were made, by the machine's name.

    `seconds` is what tiny.iso took, `said` what was told meanwhile.
    """

    machines: Path
    templates: dict[str, Path]
    seconds: float
    said: str

    def settle(self, site: Installation, machine: str = "tiny.iso", **settings: object) -> Path:
        """Give a site these machines and a template of its own; return where that lies."""
        site.forget()
        site.configure(dir_machines=self.machines, **settings)
        source = self.templates[machine]
        subprocess.run(["cp", "-a", "--sparse=always", source, site.templates], check=True)
        return site.templates / source.name


def freeze(site: Installation, directory: Path) -> Frost:
    """Freeze both machines as an administrator does, in a directory of machines of its own."""
    quick = site.add_machine("quick.raw", sector(), ready=READY, cpu_max=2)
    os.utime(quick, (1, 1))
    machines = directory / "machines"
    shutil.copytree(site.machines, machines)
    site.configure(dir_machines=machines)
    made, seconds, said = {}, 0.0, ""
    for name, memory in MEMORY.items():
        begin = time.monotonic()
        done = site.script(FREEZE, name, "--memory", str(memory), timeout=180)
        assert done.returncode == 0, done
        if name == "tiny.iso":
            seconds, said = time.monotonic() - begin, done.stderr + done.stdout
        made[name] = directory / template(site).name
        template(site).rename(made[name])
    return Frost(machines, made, seconds, said)


def sector() -> bytes:
    """Return a disk that boots, says so on its serial port, and does nothing."""
    return (SECTOR + READY.encode()).ljust(510, b"\0") + b"\x55\xaa"


def template(site: Installation) -> Path:
    """Return the one template of a site."""
    found, = (path for path in site.templates.iterdir() if not path.name.startswith("."))
    return found


def digests(place: Path) -> dict[str, str]:
    """Return mode and SHA-256 of each part of a template."""
    return {path.name: f"{path.stat().st_mode:o} {hashlib.sha256(path.read_bytes()).hexdigest()}"
            for path in sorted(place.iterdir())}


def start(site: Installation, who: str = "ada", machine: str = "quick.raw",
          **fields: str) -> Desktop:
    """Start a session that has what the template has."""
    return site.person(who).create(**{"machine": machine, "memory": str(MEMORY[machine]),
                                      **fields})


def recall(site: Installation, session: str, who: str = "ada") -> Desktop:
    """Return a session that is there, as its owner has it."""
    token = (site.run / session / "token").read_text()
    return Desktop(site.person(who), {"session": session, "token": token})


def booted(site: Installation, desktop: Desktop) -> bool:
    """Tell whether a session booted, as its record and its processes say."""
    booted = not site.record(desktop.id)["template"]
    words = Path(f"/proc/{site.pids(desktop.id)['qemu']}/cmdline").read_bytes().split(b"\0")
    assert (b"-incoming" not in words) == booted
    return booted


class Copy:
    """A session of tiny that is to start from its template, and a shell inside."""

    def __init__(self, site: Installation, who: str = "ada", **fields: str) -> None:
        self.site = site
        self.desktop = start(site, who, "tiny.iso", **fields)
        self.guest = Guest(site.run / self.desktop.id)

    def uptime(self) -> float:
        """Return for how many seconds its kernel has run."""
        return float(self.guest.run("cut -d' ' -f1 /proc/uptime").output)

    def booted(self) -> bool:
        """Tell whether it booted although there is a template."""
        return booted(self.site, self.desktop)
