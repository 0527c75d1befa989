"""Where everything is: the checkout we run from, and the server's directories and files."""

from dataclasses import dataclass
from pathlib import Path

from system import WEB

TREE = Path(__file__).resolve().parents[2]

SHARE = Path("/usr/share/remote-desktop")
VENV = Path("/usr/lib/remote-desktop/venv")
PYTHON = VENV / "bin/python"
ETC = Path("/etc/remote-desktop")
LIB = Path("/var/lib/remote-desktop")
MACHINES = LIB / "machines"
RUN = Path("/run/remote-desktop")
LOG = Path("/var/log/remote-desktop")
SETTINGS = ETC / "desktop.ini"
HTPASSWD = ETC / "htpasswd"
ADMIN = SHARE / "cgi-bin/admin.py"
CREATE = SHARE / "cgi-bin/create.py"
LEDGER = LIB / "installed.json"
DROP_IN = Path("/etc/systemd/system/apache2.service.d/remote-desktop.conf")


@dataclass(frozen=True)
class Place:
    """A directory and who may use it."""

    path: Path
    mode: int = 0o755
    user: str = "root"
    group: str = "root"


# Machines belong to root: a guest that broke out of QEMU must not change what others start from.
DIRECTORIES = (
    Place(ETC, 0o750, group=WEB), Place(LIB), Place(MACHINES),
    *(Place(LIB / name, 0o700, WEB, WEB) for name in ("snapshots", "templates", "parked",
                                                      "state")),
    Place(RUN, 0o700, WEB, WEB), Place(LOG, 0o750, WEB, "adm"),
)


@dataclass(frozen=True)
class File:
    """A file of apache/ that the site may edit, and where it goes."""

    source: str
    path: Path
    mode: int = 0o644
    group: str = "root"


APACHE = Path("/etc/apache2")
CONF = File("remote-desktop.conf", APACHE / "conf-available/remote-desktop.conf")
# Written for what --tls asks for: to which port people are sent who come without TLS, and a
# virtual host of our own where the site has none with TLS.
REDIRECT = APACHE / "conf-available/remote-desktop-tls.conf"
SITE = APACHE / "sites-available/remote-desktop.conf"
FILES = (
    File("desktop.ini", SETTINGS, 0o640, WEB),
    File("apache2.service.conf", DROP_IN),
    File("remote-desktop.service", Path("/etc/systemd/system/remote-desktop.service")),
    File("remote-desktop.timer", Path("/etc/systemd/system/remote-desktop.timer")),
    File("remote-desktop.tmpfiles", Path("/etc/tmpfiles.d/remote-desktop.conf")),
    File("remote-desktop.cron", Path("/etc/cron.d/remote-desktop")),
    File("remote-desktop.logrotate", Path("/etc/logrotate.d/remote-desktop")),
)
