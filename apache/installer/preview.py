"""What an installation would do here, told without doing it: apache/install --print."""

import pwd
import shutil
from collections.abc import Iterator
from pathlib import Path

import checkout
import daemon
import debian
import files
import machine
import packages
import people
import server
import system
import upkeep
from ledger import Ledger, compare
from places import DIRECTORIES, FILES, HTPASSWD, MACHINES, PYTHON, SHARE, TREE, VENV
from tls import Tls

SAYS = {"changed": "write {0}", "edited": "keep {0}, edited here, and write {0}.new", "": "",
        "kept": ""}


def steps(known: Ledger, wanted: Tls) -> Iterator[tuple[str, list[str]]]:
    """Yield each step of an installation and what it would do, a line each; none: nothing."""
    lacking = packages.missing()
    yield "packages", [f"apt-get install {' '.join(lacking)}"] if lacking else []
    yield "environment", environment()
    yield "directories", list(directories())
    yield "programs", programs(known)
    yield "pages", [compared(known, path, source.read_bytes())
                    for source, path in files.shipped("html")]
    yield "settings", [compared(known, file.path, (TREE / "apache" / file.source).read_bytes())
                       for file in FILES]
    yield "machine", list(build(known))
    yield "accounts", ([] if people.accounts() else
                       [f"make the account {people.ADMINISTRATOR} and show its password"])
    yield "Apache", list(apache(known, wanted))
    yield "housekeeping", [] if upkeep.scheduled() else [f"systemctl enable --now {upkeep.TIMER}"]
    yield "desktop", [f"start {machine.NAME} as a browser does, look at its screen, stop it"]


def environment() -> list[str]:
    """Say what is to be fetched from PyPI."""
    wanted = debian.requirements()
    if not PYTHON.exists():
        return [f"python3 -m venv {VENV}", f"{PYTHON} -m pip install {' '.join(wanted)}"]
    said = system.run(PYTHON, "-I", "-B", "-m", "pip", "install", "--dry-run", "--no-cache-dir",
                      "--disable-pip-version-check", *wanted, environment=system.outside())
    return [f"pip: {line.lower()}" for line in said.splitlines() if line.startswith("Would ")]


def directories() -> Iterator[str]:
    """Say which are missing or have other rights, and whether www-data has to get at KVM."""
    for place in DIRECTORIES:
        rights = f"{place.mode:04o} {place.user}:{place.group}"
        if not place.path.is_dir():
            yield f"make {place.path} {rights}"
            continue
        status = place.path.stat()
        if (status.st_mode & 0o7777, status.st_uid) != (place.mode,
                                                        pwd.getpwnam(place.user).pw_uid):
            yield f"give {place.path} {rights}"
    if not HTPASSWD.exists():
        yield f"write {HTPASSWD}, empty"
    if system.works("getent", "group", "kvm") and "kvm" not in system.groups():
        yield f"gpasswd --add {system.WEB} kvm"


def programs(known: Ledger) -> list[str]:
    """Say which files are to be written, by their directory, and which go."""
    changed: dict[Path, list[str]] = {}
    for path, content in files.installed_programs():
        if not path.is_file() or path.read_bytes() != content:
            changed.setdefault(path.parent, []).append(path.name)
    lines = [f"write {folder}/ {' '.join(names)}" for folder, names in sorted(changed.items())]
    lines += [f"remove {path}" for path in files.no_longer_shipped(known)]
    return lines + ([f"compile {SHARE}/lib"] if lines else [])


def compared(known: Ledger, path: Path, content: bytes) -> str:
    """Say what happens to one file that the site may edit."""
    return SAYS[compare(known, path, content)].format(path)


def build(known: Ledger) -> Iterator[str]:
    """Say whether the first machine is to be built, and what that takes."""
    yield compared(known, MACHINES / f"{machine.NAME}.ini",
                   (TREE / "machines" / f"{machine.NAME}.ini").read_bytes())
    if (MACHINES / f"{machine.NAME}.iso").exists():
        return
    path = system.CLEAN["PATH"]
    lacking = sorted({package for tool, package in checkout.tools().items()
                      if not shutil.which(tool, path=path) and not Path(tool).is_file()})
    if lacking:
        yield f"apt-get install {' '.join(lacking)}"
    yield f"machines/build {machine.NAME} --output={MACHINES}"


def apache(known: Ledger, wanted: Tls) -> Iterator[str]:
    """Say what is to be changed in Apache, and how people will come in."""
    choice = server.choose(known, wanted)
    there = server.CONTROL.exists()
    modules = (*server.MODULES, daemon.cgi() if there else "cgid",
               *(server.FOR_TLS if choice.certificate else ()))
    off = [name for name in modules if not (there and server.enabled("mod", name))]
    yield f"a2enmod {' '.join(off)}" if off else ""
    writes = [compared(known, path, content) for path, content in server.contents(choice).items()]
    yield from writes
    turned = [f"{server.TURN[kind][not on]} {name}" for kind, name, on in server.switches(choice)
              if (there and server.enabled(kind, name)) != on]
    yield from turned
    for host in choice.hosts:
        yield f"include our conf in {host.file}, if it is not"
    if off or turned or any(writes):
        yield "reload Apache"
    yield f"serve /desktop/: {server.plan(known, wanted).text}" if off or turned or any(writes) \
        else ""
