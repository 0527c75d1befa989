"""How freezing a machine failed last, for whoever looks later: nobody may have watched."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from desktop import durable
from desktop.errors import Refusal
from desktop.settings import Settings

NAME = ".failure.json"  # in dir_templates, until the next one is frozen


@dataclass(frozen=True)
class Failure:
    """What was to be frozen, when that failed (Unix time), and why."""

    machine: str
    cpu: int
    memory: int
    at: float
    words: str


@contextmanager
def noted(settings: Settings, machine: str, cpu: int, memory: int) -> Iterator[None]:
    """Remember why a block fails, and no longer what failed before.

    Who interrupts it knows why.
    """
    path(settings).unlink(missing_ok=True)
    try:
        yield
    except Refusal as problem:
        note(settings, machine, cpu, memory, str(problem))
        raise
    except Exception:
        note(settings, machine, cpu, memory, "Something went wrong that should not.")
        raise


def note(settings: Settings, machine: str, cpu: int, memory: int, words: str) -> None:
    """Remember a failure, in place of the one before."""
    failure = Failure(machine, cpu, memory, time.time(), words)
    with suppress(OSError):
        durable.replace(path(settings), json.dumps(asdict(failure)))


def seen(settings: Settings) -> Failure | None:
    """Return how freezing failed last, None when it did not."""
    try:
        return Failure(**json.loads(path(settings).read_text()))
    except (OSError, ValueError, TypeError):
        return None


def path(settings: Settings) -> Path:
    """Return where it is remembered."""
    return settings.dir_templates / NAME
