"""demo: to come."""

from pathlib import Path

SUMMARY = "a small Debian desktop"


def build(bench: Path) -> Path:
    """Build the draft image on the workbench."""
    raise NotImplementedError(bench)
