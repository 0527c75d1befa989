"""What apache/install --check looks at: one line each, good or what to do.

In: what the service says of itself (admin.py --check), and what only root sees. Nothing is changed
but that a desktop is started and stopped, for an account that is gone afterwards.
"""

import grp
import json
import pwd
import ssl
from collections.abc import Callable, Iterator

import daemon
import people
import server
import speed
import system
import trial
import upkeep
from checkout import Finding, validity, visible
from ledger import Ledger
from places import ADMIN, DIRECTORIES, HTPASSWD, SETTINGS, Place
from report import Problem, Result, listing
from tls import Choice, Tls

FILES = (Place(SETTINGS, 0o640, group=system.WEB), Place(HTPASSWD, 0o640, group=system.WEB))


def check(known: Ledger) -> Iterator[Finding]:
    """Look at everything, in the order in which it depends on each other."""
    if not (ADMIN.exists() and SETTINGS.exists()):
        yield Finding("service", "not installed on this server", False, "sudo apache/install")
        yield from tried("KVM", lambda: [as_finding("KVM", speed.kvm())])
        return
    own = list(tried("service", service))
    yield from own
    yield rights()
    yield from tried("Apache", lambda: apache(server.choose(known, Tls())))
    yield from tried("housekeeping", lambda: [as_finding("housekeeping", upkeep.look())])
    yield from tried("desktop", lambda: [desktop(own, server.choose(known, Tls()))])


def tried(name: str, part: Callable[[], Iterator[Finding] | list[Finding]]) -> Iterator[Finding]:
    """Look at a part; a Problem is a finding, and the next part is looked at all the same."""
    try:
        yield from part()
    except Problem as problem:
        yield Finding(name, " ".join(str(problem).split()), False, problem.hint)
    except OSError as error:
        yield Finding(name, str(error), False)


def as_finding(name: str, result: Result) -> Finding:
    """Return what a step says of something that is no condition."""
    return Finding(name, result.text, cure=result.todo)


def service() -> Iterator[Finding]:
    """Return what the service says of itself and its computer, with its own rights."""
    said = people.admin("--check", "--json", fine=(1,))
    try:
        found = [Finding(facts["name"], visible(facts["text"]), facts["good"],
                         visible(facts["cure"])) for facts in json.loads(said)]
    except (ValueError, LookupError, TypeError) as error:
        raise Problem(f"{ADMIN} --check does not say what it found.") from error
    yield from found


def rights() -> Finding:
    """Say whether files and directories belong to whom they should, and admit nobody else."""
    wrong = [finding for place in (*DIRECTORIES, *FILES) if (finding := strange(place))]
    if not wrong:
        return Finding("rights", "nobody may more than they must")
    return Finding("rights", listing([said for said, _ in wrong]), False,
                   "; ".join(cure for _, cure in wrong))


def strange(place: Place) -> tuple[str, str] | None:
    """Return what is wrong with the rights of a place, and the commands that mend it."""
    whose = f"{place.user}:{place.group}"
    cure = f"chown {whose} {place.path}; chmod {place.mode:o} {place.path}"
    try:
        status = place.path.stat()
    except OSError as error:
        return f"{place.path}: {error.strerror}", "sudo apache/install"
    owners = pwd.getpwnam(place.user).pw_uid, grp.getgrnam(place.group).gr_gid
    if (status.st_uid, status.st_gid) != owners:
        return f"{place.path} does not belong to {whose}", cure
    if more := status.st_mode & 0o777 & ~place.mode:
        return f"{place.path} has mode {place.mode | more:o}, not {place.mode:o}", cure
    return None


def apache(choice: Choice) -> Iterator[Finding]:
    """Say whether Apache runs with what the service needs, and until when it is trusted."""
    running = daemon.active()
    yield Finding("Apache", "runs" if running else "does not run", running,
                  "" if running else "systemctl start apache2, and see its error log")
    wanted = (*server.MODULES, daemon.cgi(), *(server.FOR_TLS if choice.certificate else ()))
    missing = [name for name in wanted if not server.enabled("mod", name)]
    yield Finding("modules", f"not on: {listing(missing, 9)}" if missing else
                  "all that are needed are on", not missing, f"a2enmod {' '.join(missing)}; "
                  "systemctl reload apache2" if missing else "")
    if system.systemd():
        yield from unit()
    if running:
        yield certificate(choice)


def unit() -> Iterator[Finding]:
    """Say whether systemd goes by what is on the disk, and finds Apache's process."""
    stale = system.run("systemctl", "show", "apache2", "-p", "NeedDaemonReload",
                       "--value").strip() == "yes"
    yield Finding("systemd", "Apache's unit was changed since systemd read it" if stale
                  else "knows Apache's unit as it is on the disk", not stale,
                  "systemctl daemon-reload" if stale else "")
    if elsewhere := daemon.pid_file_elsewhere():
        yield Finding("systemd", "Apache's pid file is not where its unit says", False, elsewhere)


def certificate(choice: Choice) -> Finding:
    """Say how long the certificate lasts that visitors are shown."""
    if not choice.port:
        return Finding("TLS", "off: passwords and screens cross the network readable",
                       cure="sudo apache/install --tls=self, or a certificate")
    browser = trial.visitor(choice)
    with browser.connect() as wire:
        assert isinstance(wire, ssl.SSLSocket)
        shown = wire.getpeercert(binary_form=True) or b""
    said = system.run("openssl", "x509", "-noout", "-enddate",
                      text=ssl.DER_cert_to_PEM_cert(shown))
    valid, good = validity(said.strip().removeprefix("notAfter="))
    return Finding("TLS", f"the certificate is {valid}", good,
                   "" if good else "Renew it (certbot renew), and reload Apache.")


def desktop(own: list[Finding], choice: Choice) -> Finding:
    """Start a desktop and stop it: through Apache, where an account that we make is let in."""
    ways = {finding.name for finding in own}
    if "custom" not in ways and ways & {"htpasswd", "sign-in"}:
        return as_finding("desktop", trial.main_job(choice))
    return as_finding("desktop", trial.by_hand())
