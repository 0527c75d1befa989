"""Apache: its modules, our conf, and its start; a configuration that fails its test is undone."""

import re
import socket
import time
from pathlib import Path

import system
from ledger import Ledger, checksum, keep
from places import CONF, DROP_IN, TREE
from report import Problem, Result, listing
from tls import Tls

MODULES = ("alias", "dir", "env", "headers", "mime", "proxy", "proxy_http", "proxy_wstunnel",
           "reqtimeout", "rewrite")
PORTS = Path("/etc/apache2/ports.conf")
RUN = Path("/run/apache2")
PID_FILE = RUN / "apache2.pid"  # as the drop-in of apache2.service says
ENVVARS = Path("/etc/apache2/envvars")
PATIENCE = 20  # seconds for Apache to answer after its start


def serve(ledger: Ledger, wanted: Tls) -> Result:
    """Add the service to Apache, beside whatever it serves, and have it running.

    Raises Problem, with Apache's configuration as it was, when Apache refuses it.
    """
    if system.systemd():
        system.run("systemctl", "daemon-reload")  # the drop-in may be new
    missing = [name for name in (*MODULES, cgi()) if not enabled("mod", name)]
    before = CONF.path.read_bytes() if CONF.path.is_file() else None
    new = not enabled("conf", CONF.path.stem)
    content = (TREE / "apache" / CONF.source).read_bytes()
    if missing or new or ledger.files.get(str(CONF.path)) != checksum(content):
        ledger.reload = True
        ledger.save()
    for name in missing:
        system.run("a2enmod", "--quiet", name)
        ledger.modules.append(name)
    outcome = keep(ledger, CONF.path, content, CONF.mode, CONF.group)
    if new:
        system.run("a2enconf", "--quiet", CONF.path.stem)
    try:
        system.run("apache2ctl", "configtest")
    except Problem as problem:
        undo(new, missing, before)
        raise Problem(f"Apache refuses the configuration; it is as it was.\n{problem}",
                      f"Compare {CONF.path} with your own configuration.") from problem
    started = start(ledger.reload)
    ledger.reload = False
    ledger.save()
    edited = f"{CONF.path} is edited here and kept; compare with the .new beside it"
    done = (f"modules {listing(missing, 11)}" if missing else "",
            CONF.path.name if new or outcome == "changed" else "", started)
    todo = (edited if outcome == "edited" else "", pid_file_elsewhere())
    return Result(any(done), ", ".join(filter(None, done)) or "serves /desktop/ already",
                  "; ".join(filter(None, todo)))


def undo(new: bool, missing: list[str], before: bytes | None) -> None:
    """Put Apache's configuration back to what it was."""
    if new:
        system.run("a2disconf", "--quiet", CONF.path.stem)
    if missing:
        system.run("a2dismod", "--quiet", "--force", *missing)
    if before is not None:
        system.write(CONF.path, before, CONF.mode, CONF.group)


def pid_file_elsewhere() -> str:
    """Say what to do where the site moved Apache's pid file: systemd would wait for ours."""
    named = system.run("sh", "-c", f'. {ENVVARS}; echo "$APACHE_PID_FILE"').strip()
    if Path(named).resolve() == PID_FILE.resolve():
        return ""
    return f"before Apache is restarted, set PIDFile={named} in {DROP_IN}"


def cgi() -> str:
    """Name the module that runs scripts: threads would be copied by plain cgi's fork."""
    threads = system.run("a2query", "-M").strip() != "prefork"
    return "cgid" if threads else "cgi"


def enabled(kind: str, name: str) -> bool:
    """Tell whether a module or conf is enabled."""
    return system.works("a2query", "-q", f"-{kind[0]}", name)


def start(changed: bool) -> str:
    """Start Apache, or let it read its configuration again; nobody's connection is cut."""
    running = active()
    if running and not changed:
        return ""
    try:
        command("reload" if running else "start")
        wait()
        if running and cgi() == "cgid" and not helper():
            command("reload")
            helper()
    except Problem as problem:
        raise Problem(f"Apache does not start.\n{reason(problem)}",
                      f"See /var/log/apache2/error.log; the ports are set in {PORTS}."
                      ) from problem
    return "reloaded" if running else "started"


def reason(problem: Problem) -> str:
    """Return what Apache itself said; systemctl keeps it to the journal."""
    if not system.systemd():
        return str(problem)
    return system.run("journalctl", "-q", "--no-pager", "-o", "cat", "-n", "6", "-u", "apache2",
                      "-t", "apachectl").strip() or str(problem)


def command(verb: str) -> None:
    """Start or reload Apache."""
    if system.systemd():
        system.run("systemctl", verb, "apache2")
    else:
        system.run("apache2ctl", {"start": "start", "reload": "graceful"}[verb])


def active() -> bool:
    """Tell whether Apache runs."""
    if system.systemd():
        return system.works("systemctl", "is-active", "--quiet", "apache2")
    try:
        pid = int(PID_FILE.read_text())
        return Path(f"/proc/{pid}/comm").read_text().strip() == "apache2"
    except (OSError, ValueError):
        return False


def helper() -> bool:
    """Wait for the process that starts scripts for cgid.

    A running Apache that gets the module starts it only when it reads its configuration for the
    second time (mod_cgid.c, cgid_init); until then scripts are answered by 503.
    """
    for _ in range(10):
        if any(RUN.rglob("cgisock*")):
            return True
        time.sleep(0.2)
    return False


def wait() -> None:
    """Wait until Apache takes connections."""
    host, port = listens()
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            socket.create_connection((host, port), 1).close()
            return
        except OSError as error:
            if time.monotonic() > deadline:
                raise Problem(f"{host} port {port} does not answer: {error}") from error
        time.sleep(0.1)


def listens() -> tuple[str, int]:
    """Return the address and port of the first plain Listen of ports.conf."""
    for line in PORTS.read_text(encoding="utf-8", errors="replace").splitlines():
        found = re.fullmatch(r"\s*listen\s+(?:(\S+):)?([0-9]+)(?:\s+(\w+))?\s*", line, re.I)
        if found and found[2] != "443" and found[3] != "https":
            host = (found[1] or "").strip("[]")
            return {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host), \
                int(found[2])
    raise Problem(f"{PORTS} has no Listen for plain HTTP.", "Add one, such as Listen 80.")
