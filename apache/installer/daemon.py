"""Apache's process: whether it runs, its start and reload, and the wait until it answers."""

import socket
import time
from pathlib import Path

import ports
import system
from places import DROP_IN
from report import Problem

RUN = Path("/run/apache2")
PID_FILE = RUN / "apache2.pid"  # as the drop-in of apache2.service says
ENVVARS = Path("/etc/apache2/envvars")
PATIENCE = 20  # seconds for Apache to answer after its start


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
                      f"See /var/log/apache2/error.log; the ports are set in {ports.PORTS}."
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
    place = ports.listens()[0]
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            socket.create_connection((place.reach, place.port), 1).close()
            return
        except OSError as error:
            if time.monotonic() > deadline:
                raise Problem(f"port {place.port} does not answer: {error}") from error
        time.sleep(0.1)


def cgi() -> str:
    """Name the module that runs scripts: threads would be copied by plain cgi's fork."""
    threads = system.run("a2query", "-M").strip() != "prefork"
    return "cgid" if threads else "cgi"


def pid_file_elsewhere() -> str:
    """Say what to do where the site moved Apache's pid file: systemd would wait for ours."""
    named = system.run("sh", "-c", f'. {ENVVARS}; echo "$APACHE_PID_FILE"').strip()
    if Path(named).resolve() == PID_FILE.resolve():
        return ""
    return f"before Apache is restarted, set PIDFile={named} in {DROP_IN}"
