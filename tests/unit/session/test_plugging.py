"""The ports that a keeper plugs into a running machine, and takes out before it is parked."""

import json
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from desktop.session.paths import Paths
from desktop.session.ports import AGENT, BUS, COPIED, WOKEN, Ports


class Machine:
    """What QEMU does about ports, and refuses; lines are let go of after `lets_go` looks."""

    def __init__(self) -> None:
        self.lines: dict[str, dict[str, Any]] = {}
        self.ports: dict[str, str] = {}
        self.lets_go = 0
        self.listener = socket.socket(socket.AF_UNIX)

    def command(self, name: str, facts: dict[str, Any], *, quiet: bool = False) -> Any:
        match name:
            case "query-chardev":
                return [{"label": label} for label in ("qmp", "serial0", *self.lines)]
            case "chardev-add":
                assert facts["id"] not in self.lines, "QEMU refuses that"
                self.lines[facts["id"]] = facts["backend"]
                if facts["backend"]["type"] == "socket":
                    self.listener.bind(facts["backend"]["data"]["addr"]["data"]["path"])
                    self.listener.listen(1)
            case "device_add":
                assert facts["bus"] == BUS and facts["chardev"] in self.lines
                self.ports[facts["id"]] = facts["name"]
            case "device_del":
                del self.ports[facts["id"]]
            case "chardev-remove":
                if self.lets_go:
                    self.lets_go -= 1
                    return None
                del self.lines[facts["id"]]
        return {}


@pytest.fixture
def machine() -> Iterator[Machine]:
    found = Machine()
    yield found
    found.listener.close()


def test_a_machine_that_booted_has_a_clipboard_alone(tmp_path: Path, machine: Machine) -> None:
    Ports(Paths(tmp_path), machine.command).plug("")
    assert machine.ports == {"clipboard": "com.redhat.spice.0"}


@pytest.mark.parametrize("word", [COPIED, WOKEN])
def test_one_that_did_not_is_told_so_once_and_the_time(tmp_path: Path, machine: Machine,
                                                       word: str) -> None:
    ports = Ports(Paths(tmp_path), machine.command)
    ports.tell(word)
    assert list(machine.ports.values()) == [f"org.remote-desktop.{word}"]
    ports.plug(word)
    assert set(machine.ports) == {"clipboard", word, AGENT}
    ports.changed(word, True)
    assert word in machine.ports
    ports.changed(word, False)
    assert set(machine.ports) == {"clipboard", AGENT}
    ports.changed(AGENT, True)
    agent, _ = machine.listener.accept()
    asked = json.loads(agent.recv(1000))
    assert abs(asked["arguments"]["time"] / 1e9 - time.time()) < 10
    for _ in range(100):
        ports.changed(AGENT, False)
        ports.changed(AGENT, True)
    machine.listener.settimeout(0)
    with pytest.raises(BlockingIOError):
        machine.listener.accept()
    agent.close()
    ports.unplug()
    assert not machine.ports and not machine.lines


def test_what_an_earlier_keeper_plugged_in_is_left_alone(tmp_path: Path,
                                                         machine: Machine) -> None:
    Ports(Paths(tmp_path), machine.command).plug("")
    before = dict(machine.ports)
    Ports(Paths(tmp_path), machine.command).plug("")
    assert machine.ports == before


def test_all_are_taken_out_also_those_that_take_their_time(tmp_path: Path,
                                                           machine: Machine) -> None:
    Ports(Paths(tmp_path), machine.command).plug(WOKEN)
    machine.lets_go = 2
    Ports(Paths(tmp_path), machine.command).unplug()
    assert not machine.ports and not machine.lines
