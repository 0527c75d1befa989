"""Debian's packages: the missing ones are installed, and those that came with us go at the end.

Whatever becomes installed while ours are, is ours: the list of what was there before lies in a
file meanwhile, so that a run that is cut off is no excuse.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import system
from ledger import Ledger
from places import LIB
from report import Problem, Result, listing

# What machines are built with, machines/build asks for itself.
PACKAGES = ("apache2", "novnc", "ovmf", "passt", "python3-venv", "qemu-system-x86", "qemu-utils",
            "ssl-cert")
LOCK_PATIENCE = 600  # seconds to wait for another apt or dpkg
APT = ("apt-get", "-q", "-y", "--no-install-recommends",
       "-o", f"DPkg::Lock::Timeout={LOCK_PATIENCE}",
       "-o", "Dpkg::Options::=--force-confdef", "-o", "Dpkg::Options::=--force-confold")
# Only what needs a package keeps it: what was recommended before we came was not there either.
UNNEEDED = ("apt-get", "-s", "-o", "APT::AutoRemove::SuggestsImportant=false",
            "-o", "APT::AutoRemove::RecommendsImportant=false", "autoremove")
BEFORE = LIB / "packages.before"  # apache/install begins it when Python has to come first
SITES = Path("/etc/apache2/sites-enabled")
DEFAULT_SITE = "000-default.conf"  # of the package


def install(ledger: Ledger) -> Result:
    """Install the packages that are missing; fetch new lists only when the old ones fail."""
    with counted(ledger):
        mended = mend()
        lacking = missing()
        if not lacking:
            return Result(mended, listing(list(PACKAGES), 9))
        try:
            system.run(*APT, "install", *lacking, environment=system.outside())
        except Problem:
            system.run(*APT, "update", environment=system.outside())
            system.run(*APT, "install", *lacking, environment=system.outside())
    return Result(True, f"installed {listing(lacking, 9)}")


def missing() -> list[str]:
    """Return the packages of ours that are not there, complete."""
    return sorted(set(PACKAGES) - installed())


def installed() -> set[str]:
    """Return the names of all packages that are there, complete."""
    lines = system.run("dpkg-query", "-W", "-f", "${Package} ${Status}\n").splitlines()
    return {line.split()[0] for line in lines if line.endswith(" install ok installed")}


@contextmanager
def counted(ledger: Ledger) -> Iterator[None]:
    """Take down as ours what is installed meanwhile, also by an earlier run that was cut off."""
    if not BEFORE.exists():
        system.write(BEFORE, "\n".join(sorted(installed())).encode(), 0o600)
    yield
    settle(ledger)


def settle(ledger: Ledger) -> None:
    """Take down what has been installed since there is a list of what was there before."""
    if BEFORE.exists():
        came = installed() - set(BEFORE.read_text().split())
        ledger.packages = sorted({*ledger.packages, *came})
        ledger.save()
        BEFORE.unlink()


def mend() -> bool:
    """Complete what a run that was cut off left half done, or no package can be installed.

    Tells whether there was anything. Its apt-get may have outlived it, so a lock is waited for.
    """
    deadline = time.monotonic() + LOCK_PATIENCE
    while any(Path("/var/lib/dpkg/updates").iterdir()) or system.run("dpkg", "--audit"):
        try:
            system.run("dpkg", "--configure", "-a", "--force-confdef", "--force-confold",
                       environment=system.outside())
            return True
        except Problem as problem:
            if "lock" not in str(problem) or time.monotonic() > deadline:
                raise
        time.sleep(1)
    return False


def remove(ledger: Ledger) -> Result:
    """Remove the packages that came with us, with their settings, but for those in use.

    In use is what other packages need, and an Apache that has other sites.
    """
    mend()
    settle(ledger)
    there = installed() & set(ledger.packages)
    ours = there - ({"apache2"} if serves_others() else set())
    by_name = set(system.run("apt-mark", "showmanual").split()) & ours
    if by_name:
        system.run("apt-mark", "auto", *sorted(by_name))
    unneeded = {line.split()[1] for line in system.run(*UNNEEDED).splitlines()
                if line.startswith("Remv ")}
    going = ours & unneeded
    going |= {name for name in ours - going if moves(name) <= going | {name}}
    if going:
        system.run(*APT, "purge", *sorted(going), environment=system.outside())
    if staying := sorted(by_name & installed()):
        system.run("apt-mark", "manual", *staying)
    kept = sorted(there - going)
    return Result(bool(going), f"removed {listing(sorted(going))}" if going else "none to remove",
                  f"in use by others and kept: {listing(kept)}" if kept else "")


def moves(package: str) -> set[str]:
    """Return what would go or come if a package went.

    Asked because autoremove spares what is one of several ways to satisfy a dependency.
    """
    lines = system.run("apt-get", "-s", "purge", package).splitlines()
    return {line.split()[1] for line in lines if line.startswith(("Remv ", "Purg ", "Inst "))}


def serves_others() -> bool:
    """Tell whether somebody made Apache serve more than its package does by itself."""
    return any(site.name != DEFAULT_SITE for site in SITES.glob("*"))
