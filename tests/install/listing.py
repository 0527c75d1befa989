"""What is on a system's disk: path, kind, rights, owner, and content where it is configuration."""

from hashlib import sha256
from pathlib import Path

from install.debian import Debian

# What changes by itself, or is Debian's own account of what it did.
ELSEWHERE = ("/dev", "/proc", "/sys", "/tmp", "/run/systemd", "/run/user", "/run/sudo",
             "/var/tmp", "/var/log/journal", "/var/cache/apt", "/var/lib/apt", "/var/lib/dpkg",
             "/var/log/apt", "/var/log/dpkg.log", "/var/log/alternatives.log",
             "/var/cache/ldconfig", "/var/cache/debconf", "/etc/ld.so.cache", "/home/ann")
# What the service writes while it is used.
WRITTEN = ("/run/remote-desktop", "/var/lib/remote-desktop/snapshots",
           "/var/lib/remote-desktop/state", "/var/log/remote-desktop")
# What Debian's packages leave behind of themselves, also when they are purged by hand.
DEBIAN_LEAVES = ("/etc/xml", "/var/lib/apache2", "/run/apache2", "/run/apache2/socks",
                 "/run/adduser")
APACHE = ("/etc/apache2", "/etc/apache2/ports.conf")
# Packages make users and groups, and never remove them.
PEOPLE = ("/etc/passwd", "/etc/group", "/etc/shadow", "/etc/gshadow")
MADE_BY_PACKAGES = {"nova", "rdma", "ssl-cert", "kvm", "qemu"}


def listing(system: Debian, *also: str) -> dict[str, str]:
    """Return what is where; `also` are more places that do not count."""
    prune = " -o ".join(f"-path {place}" for place in (*ELSEWHERE, *also))
    found = system.run(rf"find / \( {prune} \) -prune -o -printf '%p\t%y %m %u:%g %l\n'")
    system.said.pop()
    facts = dict(line.split("\t", 1) for line in found.splitlines())
    if not system.path("/usr/sbin/apache2").exists():  # what of it is there is the tests'
        facts = {name: fact for name, fact in facts.items() if name not in APACHE}
    for name, fact in facts.items():
        if name.startswith("/etc/") and fact.startswith("f"):
            facts[name] += content(system.path(name))
    return facts


def content(path: Path) -> str:
    """Return what tells contents apart; of accounts, those that packages did not make."""
    if f"/etc/{path.name.rstrip('-')}" not in PEOPLE:
        return sha256(path.read_bytes()).hexdigest()
    if path.name.endswith("-"):
        return "the one before"
    lines = path.read_text().splitlines()
    return "\n".join(line for line in lines if line.split(":")[0] not in MADE_BY_PACKAGES)


def difference(before: dict[str, str], after: dict[str, str]) -> list[str]:
    """Return what is not the same, a line each."""
    after = {name: fact for name, fact in after.items()
             if name in before or name not in DEBIAN_LEAVES}
    return [*(f"- {name} {before[name]}" for name in sorted(before.keys() - after.keys())),
            *(f"+ {name} {after[name]}" for name in sorted(after.keys() - before.keys())),
            *(f"~ {name} {before[name]} -> {after[name]}" for name in sorted(before)
              if name in after and before[name] != after[name])]
