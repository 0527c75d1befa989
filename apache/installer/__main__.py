"""Set up remote-desktop on a Debian server, or bring it up to date. Run by apache/install.

Each step looks at what is there, does what is missing and says so in a line. What it did stays
done when a later step fails; the next run goes on from there.
"""

import fcntl
import os
import signal
import socket
import sys
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import check
import debian
import files
import ledger
import machine
import packages
import people
import ports
import preview
import removal
import report
import server
import speed
import tls
import trial
import upkeep
import wish
from report import Problem, Result
from wish import Wish

LOCK = Path("/run/remote-desktop-install.lock")  # where only root may lay a link


def main() -> int:
    """Take the steps in order; exit status 0 done, 1 not."""
    os.umask(0o022)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)
    try:
        wanted = wish.read()
        if wanted.work == "print":
            return tell(wanted)
        with ExitStack() as until_the_end:
            take("system", lambda: alone(until_the_end))
            match wanted.work:
                case "check":
                    return look()
                case "install":
                    install(wanted)
                case _:
                    remove(everything=wanted.work == "purge")
    except Problem as problem:
        report.fail(problem)
        return 1
    except OSError as error:
        report.fail(Problem(str(error), "Mend it and run apache/install again; "
                            "it goes on from here."))
        return 1
    except KeyboardInterrupt:
        report.fail(Problem("interrupted.", "Run apache/install again; it goes on from here."))
        return 1
    return 0


def look() -> int:
    """Say what is well and what is not; exit status 0 when all is."""
    findings = []
    for finding in check.check(ledger.load()):
        report.found(finding.name, finding.verdict, finding.text, finding.cure)
        findings.append(finding)
    return int(not all(finding.good for finding in findings))


def tell(wanted: Wish) -> int:
    """Say what an installation would do; nothing is changed, not even a lock."""
    take("system", debian.check)
    for name, lines in preview.steps(ledger.load(), wanted.tls):
        report.would(name, [line for line in lines if line])
    return 0


def install(wanted: Wish) -> None:
    """Take all steps; nobody can come in before there are settings and accounts."""
    known = ledger.load()
    take("settings", files.readable)
    take("reached", lambda: server.plan(known, wanted.tls))
    take("packages", lambda: packages.install(known))
    take("environment", debian.environment)
    take("directories", lambda: files.directories(known))
    take("programs", lambda: files.programs(known))
    take("pages", lambda: files.pages(known))
    take("settings", lambda: files.settings(known))
    take("machine", lambda: machine.tiny(known))
    take("accounts", people.administrator)
    take("KVM", speed.kvm)
    take("Apache", lambda: server.serve(known, wanted.tls))
    take("housekeeping", upkeep.schedule)
    choice = server.choose(known, wanted.tls)
    take("desktop", lambda: trial.main_job(choice))
    report.farewell(address(choice), tls.warning(choice))


def remove(everything: bool) -> None:
    """Take the service off, from the outside in: first nobody comes in any more."""
    known = ledger.load()
    take("housekeeping", upkeep.cancel)
    take("Apache", lambda: removal.door(known))
    take("desktops", removal.desktops)
    take("programs", lambda: removal.programs(known))
    take("settings", lambda: removal.settings(known, everything))
    if everything:
        take("data", lambda: removal.data(known))
        take("packages", lambda: packages.remove(known))
        removal.ledger_too()
        LOCK.unlink()


def take(name: str, step: Callable[[], Result]) -> None:
    """Take one step and say its outcome."""
    report.begin(name)
    report.end(step())


def alone(until_the_end: ExitStack) -> Result:
    """Look whether this can work here; refuse to run twice at once."""
    fit = debian.check()
    lock = os.open(LOCK, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    until_the_end.callback(os.close, lock)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise Problem("apache/install is running already.", "Wait for it.") from error
    return fit


def address(choice: tls.Choice) -> str:
    """Return the address under which others on the network reach the service."""
    host = next((name for name in choice.names if "." in name and "*" not in name), "")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # sends nothing; RFC 5737
            host = host or probe.getsockname()[0]
        except OSError:
            host = host or "127.0.0.1"
    port = choice.port or ports.plain().port
    usual = port == (443 if choice.port else 80)
    return f"http{'s' if choice.port else ''}://{host}{'' if usual else f':{port}'}/desktop/"


if __name__ == "__main__":
    sys.exit(main())
