"""The housekeeping each minute: a systemd timer, or cron where there is no systemd."""

import shutil

import system
from report import Result

TIMER = "remote-desktop.timer"


def schedule() -> Result:
    """Have the housekeeping run each minute; requests do the same, so this is a second line."""
    if not shutil.which("systemctl", path=system.CLEAN["PATH"]):
        return cron()
    changed = not scheduled()
    if changed:
        system.run("systemctl", "--quiet", "enable", TIMER)
    if not system.systemd():
        return cron()
    if not system.works("systemctl", "--quiet", "is-active", TIMER):
        system.run("systemctl", "start", TIMER)
        changed = True
    return Result(changed, f"{TIMER}, each minute")


def look() -> Result:
    """Say whether it is done each minute; without, a request that comes does it."""
    if not system.systemd():
        return cron()
    if system.works("systemctl", "--quiet", "is-active", TIMER):
        return Result(False, f"{TIMER}, each minute")
    return Result(False, f"{TIMER} does not run, requests do it",
                  f"systemctl enable --now {TIMER}")


def scheduled() -> bool:
    """Tell whether the timer is on."""
    return system.works("systemctl", "--quiet", "is-enabled", TIMER)


def cancel() -> Result:
    """Have no housekeeping any more."""
    if not shutil.which("systemctl", path=system.CLEAN["PATH"]):
        return Result(False, "cron's table goes with the settings")
    changed = scheduled()
    if changed:
        system.run("systemctl", "--quiet", "disable", *(["--now"] if system.systemd() else []),
                   TIMER)
    return Result(changed, f"{TIMER} is off")


def cron() -> Result:
    """Say whether cron does it: its table is in place either way."""
    there = bool(shutil.which("cron", path=system.CLEAN["PATH"]))
    return Result(False, "by cron, each minute" if there else "by each request", "" if there else
                  "without systemd, install cron to have it each minute")
