"""A session that is stopped while it is parked or woken: it is over then, whatever was faster."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from service import orphans
from service.installation import Installation
from service.parking import frozen, parked, wake
from service.person import Desktop
from service.until import until


def nothing_is_left(lot: Installation, desktop: Desktop) -> None:
    """See that a session is over."""
    lot.gone(desktop.id)
    assert not list(lot.parked.iterdir())
    assert not (lot.snapshots / desktop.id).exists()


def test_it_is_stopped_while_it_is_parked(lot: Installation) -> None:
    ada = lot.person()
    desktop = ada.create()
    desktop.view().leave()
    draft = lot.parked / f".{desktop.id}"
    with ThreadPoolExecutor() as pool:
        with frozen(lambda: orphans.keepers(desktop.id) if draft.exists() else []):
            reply = pool.submit(desktop.stop)
            time.sleep(1)
        assert reply.result().status == 200, str(reply.result())
    nothing_is_left(lot, desktop)


@pytest.mark.parametrize("delay", [0.0, 0.1, 0.2, 0.3])
def test_it_is_stopped_while_it_is_woken(lot: Installation, delay: float) -> None:
    ada = lot.person()
    desktop = ada.create()
    parked(lot, desktop)
    lot.configure(park_after=0)
    with ThreadPoolExecutor() as pool:
        woken = pool.submit(wake, ada, desktop)
        until(lambda: (lot.run / desktop.id).exists(), 10)
        time.sleep(delay)
        begin = time.monotonic()
        with frozen(lambda: orphans.keepers(desktop.id)):
            stopped = pool.submit(desktop.stop)
            time.sleep(1)
        assert stopped.result().status == 200, str(stopped.result())
        assert time.monotonic() - begin < 20
        woken.result()
    nothing_is_left(lot, desktop)
