"""The systemd service that processes run in, and what its files say: systemd.unit(5).

Read from the files, as systemd does: 0.5 ms, where asking it takes 10. What is changed on disk
and not reloaded yet is told as it is on disk.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

# Where systemd looks, the first that has a file wins; generators write no drop-ins of interest.
PLACES = ("etc/systemd/system.control", "run/systemd/system.control", "run/systemd/transient",
          "etc/systemd/system", "run/systemd/system", "usr/local/lib/systemd/system",
          "usr/lib/systemd/system", "lib/systemd/system")
LISTS = ("DeviceAllow", "RestrictAddressFamilies")  # each line adds to them, an empty one resets
TRUE = ("1", "yes", "y", "true", "t", "on")


@dataclass(frozen=True)
class Unit:
    """A service, and what stands in its [Service] sections: for each name the value that counts.

    There is nothing when its files are not to be found, as for whoever looks out of a container.
    """

    name: str
    lines: dict[str, str] = field(default_factory=dict)

    def on(self, name: str) -> bool:
        """Tell whether a switch is on."""
        return self.lines.get(name, "").lower() in TRUE


def of(process: Path, root: Path = Path("/")) -> Unit | None:
    """Return the service that a process, by its directory of /proc, belongs to.

    None where systemd does not run it, or runs it for a person who is signed in.
    """
    try:
        groups = (process / "cgroup").read_text().splitlines()
    except OSError:
        return None
    for line in groups:  # one line, or with cgroups of version 1 one for each hierarchy
        name = line.rpartition("/")[2]
        if name.endswith(".service") and "/user.slice/" not in line:
            return read(name, root)
    return None


def read(name: str, root: Path = Path("/")) -> Unit:
    """Return a service as its files describe it."""
    lines: dict[str, str] = {}
    for path in files(name, root):
        try:
            text = path.read_text(errors="replace")
        except OSError:
            continue
        for key, value in assignments(text):
            lines[key] = f"{lines.get(key, '')} {value}" if value and key in LISTS else value
    return Unit(name, lines)


def files(name: str, root: Path) -> Iterator[Path]:
    """Yield the file of a unit, then its drop-ins by name; in each place hides those behind."""
    template = re.sub(r"@.*(?=\.)", "@", name)
    places = [root / place for place in PLACES]
    for kind in (name, template):
        if there := [place / kind for place in places if (place / kind).is_file()]:
            yield there[0]
            break
    dropped: dict[str, Path] = {}
    for folder in ("service.d", f"{template}.d", f"{name}.d"):
        for place in reversed(places):
            dropped |= {path.name: path for path in (place / folder).glob("*.conf")}
    for file in sorted(dropped):
        yield dropped[file]


def assignments(text: str) -> Iterator[tuple[str, str]]:
    """Yield name and value of each line of the section [Service]."""
    section = ""
    for line in re.sub(r"\\\n", " ", text).splitlines():
        line = line.strip()
        if line.startswith("["):
            section = line
        elif section == "[Service]" and "=" in line and line[0] not in "#;":
            name, _, value = line.partition("=")
            yield name.strip(), value.strip()
