"""Command lines: what may follow from what. The lines themselves are in tests/golden."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desktop.errors import Refusal
from desktop.host.volumes import Volume
from desktop.machine import qemu
from desktop.machine.descriptor import Machine, settle
from desktop.machine.emulator import About
from desktop.machine.image import Format
from desktop.machine.wiring import Hardware, Wiring

ABOUT = About((7, 2, 22), frozenset({"virtio-vga", "VGA"}))
MACHINE = settle(Machine(file=Path("/m/a.qcow2"), name="a.qcow2", format=Format.QCOW2, stamp=""))
HARDWARE = Hardware(machine=MACHINE, cpu=1, memory=256, video="virtio", accel="tcg",
                    about=ABOUT)
WIRING = Wiring(name="x", disk=Path("/s/d"), vnc=Path("/r/v"), qmp_fd=3, qmp2=Path("/r/q"),
                guid="g", token=Path("/r/t"), network="user")
texts = st.text(st.characters(exclude_characters="\0", codec="utf-8"), min_size=1)


@pytest.mark.parametrize("change, status", [
    ({"cpu": 0}, 400), ({"cpu": -1}, 400), ({"cpu": 256}, 400), ({"memory": 15}, 400),
    ({"memory": 10**15}, 400), ({"video": "vga,x"}, 400), ({"video": ""}, 400),
    ({"video": "qxl"}, 409), ({"about": About((7, 1, 0), ABOUT.devices)}, 500),
    ({"machine": replace(MACHINE, cpu_max=1), "cpu": 2}, 400),
    ({"machine": replace(MACHINE, memory_max=128)}, 400)])
def test_what_qemu_would_refuse_is_refused_before(change: dict[str, Any], status: int) -> None:
    qemu.check(HARDWARE)
    with pytest.raises(Refusal) as refusal:
        qemu.check(replace(HARDWARE, **change))
    assert refusal.value.status == status


@given(texts, texts, texts)
def test_no_path_becomes_an_option(disk: str, place: str, volume: str) -> None:
    plain = qemu.command("qemu", HARDWARE, replace(
        WIRING, volumes=(Volume(Path("/v"), "t", False),)))
    wiring = replace(WIRING, disk=Path("/s") / disk, vnc=Path("/r") / place,
                     token=Path("/r") / place, qmp2=Path("/r") / place,
                     volumes=(Volume(Path("/v") / volume, "t", False),))
    argv = qemu.command("qemu", HARDWARE, wiring)
    assert len(argv) == len(plain)
    for word, usual in zip(argv, plain, strict=True):
        if not usual.startswith("{"):
            assert word.replace(",,", "").count(",") == usual.count(",")


def test_the_guest_sees_the_same_whatever_it_is_wired_to() -> None:
    other = replace(WIRING, name="y", disk=Path("/z"), vnc=Path("/z"), qmp_fd=9, qmp2=Path("/z"),
                    token=None, network="passt", network_fd=7)
    assert devices(WIRING) == devices(other)


def test_volumes_and_gpus_move_nothing_else() -> None:
    more = replace(WIRING, volumes=tuple(Volume(Path("/v"), f"t{n}", False) for n in range(20)),
                   gpu=("0000:01:00.0",))
    assert devices(WIRING) == devices(more)[:len(devices(WIRING))]


def devices(wiring: Wiring) -> list[str]:
    """Return the devices of a command line."""
    argv = qemu.command("qemu", HARDWARE, wiring)
    return [value for option, value in zip(argv, argv[1:]) if option == "-device"]


@given(st.integers(0, 30), st.sampled_from(["q35", "pc"]), st.integers(0, 3))
def test_no_address_is_used_twice(volumes: int, chipset: str, gpus: int) -> None:
    machine = settle(replace(MACHINE, chipset=chipset))
    wiring = replace(WIRING, gpu=tuple(f"0000:0{slot}:00.0" for slot in range(gpus)),
                     volumes=tuple(Volume(Path("/v"), f"t{n}", False) for n in range(volumes)))
    argv = qemu.command("qemu", replace(HARDWARE, machine=machine), wiring)
    places = [(facts.get("bus"), facts["addr"].removesuffix(".0"))
              for word in argv if ",addr=" in word
              for facts in [dict(part.split("=", 1) for part in word.split(",")[1:])]
              if facts.get("bus", "pci.0") in ("pci.0", "pcie.0")]
    assert len(places) == len(set(places))


def test_no_secret_is_on_the_command_line(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("s3cret99")
    argv = qemu.command("qemu", HARDWARE, replace(WIRING, token=tmp_path / "token"))
    assert "s3cret99" not in " ".join(argv)


def test_a_gpu_pins_memory_so_there_is_no_balloon() -> None:
    argv = qemu.command("qemu", replace(HARDWARE, gpu=True), WIRING)
    assert "balloon" not in " ".join(argv)
