"""A keeper that is killed while its request is being answered: what was said of it holds."""

import os
import signal
import threading
import time
from collections.abc import Callable

from service import orphans
from service.frost import recall
from service.installation import Installation
from service.parking import parked, reachable, wake
from service.person import Reply
from service.until import until


def killed(site: Installation, request: Callable[[], Reply]) -> Reply:
    """Kill the keeper of a request once its machine answers; return what the person is told.

    It waits before it starts the network helper, whose log is a pipe that nobody reads.
    """
    replies: list[Reply] = []
    asking = threading.Thread(target=lambda: replies.append(request()))
    asking.start()
    end = time.monotonic() + 20
    while not (homes := [path for path in site.directories() if begins(site, path.name)]):
        assert time.monotonic() < end  # it is for some 50 ms
    home, = homes
    log = home / "keeper.log"
    log.unlink()
    os.mkfifo(log)
    log.chmod(0o666)
    asking.join(2)
    os.kill(site.record(home.name)["keeper"]["pid"], signal.SIGKILL)
    log.unlink()
    asking.join(30)
    assert site.script("admin.py", "--housekeeping").returncode == 0
    return replies[0]


def begins(site: Installation, session: str) -> bool:
    """Tell whether the keeper of a session has begun, and no more."""
    try:
        return site.record(session)["state"] == "starting"
    except FileNotFoundError:
        return False


def test_who_is_told_of_a_session_has_it(site: Installation) -> None:
    ada = site.person()
    reply = killed(site, ada.try_create)
    if reply.status == 201:
        until(lambda: reachable(recall(site, reply.json["session"])), 10)
    else:
        assert reply.status == 500 and "keeper of the machine ended" in reply.json["message"]
        assert not list(site.leftovers())


def test_a_woken_one_is_there_all_the_same(lot: Installation) -> None:
    ada = lot.person()
    desktop = ada.create(machine="tiny.iso", memory="64")
    parked(lot, desktop)
    lot.configure(park_after=0)
    reply = killed(lot, lambda: wake(ada, desktop))
    assert reply.status in (200, 500), str(reply)
    until(lambda: reachable(desktop), 10)
    one, = ada.sessions()
    assert one["state"] == "running" and "its keeper was lost" in one["reason"]
    assert ("it has no network" in one["reason"]) == (not lot.record(desktop.id)["network"])
    assert not any(lot.parked.iterdir()) and orphans.adopted()
