"""What is on a system's disk: path, kind, rights, owner, and content where it is configuration."""

from hashlib import sha256

from install.debian import Debian

# What changes by itself, or is Debian's own account of what it did.
ELSEWHERE = ("/dev", "/proc", "/sys", "/tmp", "/run/systemd", "/run/user", "/var/log/journal",
             "/var/cache/apt", "/var/lib/apt", "/var/lib/dpkg")


def listing(system: Debian, *also: str) -> dict[str, str]:
    """Return what is where; `also` are more places that do not count."""
    prune = " -o ".join(f"-path {place}" for place in (*ELSEWHERE, *also))
    found = system.run(rf"find / \( {prune} \) -prune -o -printf '%p\t%y %m %u:%g %l\n'")
    system.said.pop()
    facts = dict(line.split("\t", 1) for line in found.splitlines())
    for name, fact in facts.items():
        if name.startswith("/etc/") and fact.startswith("f"):
            facts[name] += sha256(system.path(name).read_bytes()).hexdigest()
    return facts


def difference(before: dict[str, str], after: dict[str, str]) -> list[str]:
    """Return what is not the same, a line each."""
    return [*(f"- {name} {before[name]}" for name in sorted(before.keys() - after.keys())),
            *(f"+ {name} {after[name]}" for name in sorted(after.keys() - before.keys())),
            *(f"~ {name} {before[name]} -> {after[name]}" for name in sorted(before)
              if name in after and before[name] != after[name])]
