"""What a machine's network card leads to, and the helper that carries its packets.

passt gives machines the internet without the server's own 127.0.0.1. Without passt, QEMU's user
network does, and there a guest reaches services of this computer through 10.0.2.2.
"""

import os
import shutil
from pathlib import Path

from desktop import process
from desktop.memo import Memo, stamp
from desktop.settings import Settings

RESOLVERS = ("etc/resolv.conf", "run/systemd/resolve/resolv.conf",
             "run/NetworkManager/no-stub-resolv.conf", "run/dnsmasq/resolv.conf")
TRY_SECONDS = 10  # it takes 0.1 s
FORWARD = "169.254.1.53"  # asked by guests, answered by a resolver on the server's 127.0.0.x
NOBODY = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")
# A network namespace around passt whose loopback is empty; pasta comes with passt.
NAMESPACE = ("pasta", "--foreground", "--quiet", "--config-net", "--no-map-gw", "-t", "none",
             "-u", "none", "-T", "none", "-U", "none", "--")


def kind(settings: Settings, proc: Path = Path("/proc")) -> str:
    """Return passt, user, isolated or none.

    A server without a default route is itself cut off, and passt would not start there.
    """
    if settings.guest_network != "internet":
        return settings.guest_network
    if not routed(proc):
        return "isolated"
    return "passt" if works(settings) else "user"


def passt() -> str:
    """Return the path of the program passt, or nothing."""
    return shutil.which("passt", path=process.ENVIRONMENT["PATH"]) or ""


def works(settings: Settings) -> bool:
    """Tell whether passt is installed and runs here; success is remembered until the next boot.

    It puts itself into a user namespace, which a chroot, a container or a hardened kernel refuses.
    """
    program = passt()
    if not program:
        return False
    memo = Memo(settings.dir_state / "network.json")
    now = f"{stamp(Path(program))} {process.boot_id()} {os.getuid()} {len(wrapping(program))}"
    if memo.get(program, now) is not True:
        if not tried():
            return False
        memo.put(program, now, True)
        memo.save()
    return True


def tried() -> bool:
    """Start passt on a socket whose other end is closed: it ends at once, well if all is well.

    A pasta that may not have a tun device ends, but the child it made waits for ever.
    """
    import socket  # only until the answer is remembered
    ours, theirs = socket.socketpair()
    with ours, theirs:
        child = process.start(helper(theirs.fileno()), Path("/dev/null"), [theirs.fileno()])
    return process.finish(child, TRY_SECONDS)


def routed(proc: Path) -> bool:
    """Tell whether the server has a default route, by IPv4 or IPv6 (proc(5), net/route)."""
    def fields(name: str) -> list[list[str]]:
        try:
            return [line.split() for line in (proc / "net" / name).read_text().splitlines()]
        except OSError:
            return []
    zero = "0" * 8
    return (any(line[1:2] == line[7:8] == [zero] for line in fields("route"))
            or any(line[:2] == [zero * 4, "00"] and line[-1] != "lo"
                   for line in fields("ipv6_route")))


def helper(fd: int, log: Path | None = None) -> list[str]:
    """Return the command line of passt on a connected stream socket that it inherits.

    It stays in the foreground and ends when the other end is closed. Started by root, it becomes
    nobody; the socket is open already, so nothing more is needed. No port is forwarded. Its words
    go to `log`, by whose name it can be found too.
    """
    program = passt() or "passt"
    mine = log and os.geteuid() != 0  # nobody could not open it
    return [*wrapping(program), program, "--foreground", "--quiet", "--no-map-gw", *names(),
            *(("--log-file", str(log)) if mine else ()), "--fd", str(fd)]


def wrapping(program: str) -> tuple[str, ...]:
    """Return what an old passt is started in.

    Debian 12's connects a guest that sends packets to 127.0.0.1, 0.0.0.0, ::1, :: or
    ::ffff:127.0.0.1 to services of the server, --no-map-gw or not. Newer ones, known by an option,
    drop such packets; they also close the descriptor that pasta would have to pass on. Started by
    root, pasta would turn in circles.
    """
    try:
        if b"map-host-loopback" in Path(program).read_bytes():
            return ()
    except OSError:
        pass  # then whether it runs is found out by trying
    return (*(NOBODY if os.geteuid() == 0 else ()), *NAMESPACE)


def names(root: Path = Path("/")) -> list[str]:
    """Return the options that give guests a name server when the server's own is on 127.0.0.x.

    Guests do not reach that one. The servers behind it are named by systemd-resolved and others;
    where nobody names them, passt forwards questions (from Debian 13 on; before, it tells guests
    of no server then).
    """
    for number, name in enumerate(RESOLVERS):
        if servers := reachable(root / name):
            return [word for server in servers for word in ("--dns", server)] if number else []
    return ["--dns-forward", FORWARD]


def reachable(path: Path) -> list[str]:
    """Return the name servers of a resolv.conf that are not on this computer, at most three."""
    from ipaddress import ip_address  # 1 ms, and only where the helper is started
    try:
        words = [line.split() for line in path.read_text(errors="replace").splitlines()]
    except OSError:
        return []
    found = []
    for server in (line[1] for line in words if line[:1] == ["nameserver"] and len(line) > 1):
        try:
            address = ip_address(server)
        except ValueError:
            continue
        if not (address.is_loopback or address.is_unspecified or address.is_link_local):
            found.append(server)
    return found[:3]


def netdev(kind: str, fd: int) -> str:
    """Return the value of QEMU's -netdev with id net0; `fd` is passt's other end."""
    if kind == "passt":
        return f"stream,id=net0,server=off,addr.type=fd,addr.str={fd}"
    if kind == "isolated":
        return "user,id=net0,restrict=on"
    if kind == "user":
        return "user,id=net0"
    raise ValueError(f"no network of kind {kind}")


def announce(kind: str) -> str:
    """Return what people must know about the network, or nothing."""
    if kind == "user":
        return ("Machines reach local services of this server through 10.0.2.2, because the "
                "program passt does not work here.")
    if kind == "isolated":
        return "Machines have a network card that leads nowhere."
    return "Machines have no network card." if kind == "none" else ""
