"""What a keeper notes of its viewers."""

import signal

import pytest
from samples import Maker

from desktop.session import record
from desktop.session.keeper import Keeper
from desktop.settings import Settings


class Door:
    """What a keeper asks of its display: who is there, and how many there have been."""

    def __init__(self) -> None:
        self.visits = 0

    def viewers(self) -> list[str]:
        return []


def test_who_leaves_before_anybody_looked_was_there(
        site: Settings, make: Maker, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("signal", "set_wakeup_fd"):
        monkeypatch.setattr(signal, name, lambda *_: None)
    paths = make()
    monkeypatch.chdir(paths.directory)
    keeper = Keeper(paths, record.read(paths.directory), site)
    door = Door()
    monkeypatch.setattr(keeper, "display", door)
    keeper.ring()
    keeper.look()
    before = keeper.calendar.alone_since
    assert not keeper.calendar.met and before is not None
    door.visits = 1
    keeper.ring()
    keeper.look()
    after = keeper.calendar.alone_since
    assert keeper.calendar.met and after is not None and after > before
    keeper.postman.close()
    keeper.requests.close()
    for end in (keeper.bell, keeper.button):
        end.close()
    keeper.selector.close()
