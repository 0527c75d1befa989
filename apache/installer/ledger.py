"""What the installer has put on this server: files as shipped, packages, what is on in Apache.

It tells a file that the site edited from one that it did not, a file that is no longer shipped,
and what was here before. It is written after each step, so that an interrupted run loses little;
without it nothing of the site's is overwritten either.
"""

import json
from dataclasses import asdict, dataclass, field, fields
from hashlib import sha256
from pathlib import Path

import system
from places import LEDGER


@dataclass
class Ledger:
    """The checksum of each file as it was shipped, and what was added to Debian and Apache.

    `includes` are the site's own files of Apache that got a line which includes our conf. `tls` is
    what was asked for (kind, certificate, key, site): it stays until something else is. `reload`
    is set from before Apache's configuration is changed until Apache has read it. server.leave
    undoes all that was done to Apache. `kvm`: it was us who let www-data use KVM. `made` are
    directories of others' files that were not there before.
    """

    files: dict[str, str] = field(default_factory=dict)
    packages: list[str] = field(default_factory=list)
    modules: list[str] = field(default_factory=list)
    includes: list[str] = field(default_factory=list)
    tls: dict[str, str] = field(default_factory=dict)
    kvm: bool = False
    made: list[str] = field(default_factory=list)
    reload: bool = False

    def save(self) -> None:
        """Write it; a crash leaves the old one or the new one."""
        system.write(LEDGER, json.dumps(asdict(self), indent=1).encode(), 0o600)


def load() -> Ledger:
    """Read the ledger, also an older version's; one that cannot be understood is empty."""
    empty = Ledger()
    try:
        facts = json.loads(LEDGER.read_text(encoding="utf-8"))
        return Ledger(**{one.name: type(getattr(empty, one.name))(facts[one.name])
                         for one in fields(Ledger) if one.name in facts})
    except (OSError, ValueError, TypeError, LookupError):
        return empty


def checksum(content: bytes) -> str:
    """Return what the ledger keeps of a file's content."""
    return sha256(content).hexdigest()


def keep(ledger: Ledger, path: Path, content: bytes, mode: int, group: str) -> str:
    """Bring a file that the site may edit up to date, as dpkg does with its conffiles.

    Returns "" (nothing to do), "changed", or "edited": the site's is kept, the new version lies
    beside it as .new, and this is told once.
    """
    beside = path.with_name(f"{path.name}.new")
    outcome = compare(ledger, path, content)
    ledger.files[str(path)] = checksum(content)
    match outcome:
        case "edited":
            system.write(beside, content, mode, group)
        case "kept":
            outcome = ""
        case _:
            beside.unlink(missing_ok=True)
            outcome = "changed" if system.write(path, content, mode, group) else ""
    return outcome


def compare(ledger: Ledger, path: Path, content: bytes) -> str:
    """Tell what is to be done about a file that the site may edit.

    Returns "" (it is as shipped), "changed" (it can be written), "edited" (the site's is kept and
    the new version is laid beside it) or "kept" (so it has been since the last run).
    """
    shipped = checksum(content)
    recorded = ledger.files.get(str(path))
    current = checksum(path.read_bytes()) if path.is_file() else None
    if current == shipped:
        return ""
    if current in (None, recorded):
        return "changed"
    return "kept" if recorded == shipped else "edited"
