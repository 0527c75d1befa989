"""OpenLDAP's slapd with two directories (tests/service/directory), on ports of its own.

In: a directory for its files and the certificate it shows. Out: its ports, and what it has heard.
"""

import re
import socket
import subprocess
from base64 import b64encode
from pathlib import Path

from service.apache import free_port
from service.authority import Authority, Certificate
from service.until import until

HERE = Path(__file__).parent / "directory"
ODD = "ü €*()\\%s{user}\"'"
LONG = "x" * 1024
SUFFIXES = {"plain": "dc=example,dc=org", "active": "dc=ad,dc=test"}
PATIENCE = 20  # seconds, to start and to end


class Slapd:
    """One server. Use it as a context."""

    def __init__(self, directory: Path, authority: Authority, certificate: Certificate,
                 elsewhere: int = 1, ciphers: str = "NORMAL", more: str = "") -> None:
        self.directory = directory
        self.port, self.ldaps = free_port(), free_port()
        self.process: "subprocess.Popen[bytes] | None" = None
        self.conf = directory / "slapd.conf"
        self.conf.write_text((HERE / "slapd.conf").read_text(encoding="utf-8").format(
            here=HERE, directory=directory, ca=authority.ca, certificate=certificate.file,
            key=certificate.key, ciphers=ciphers, more=more), encoding="utf-8")
        for name in SUFFIXES:
            (directory / name).mkdir()
        for name, suffix in SUFFIXES.items():
            ldif = (HERE / f"{name}.ldif").read_text(encoding="utf-8").format(
                odd=b64encode(ODD.encode()).decode(), long=LONG, elsewhere=elsewhere)
            added = subprocess.run(
                ["/usr/sbin/slapadd", "-q", "-f", self.conf, "-b", suffix],
                input=ldif, encoding="utf-8", capture_output=True, check=False)
            assert added.returncode == 0, added.stderr

    def __enter__(self) -> "Slapd":
        with (self.directory / "slapd.log").open("wb") as log:
            self.process = subprocess.Popen(
                ["/usr/sbin/slapd", "-d", "stats", "-f", self.conf, "-h",
                 f"ldap://127.0.0.1:{self.port}/ ldaps://127.0.0.1:{self.ldaps}/"],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        try:
            until(self.answers, PATIENCE, "slapd")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        if self.process:
            self.process.terminate()
            self.process.wait(PATIENCE)

    def answers(self) -> bool:
        """Tell whether it accepts connections; fail when it has ended."""
        assert self.process and self.process.poll() is None, self.log()
        with socket.socket() as one, socket.socket() as other:
            return not one.connect_ex(("127.0.0.1", self.port)) and not other.connect_ex(
                ("127.0.0.1", self.ldaps))

    def log(self) -> str:
        """Return all that it has logged."""
        return (self.directory / "slapd.log").read_text(errors="replace")

    def binds(self) -> list[str]:
        """Return the names that passwords came for, in order."""
        return re.findall(r'BIND dn="(.*?)" method=', self.log())

    def searches(self) -> list[str]:
        """Return the filters of all searches, in order."""
        return re.findall(r' filter="(.*)"', self.log())
