"""Attacks of people who may come in, on the server they share with others."""

import struct
import time
from pathlib import Path

import pytest
from service import websocket
from service.installation import Installation
from service.rfb import Denied, Viewer

EVERYTHING = struct.pack(">BBHHHH", 3, 0, 0, 0, 65535, 65535)  # not incremental


def resident(pid: int) -> int:
    """Return the memory of a process in MB."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmRSS")).split()[1]) // 1024


def test_a_viewer_who_reads_nothing_fills_no_memory(site: Installation) -> None:
    desktop = site.person().create()
    keeper = site.pids(desktop.id)["keeper"]
    with websocket.hanging_up():
        viewer = desktop.view()
        before = resident(keeper)
        end = time.monotonic() + 6
        while time.monotonic() < end:
            viewer.stream.write(EVERYTHING)
            time.sleep(0.005)
        assert resident(keeper) < before + 30
        desktop.view()  # others see the screen all the while


def test_a_stranger_fills_no_memory(site: Installation) -> None:
    desktop = site.person().create()
    with websocket.hanging_up():
        stranger = desktop.connect()
        stranger.read(12)
        stranger.socket.sendall(struct.pack(">BBQ", 130, 255, 1 << 20) + bytes(4))
        stranger.socket.sendall(bytes(16384))
        with pytest.raises(websocket.Closed):
            stranger.read(1)


def test_guessing_tokens_from_many_places_keeps_nobody_out(site: Installation) -> None:
    site.configure(trusted_proxies="127.0.0.1")  # so that these headers say where one is
    desktop = site.person().create()

    def view(place: str, token: str | None) -> Viewer:
        return Viewer(desktop.connect(**{"X-Forwarded-For": place}), token)

    said = []
    for _ in range(3):
        for n in range(30):
            with pytest.raises(Denied) as reason:
                view(f"192.0.2.{n}", "abcdefgh")
            said.append(str(reason.value))
    assert any("wait" in words for words in said)
    view("198.51.100.1", desktop.token).look()
    desktop.view().look()
