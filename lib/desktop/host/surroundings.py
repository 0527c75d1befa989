"""Whether systemd lets Apache's children do their work: how it ends them, what it hides from them.

Sessions are started by requests, so they run in the service of Apache: what that may not, they may
not, and when it is stopped, its KillMode decides on them. Everything is read from /proc and the
files of the unit, for each look at the sessions: no program is run.
"""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from desktop.finding import Finding
from desktop.host import unit
from desktop.host.unit import Unit
from desktop.settings import Settings

SELF = Path("/proc/self")
NAME = "Apache's unit"
PID_FILE = Path("/run/apache2/apache2.pid")  # where systemd need not guess which is Apache
SURVIVE = ("process", "none")  # values of KillMode that leave children alone
WRITTEN = ("dir_cfg", "dir_snapshots", "dir_state", "dir_log")
OWN = (*WRITTEN, "dir_templates", "dir_parked")  # the last two are made when they are wanted
READ = ("dir_service", "dir_machines", "dir_novnc")
TEMPORARY = (Path("/tmp"), Path("/var/tmp"))
FAMILIES = ("AF_UNIX", "AF_INET", "AF_INET6", "AF_NETLINK")  # sockets, the network, passt


@dataclass(frozen=True)
class Mount:
    """A line of /proc/PID/mountinfo, proc(5)."""

    root: str
    point: Path
    options: str


def look(settings: Settings, process: Path = SELF, root: Path = Path("/")) -> Iterator[Finding]:
    """Say what is in the way of a process of Apache's, by its directory of /proc.

    Nothing where it is not a service of systemd, or all is well.
    """
    yield from published(settings)
    service = unit.of(process, root)
    if service is None or not service.lines:
        return
    yield from fate(service)
    mounts = read_mounts(process)
    yield from vanishing(settings, service, mounts)
    yield from shut(settings, service, mounts)
    yield from forbidden(service)


def published(settings: Settings) -> Iterator[Finding]:
    """Name what everybody could download: directories below that of the pages."""
    for name in (*OWN, "dir_machines"):
        if (path := getattr(settings, name)).is_relative_to(settings.dir_html):
            yield Finding(name, f"{name} = {path} lies below dir_html: it can be downloaded",
                          False, f"Move it out of {settings.dir_html}.")


def fate(service: Unit) -> Iterator[Finding]:
    """Say so when a stop of Apache would end all sessions; `control-group` is the default."""
    mode = service.lines.get("KillMode") or "control-group"
    if mode not in SURVIVE:
        yield Finding(NAME, f"a restart or upgrade of {service.name} ends all sessions "
                      f"(KillMode={mode})", False,
                      mend(service, "KillMode=process", f"PIDFile={PID_FILE}", restart=False))


def vanishing(settings: Settings, service: Unit, mounts: list[Mount]) -> Iterator[Finding]:
    """Name what lies in a /tmp of Apache alone: nobody else sees it, and a stop deletes it."""
    private = service.on("PrivateTmp") or service.lines.get("PrivateTmp") == "disconnected" or any(
        mount.point in TEMPORARY and "systemd-private" in mount.root for mount in mounts)
    for name in (*OWN, "dir_machines") if private else ():
        path = getattr(settings, name)
        if any(path.is_relative_to(place) for place in TEMPORARY):
            yield Finding(name, f"{name} = {path} lies in a /tmp that {service.name} has for "
                          "itself: commands do not see it, a restart empties it", False,
                          f"Set {name} to a directory elsewhere.")


def shut(settings: Settings, service: Unit, mounts: list[Mount]) -> Iterator[Finding]:
    """Name directories that cannot be read, or not be written to, only because of the unit."""
    for name in (*OWN, *READ):
        path = getattr(settings, name)
        mount = covering(mounts, Path(os.path.realpath(path)))
        if mount is None:
            continue
        if "/inaccessible/" in mount.root:  # of /run/systemd, or /run/host
            yield Finding(name, f"{service.name} hides {name} = {path} (ProtectHome=, "
                          "InaccessiblePaths=)", False,
                          mend(service, "ProtectHome=false", "InaccessiblePaths="))
        elif name in OWN and "ro" in mount.options.split(","):
            yield Finding(name, f"{service.name} may not write to {name} = {path} "
                          "(ProtectSystem=, ReadOnlyPaths=)", False,
                          mend(service, f"ReadWritePaths={path}"))


def forbidden(service: Unit) -> Iterator[Finding]:
    """Name what the unit forbids and machines need."""
    said = service.lines
    families = said.get("RestrictAddressFamilies", "")
    missing = [word for word in FAMILIES if families and (
        word in families.replace("~", "").split()) == families.strip().startswith("~")]
    hindrances = (
        ("PrivateDevices", service.on("PrivateDevices"), "no",
         "hides /dev/kvm and /dev/net/tun: machines are slow, and not kept from local services"),
        ("DevicePolicy", said.get("DevicePolicy") in ("closed", "strict")
         and "/dev/kvm" not in said.get("DeviceAllow", ""), "auto", "forbids /dev/kvm"),
        ("PrivateNetwork", service.on("PrivateNetwork"), "no", "cuts machines off the network"),
        ("ProcSubset", said.get("ProcSubset") == "pid", "all", "hides memory and processors"),
        ("RestrictNamespaces", said.get("RestrictNamespaces", "no").lower() not in (
            "", "0", "no", "n", "false", "f", "off"), "no", "forbids passt to isolate itself"),
        ("MemoryDenyWriteExecute", service.on("MemoryDenyWriteExecute"), "no",
         "forbids QEMU to emulate processors"),
        ("RestrictAddressFamilies", bool(missing), "",
         f"forbids {', '.join(missing)}"))
    for name, hinders, better, effect in hindrances:
        if hinders:
            yield Finding(NAME, f"{name}={said[name].strip()} of {service.name} {effect}", False,
                          mend(service, f"{name}={better}"))


def mend(service: Unit, *lines: str, restart: bool = True) -> str:
    """Return how lines get into a unit for good; how it ends its processes needs no restart."""
    drop_in = f"/etc/systemd/system/{service.name}.d/local.conf"
    start = f"; systemctl restart {service.name.removesuffix('.service')}" if restart else ""
    return (f"Put {' and '.join(lines)} below [Service] in {drop_in}, then: "
            f"systemctl daemon-reload{start}")


def read_mounts(process: Path) -> list[Mount]:
    """Return what a process sees mounted, in order; a later one lies over earlier ones."""
    try:
        lines = (process / "mountinfo").read_text(errors="surrogateescape").splitlines()
    except OSError:
        return []
    words = [line.split(" ") for line in lines]
    return [Mount(unescape(one[3]), Path(unescape(one[4])), one[5]) for one in words
            if len(one) > 5]


def unescape(text: str) -> str:
    """Return a field of mountinfo as it is: blanks and such are written in octal."""
    return re.sub(r"\\([0-7]{3})", lambda match: chr(int(match[1], 8)), text)


def covering(mounts: list[Mount], path: Path) -> Mount | None:
    """Return the mount that a path lies in, as the process sees it."""
    over = [mount for mount in mounts if path.is_relative_to(mount.point)]
    return max(reversed(over), key=lambda mount: len(mount.point.parts), default=None)
