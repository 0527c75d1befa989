"""Apache's virtual hosts, as Apache itself understands them, and our line in those chosen.

Where the service is to be in one site only, a line in the file of that site includes our conf; it
is the only thing of the site's that is ever changed, and it is taken out again by `withdraw`.
"""

import grp
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import system
from places import CONF

INCLUDE = f"IncludeOptional conf-available/{CONF.path.name}"
WHERE = r"(?P<name>\S+) \((?P<file>/[^()]*):(?P<line>[0-9]+)\)"
ONE = re.compile(rf"\S+:(?P<port>[0-9]+|\*)\s+{WHERE}")  # the only one of its address
MANY = re.compile(rf"\s+port (?P<port>[0-9]+|\*) namevhost {WHERE}")
ALIAS = re.compile(r"^\s*ServerAlias\s+(.*\S)", re.I | re.M)  # Apache lists those of some only
END = re.compile(r"\s*</VirtualHost\s*>", re.I)
TLS_ON = re.compile(r"^\s*SSLEngine\s+on\b", re.I | re.M)


@dataclass(frozen=True)
class Host:
    """A virtual host; `line` is where it begins in its file."""

    file: Path
    line: int
    port: int  # 0: any
    name: str
    aliases: tuple[str, ...]
    tls: bool

    @property
    def site(self) -> str:
        """Return the name of its site, as a2ensite takes it."""
        return self.file.stem

    @property
    def names(self) -> tuple[str, ...]:
        """Return all its names."""
        return (self.name, *self.aliases)


def find() -> list[Host]:
    """Return the virtual hosts that are enabled; raises Problem when Apache cannot say."""
    return parse(system.run("apache2ctl", "-t", "-D", "DUMP_VHOSTS"))


def parse(said: str) -> list[Host]:
    """Return the virtual hosts that Apache lists."""
    found: list[Host] = []
    for line in said.splitlines():
        if match := ONE.match(line) or MANY.match(line):
            file, number = Path(match["file"]).resolve(), int(match["line"])
            port = 0 if match["port"] == "*" else int(match["port"])
            text = block(file, number)
            aliases = " ".join(line[1] for line in ALIAS.finditer(text)).split()
            found.append(Host(file, number, port, match["name"], tuple(aliases),
                              bool(TLS_ON.search(text)) or port == 443))
    return found


def block(file: Path, line: int) -> str:
    """Return the text of the virtual host that begins in a line."""
    lines = file.read_text(encoding="utf-8", errors="surrogateescape").splitlines()[line - 1:]
    end = next((number for number, text in enumerate(lines) if END.match(text)), len(lines))
    return "\n".join(lines[:end])


def twins(hosts: Iterable[Host], chosen: Iterable[Host]) -> list[Host]:
    """Return the chosen hosts and those without TLS that have one of their names."""
    chosen = list(chosen)
    names = {name for host in chosen for name in host.names}
    return chosen + [host for host in hosts
                     if host not in chosen and not host.tls and names & set(host.names)]


def include(hosts: Iterable[Host]) -> list[Path]:
    """Have these virtual hosts include our conf; return the files that got the line."""
    changed = []
    wanted: dict[Path, list[int]] = {}
    for host in hosts:
        wanted.setdefault(host.file, []).append(host.line)
    for file, starts in wanted.items():
        lines = read(file)
        for start in sorted(set(starts), reverse=True):  # from the end, or the numbers move
            if INCLUDE in map(str.strip, block(file, start).splitlines()):
                continue
            end = next((number for number in range(start, len(lines))
                        if END.match(lines[number])), len(lines))
            lines.insert(end, f"    {INCLUDE}\n")
        if write(file, lines):
            changed.append(file)
    return changed


def withdraw(files: Iterable[Path]) -> list[Path]:
    """Take our line out of these files; return those that had it."""
    return [file for file in files if file.is_file()
            and write(file, [line for line in read(file) if line.strip() != INCLUDE])]


def read(file: Path) -> list[str]:
    """Return the lines of a site's file, whatever its letters are."""
    return file.read_text(encoding="utf-8", errors="surrogateescape").splitlines(keepends=True)


def write(file: Path, lines: Iterable[str]) -> bool:
    """Write them back with the rights the file had; tell whether it changed."""
    status = file.stat()
    content = "".join(lines).encode("utf-8", "surrogateescape")
    if content == file.read_bytes():
        return False
    return system.write(file, content, status.st_mode & 0o7777,
                        grp.getgrgid(status.st_gid).gr_name, status.st_uid)
