"""How a template failed last, written into it: it is not tried at once again, and told of."""

import json
import logging
import time
from pathlib import Path

log = logging.getLogger("setback")
NAME = "problem.json"
PAUSE = 600  # seconds for which a template that failed is not tried again


def recent(directory: Path) -> str:
    """Return how a template failed within the last minutes, or nothing."""
    problem, at = last(directory)
    return problem if 0 <= time.time() - at < PAUSE else ""


def last(directory: Path) -> tuple[str, float]:
    """Return how a template failed last, and when (Unix time); nothing and 0 if it did not."""
    try:
        facts = json.loads((directory / NAME).read_text())
        return str(facts["problem"]), float(facts["at"])
    except (OSError, ValueError, KeyError, TypeError):
        return "", 0.0


def note(directory: Path, problem: str) -> None:
    """Remember that a template failed."""
    try:
        (directory / NAME).write_text(json.dumps({"problem": problem, "at": time.time()}))
    except OSError as error:
        log.error("the failure of %s is not noted: %s", directory.name, error.strerror)
