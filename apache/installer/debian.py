"""What comes from elsewhere: Debian's packages and the virtual environment of setup.cfg."""

import configparser
import os
import shutil
import time
from pathlib import Path

import system
from ledger import Ledger
from places import PYTHON, TREE, VENV
from report import Problem, Result, listing

# What machines are built with, machines/build asks for itself.
PACKAGES = ("apache2", "novnc", "ovmf", "passt", "python3-venv", "qemu-system-x86", "qemu-utils",
            "ssl-cert")
LOCK_PATIENCE = 600  # seconds to wait for another apt or dpkg
APT = ("apt-get", "-q", "-y", "--no-install-recommends",
       "-o", f"DPkg::Lock::Timeout={LOCK_PATIENCE}",
       "-o", "Dpkg::Options::=--force-confdef", "-o", "Dpkg::Options::=--force-confold")
NEEDED_DISK = 2 << 30  # bytes below /usr for packages and environment, some to spare


def check() -> Result:
    """Refuse before anything is changed where it could not work."""
    if os.geteuid() != 0:
        raise Problem("must be run by root; nothing was changed.", "sudo apache/install")
    if not shutil.which("apt-get", path=system.CLEAN["PATH"]):
        raise Problem("this is not Debian: there is no apt-get. Nothing was changed.")
    if not PYTHON.exists() and shutil.disk_usage("/usr").free < NEEDED_DISK:
        raise Problem("less than 2 GB are free on the disk of /usr. Nothing was changed.")
    if installed("apache2"):
        try:
            system.run("apache2ctl", "configtest")
        except Problem as problem:
            raise Problem(f"Apache's configuration is broken; nothing was changed.\n{problem}",
                          "Mend it until apache2ctl configtest is content.") from problem
    facts = dict(line.partition("=")[::2]
                 for line in Path("/etc/os-release").read_text().splitlines())
    return Result(False, facts.get("PRETTY_NAME", "").strip('"'))


def packages(ledger: Ledger) -> Result:
    """Install the packages that are missing; fetch new lists only when the old ones fail."""
    mended = mend()
    missing = [name for name in PACKAGES if not installed(name)]
    if not missing:
        return Result(mended, listing(list(PACKAGES), 9))
    try:
        system.run(*APT, "install", *missing, environment=system.outside())
    except Problem:
        system.run(*APT, "update", environment=system.outside())
        system.run(*APT, "install", *missing, environment=system.outside())
    ledger.packages = sorted({*ledger.packages, *missing})
    ledger.save()
    return Result(True, f"installed {listing(missing, 9)}")


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


def installed(package: str) -> bool:
    """Tell whether a package is there, complete."""
    try:
        return system.run("dpkg-query", "-W", "-f=${Status}", package) == "install ok installed"
    except Problem:
        return False


def environment() -> Result:
    """Have the virtual environment with what setup.cfg lists.

    Not made anew when one is there: keepers run from it. After an upgrade of Debian it gets
    the libraries for the new Python beside the old ones.
    """
    pip = (PYTHON, "-I", "-m", "pip")
    made = False
    for option in ((), ("--clear",)):
        if not system.works(*pip, "--version"):
            VENV.parent.mkdir(parents=True, exist_ok=True)
            system.run("/usr/bin/python3", "-m", "venv", *option, VENV)
            made = True
    said = system.run(*pip, "install", "--no-input", "--disable-pip-version-check",
                      *requirements(), environment=system.outside())
    new = [line for line in said.splitlines() if line.startswith("Successfully installed")]
    if not new:
        return Result(made, f"{VENV} has all of setup.cfg")
    names = [word.rpartition("-")[0] for word in new[-1].split()[2:]]
    return Result(True, f"{VENV}: {listing(names, 9)}")


def requirements() -> list[str]:
    """Return the dependencies that setup.cfg lists."""
    setup = configparser.ConfigParser()
    setup.read(TREE / "setup.cfg")
    return [line for line in setup["options"]["install_requires"].splitlines() if line]
