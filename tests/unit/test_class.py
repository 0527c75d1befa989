"""A class behind one address: the README's settings let it in, and the defaults would not."""

import re
from pathlib import Path

import pytest

from desktop import configuration, literal
from desktop.auth import throttle
from desktop.errors import Refusal
from desktop.host import capacity
from desktop.host.capacity import Host, Promise
from desktop.settings import Settings

PEOPLE = 20
MISTYPE = {3: 1, 7: 2, 8: 1, 12: 2, 19: 1}  # how often, of whom
SMALL = Host(cpus=4, load=0.95, memory=65536, available=64000, disk_free=100)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Return what the README says, and the defaults for all else."""
    readme = (configuration.ROOT / "README.md").read_text(encoding="utf-8")
    block = re.search(r"^## A class\n.*?\n\n((?: {4}[^\n]*\n)+)", readme, re.M | re.S)
    assert block
    values = {name: value for name, value, _ in literal.lines(block[1], "README.md")}
    assert len(values) == 4
    return configuration.change(Settings(dir_state=tmp_path), values, "README.md")


def attempt(settings: Settings, user: str, right: bool) -> None:
    with throttle.attempt(settings, b"k" * 32, user, "192.0.2.7") as one:
        one.right = right


def test_nobody_waits_when_five_of_twenty_mistype(settings: Settings) -> None:
    for number in range(PEOPLE):
        for _ in range(MISTYPE.get(number, 0)):
            attempt(settings, f"pupil{number}", False)
        attempt(settings, f"pupil{number}", True)


def test_a_whole_class_that_mistypes_once_does_not_wait_either(settings: Settings,
                                                               tmp_path: Path) -> None:
    for number in range(PEOPLE):
        attempt(settings, f"pupil{number}", False)
    for number in range(PEOPLE):
        attempt(settings, f"pupil{number}", True)
    usual = Settings(dir_state=tmp_path / "usual")
    with pytest.raises(Refusal) as refusal:
        for number in range(PEOPLE):
            attempt(usual, f"pupil{number}", False)
    assert refusal.value.status == 429


def test_there_is_room_for_all_while_the_cpus_are_busy(settings: Settings) -> None:
    promises: list[Promise] = []
    for number in range(PEOPLE):
        wish = Promise(f"pupil{number}", 2, 2048, 10)
        capacity.check(settings, SMALL, promises, wish)
        promises.append(wish)
    with pytest.raises(Refusal):
        capacity.check(Settings(), SMALL, [], promises[0])
    with pytest.raises(Refusal):
        capacity.check(settings, SMALL, promises * 2, promises[0])
