"""Parking from outside: waiting for it, waking, and a keeper that is killed."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from service import orphans
from service.installation import Installation
from service.person import Desktop, Person, Reply
from service.until import until
from service.websocket import Closed, Refused


def parked(site: Installation, desktop: Desktop, timeout: float = 20) -> Path:
    """Wait until a session is parked and nothing of it runs; return where it is.

    It is looked at before: what nobody ever saw is not parked.
    """
    home = site.parked / desktop.id
    if not home.exists() and not home.with_name(f".{desktop.id}").exists():
        reachable(desktop)

    def there() -> bool:
        return home.is_dir() and not (site.run / desktop.id).exists()

    try:
        until(there, timeout, "it is parked")
    except AssertionError:
        record = site.record(desktop.id)
        pytest.fail(f"it is {record['state']}, {record['viewers']} viewers: {record['reason']}")
    until(lambda: not any(desktop.id in words for words in orphans.adopted().values()), 10,
          "nothing of it runs")
    return home


def wake(person: Person, desktop: Desktop, **fields: str) -> Reply:
    """Have it go on."""
    return person.post("monitor", {"action": "wake", "session": desktop.id, **fields},
                       Accept="application/json")


def restart_keeper(site: Installation, desktop: Desktop) -> None:
    """Kill a session's keeper and have it replaced."""
    os.kill(site.pids(desktop.id)["keeper"], signal.SIGKILL)
    assert site.script("admin.py", "--housekeeping").returncode == 0


@contextmanager
def frozen(find: Callable[[], list[int]]) -> Iterator[None]:
    """Have the processes that are found stand still, and go on when the block is over."""
    end, pids = time.monotonic() + 20, find()
    while not pids:  # without a pause: what is waited for may last some 50 ms
        assert time.monotonic() < end, "there is none to stop"
        pids = find()
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)


def reachable(desktop: Desktop) -> bool:
    """Tell whether a session can be looked at: another keeper takes a moment to be there."""
    try:
        desktop.view().leave()
    except (Refused, Closed, OSError):
        return False
    return True
