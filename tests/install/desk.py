"""A session on such a server, started through Apache as a browser does, and its processes."""

import json
import re
import secrets
from typing import Any
from urllib.parse import urlsplit

from install.debian import Debian

RUN = "/run/remote-desktop"
# However busy this machine is with other tests, and though nobody looks at the screen.
PATIENT = ("service_max_load", "first_connect_timeout")
SETTINGS = "/etc/remote-desktop/desktop.ini"
BANNER = b"RFB 003.008\n"  # RFC 6143 7.1.1


class Desk:
    """Somebody who has signed in and started a machine."""

    def __init__(self, system: Debian, password: str) -> None:
        self.system = system
        for setting in PATIENT:
            system.run(f"grep -q '^{setting}' {SETTINGS} || echo '{setting} = 0' >> {SETTINGS}")
        self.browser = visitor(system)
        assert self.browser.get("/desktop/").status == 200
        answer = self.browser.post("/desktop/create", {
            "user": "admin", "password": password, "machine": "tiny.iso", "memory": "128",
            "persistent": "1", "terms": "1", "form": secrets.token_urlsafe(16)})
        assert answer.status == 201, answer.body
        self.facts = answer.json()
        self.id: str = self.facts["session"]

    def screen_answers(self) -> bool:
        """Tell whether the session's screen answers through Apache."""
        path = urlsplit(self.facts["websocket"]).path
        return bool(self.browser.first_words(path, len(BANNER)) == BANNER)

    def record(self) -> dict[str, Any]:
        """Return what is written of it."""
        facts: dict[str, Any] = json.loads(
            self.system.path(f"{RUN}/{self.id}/session.json").read_text())
        return facts

    def pids(self) -> dict[str, int]:
        """Return its keeper and its QEMU, by their numbers within the system; both must run."""
        record = self.record()
        pids = {role: record[role]["pid"] for role in ("keeper", "qemu")}
        for role, pid in pids.items():
            assert self.system.path(f"/proc/{pid}").exists(), f"its {role} has ended"
        return pids


def visitor(system: Debian) -> Any:
    """Return a browser in front of a system, which comes without TLS as people do."""
    from browser import Browser  # of the installer, which conftest.py has made known
    return Browser("127.0.0.1", system.ports[0])


def password(said: str) -> str:
    """Return the administrator's password, which the installer shows once."""
    found = re.search(r"made: admin, password (\S+)", said)
    assert found, said
    return found[1]
