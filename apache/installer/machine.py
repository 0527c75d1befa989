"""The machine to begin with: tiny, made from Debian's packages."""

import shutil
import sys
import time

import packages
import system
from ledger import Ledger, checksum, keep
from places import MACHINES, TREE
from report import Problem, Result, edited

NAME = "tiny"
STALE = 3600  # seconds, longer than any build


def tiny(ledger: Ledger) -> Result:
    """Build the machine where it is not there, and bring its description up to date."""
    tidy()
    image = MACHINES / f"{NAME}.iso"
    described = TREE / "machines" / f"{NAME}.ini"
    ours = str(MACHINES / described.name) in ledger.files
    outcome = keep(ledger, MACHINES / described.name, described.read_bytes(), 0o644, "root")
    ledger.save()
    todo = edited([str(MACHINES / described.name)] if outcome == "edited" else [])
    if image.exists():
        if ours:  # older versions did not note the image
            ledger.files.setdefault(str(image), checksum(image.read_bytes()))
            ledger.save()
        return Result(False, str(image), todo)
    try:
        with packages.counted(ledger):
            system.run(sys.executable, "-I", "-B", TREE / "machines/build", NAME, "--output",
                       MACHINES, environment=system.outside())
    except Problem as problem:
        raise Problem(str(problem), "Run apache/install again; it goes on from here.") from problem
    ledger.files[str(image)] = checksum(image.read_bytes())
    ledger.save()
    return Result(True, f"built {image}, {image.stat().st_size / 1e6:.0f} MB")


def tidy() -> None:
    """Remove what a build that was killed left in the directory of machines, a while ago."""
    for bench in MACHINES.glob(f".{NAME}-*"):
        if bench.stat().st_mtime < time.time() - STALE:
            shutil.rmtree(bench)
