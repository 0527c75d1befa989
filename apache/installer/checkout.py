"""The checkout's own modules that the installer makes use of before it has installed any."""

import sys
from pathlib import Path

from places import TREE

sys.path += [str(TREE / "lib"), str(TREE / "machines")]

from recipes import tiny

from desktop import configuration
from desktop.auth.certificate import validity
from desktop.finding import Finding, visible

__all__ = ["Finding", "mistakes", "tools", "validity", "visible"]


def mistakes(path: Path) -> list[str]:
    """Return what is wrong in a settings file, a line each, with the nearest right name."""
    return [" ".join(filter(None, (problem.message, problem.hint)))
            for problem in configuration.mistakes(path)]


def tools() -> dict[str, str]:
    """Return what the machine tiny is built with: a command or file, and its package."""
    return dict(tiny.TOOLS)
