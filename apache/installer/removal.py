"""Taking the service off this server: --uninstall keeps what people made, --purge nothing of it.

What is removed was put there by the installer or written by the service; what the site put beside
it stays and is named. Each step can be taken again.
"""

import shutil
from collections.abc import Iterable
from pathlib import Path

import people
import server
import system
from ledger import Ledger, checksum
from places import (ADMIN, DROP_IN, ETC, HTPASSWD, LEDGER, LIB, LOG, MACHINES, PYTHON, RUN,
                    SETTINGS, SHARE, VENV)
from report import Problem, Result, listing

PROGRAMS = (SHARE / "lib", SHARE / "cgi-bin", VENV.parent, RUN)
WRITTEN = (LOG, *(LIB / name for name in ("snapshots", "templates", "parked", "state")))
# What building, importing and fetching leave when they are killed.
DRAFTS = (".import-*", ".tiny-*", ".demo-*", ".*.part", ".*.part.json")
NO_SETTINGS = Path("/dev/null")  # where the site's cannot be read: as they come


def door(ledger: Ledger) -> Result:
    """Take the service out of Apache: nobody comes in any more, other sites go on."""
    undone = server.leave(ledger)
    ledger.save()
    return Result(bool(undone), listing(undone, 20) or "nothing of ours is in it")


def desktops() -> Result:
    """End every session, as an administrator's purge does: nobody can start one any more."""
    if not (ADMIN.exists() and PYTHON.exists()):
        return Result(False, "there are none")
    count = sum(path.is_dir() for path in RUN.glob("?" * 26))
    try:
        people.admin("--session_purge=1")
    except Problem:
        people.admin("--session_purge=1", settings=NO_SETTINGS)
    left = [path.name for path in RUN.glob("?" * 26)]
    if left:
        raise Problem(f"these sessions do not end: {listing(left)}",
                      f"See {RUN}/{left[0]}/keeper.log; then run this again.")
    return Result(bool(count), f"{count} running, ended; their disks are gone" if count
                  else "none is running")


def programs(ledger: Ledger) -> Result:
    """Remove what runs, and the directory of its sessions; nothing of it was the site's."""
    gone = [str(path) for path in PROGRAMS if clear(path)]
    for name in [name for name in ledger.files
                 if any(Path(name).is_relative_to(place) for place in PROGRAMS)]:
        del ledger.files[name]
    ledger.save()
    return Result(bool(gone), f"removed {listing(gone)}" if gone else "none")


def settings(ledger: Ledger, everything: bool) -> Result:
    """Remove the files that came with us, and with `everything` also those that are edited."""
    gone, kept = [], []
    for name, shipped in sorted(ledger.files.items()):
        path = Path(name)
        edited = path.is_file() and checksum(path.read_bytes()) != shipped
        if not everything and (edited or path == SETTINGS or path.parent == MACHINES):
            kept.append(name)
            continue
        gone += [name] if path.exists() else []
        for file in (path, path.with_name(f"{path.name}.new")):
            file.unlink(missing_ok=True)
        for folder in (path.parent, *path.parent.parents):
            if folder.is_relative_to(SHARE) or folder == DROP_IN.parent:
                empty(folder)
        del ledger.files[name]
    for name in sorted(ledger.made, reverse=True):
        empty(Path(name))
    ledger.save()
    if system.systemd():
        system.run("systemctl", "daemon-reload")
    return Result(bool(gone), f"removed {len(gone)} files" if gone else "none to remove",
                  "" if everything else
                  f"kept: {listing([*filter(edited_only, kept), str(LIB), str(ETC), str(LOG)], 9)}"
                  "; --purge removes them")


def edited_only(name: str) -> bool:
    """Tell whether a file is elsewhere than where everything is kept."""
    return not any(Path(name).is_relative_to(place) for place in (LIB, ETC, LOG))


def data(ledger: Ledger) -> Result:
    """Remove what the service wrote, the accounts, and www-data's right to KVM."""
    gone = [str(path) for path in WRITTEN if clear(path)]
    for pattern in DRAFTS:
        for draft in MACHINES.glob(pattern):
            clear(draft)
    HTPASSWD.unlink(missing_ok=True)
    for room in (MACHINES, ETC, SHARE / "html", SHARE):
        empty(room)
    if ledger.kvm and "kvm" in system.groups():
        system.run("gpasswd", "--delete", system.WEB, "kvm")
        gone.append(f"{system.WEB} from group kvm")
    ledger.kvm = False
    ledger.save()
    return Result(bool(gone), f"removed {listing(gone, 9)}" if gone else "none to remove",
                  yours((*WRITTEN, MACHINES, ETC, SHARE)))


def yours(rooms: Iterable[Path]) -> str:
    """Say what is left, since the site put it there."""
    left = [str(path) for room in rooms if room.is_symlink() or room.is_dir()
            for path in ([room] if room.is_symlink() else sorted(room.iterdir()))]
    return f"yours and kept: {listing(left, 9)}" if left else ""


def ledger_too() -> None:
    """Remove the last: what was known of all this."""
    LEDGER.unlink(missing_ok=True)
    empty(LIB)


def clear(path: Path) -> bool:
    """Remove a directory with all that is in it; a link that the site made is left alone."""
    if path.is_symlink() or not path.is_dir():
        return False
    shutil.rmtree(path)
    return True


def empty(folder: Path) -> None:
    """Remove a directory when nothing is in it."""
    if folder.is_dir() and not folder.is_symlink() and not any(folder.iterdir()):
        folder.rmdir()
