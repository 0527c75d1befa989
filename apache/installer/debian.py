"""This Debian: whether it will do, and the virtual environment with what setup.cfg lists."""

import configparser
import os
import shutil
from pathlib import Path

import packages
import system
from places import PYTHON, TREE, VENV
from report import Problem, Result, listing

NEEDED_DISK = 2 << 30  # bytes below /usr for packages and environment, some to spare


def check() -> Result:
    """Refuse before anything is changed where it could not work."""
    if os.geteuid() != 0:
        raise Problem("must be run by root; nothing was changed.", "sudo apache/install")
    if not shutil.which("apt-get", path=system.CLEAN["PATH"]):
        raise Problem("this is not Debian: there is no apt-get. Nothing was changed.")
    if not PYTHON.exists() and shutil.disk_usage("/usr").free < NEEDED_DISK:
        raise Problem("less than 2 GB are free on the disk of /usr. Nothing was changed.")
    if "apache2" in packages.installed():
        try:
            system.run("apache2ctl", "configtest")
        except Problem as problem:
            raise Problem(f"Apache's configuration is broken; nothing was changed.\n{problem}",
                          "Mend it until apache2ctl configtest is content.") from problem
    facts = dict(line.partition("=")[::2]
                 for line in Path("/etc/os-release").read_text().splitlines())
    return Result(False, facts.get("PRETTY_NAME", "").strip('"'))


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
    said = system.run(*pip, "install", "--no-input", "--no-cache-dir",
                      "--disable-pip-version-check", *requirements(),
                      environment=system.outside())
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
