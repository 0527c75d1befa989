"""Copies of a frozen machine: they run at once, and behave as a machine that booted."""

import re
import shutil
import struct
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from service import websocket
from service.conftest import tidy
from service.frost import MEMORY, Copy, Frost, digests, start, template
from service.guest import BOOT
from service.installation import USER, Installation, short_directory
from service.rfb import Denied
from service.until import until

BLUE = (0x1d, 0x4e, 0x89)
LEASE = "ip -4 -o address show dev eth0 | grep -o 'inet [0-9.]*'"


@pytest.fixture(scope="module")
def volumes() -> Iterator[Path]:
    """Directories of the host, one to read and ten to write."""
    directory = short_directory()
    for name in ("media", *(f"work{number}" for number in range(10))):
        (directory / name).mkdir(mode=0o755)
        (directory / name / "note").write_text(f"this is {name}\n")
        shutil.chown(directory / name, USER, USER)
    yield directory
    shutil.rmtree(directory)


@pytest.fixture(scope="module")
def copy(event: Installation, frost: Frost, volumes: Path) -> Iterator[Copy]:
    """One copy for all tests here that do not end it."""
    mounts = [f"{path}:rw" for path in sorted(volumes.glob("work*"))]
    frost.settle(event, dir_mounts=",".join([f"{volumes}/media", *mounts]),
                 guest_network="internet")
    with websocket.hanging_up():
        yield Copy(event)
        tidy(event)


def test_freezing_tells_how_far_it_is(frost: Frost) -> None:
    assert re.search("tiny.iso boots.*is ready and being frozen.*is packed.*"
                     r"tiny.iso: frozen in \d+ s, \d+ MB", frost.said, re.DOTALL), frost.said


def test_it_was_not_booted(icy: Installation) -> None:
    begin = time.time()
    copy = Copy(icy)
    reached = time.time() - begin
    assert not copy.booted()
    assert copy.uptime() > reached + 5, "it looks as if it had booted"
    booted = Copy(icy, memory=str(MEMORY["tiny.iso"] + 1))
    assert booted.booted()
    assert booted.uptime() < time.time() - begin


def test_its_screen_is_right_at_the_first_picture(icy: Installation) -> None:
    desktop = start(icy, machine="tiny.iso")
    picture = desktop.person.get(f"monitor?screen={desktop.id}").body
    viewer = desktop.view().look()
    assert viewer.pixel(5, 5) == BLUE
    assert struct.unpack(">II", picture[16:24]) == (viewer.width, viewer.height)
    assert len(picture) > 2000, "there is hardly anything on it"


def test_it_asks_for_the_token(copy: Copy) -> None:
    with pytest.raises(Denied):
        copy.desktop.view("x" * 8)
    time.sleep(1.1)  # who erred waits
    copy.desktop.view().leave()


def test_it_has_the_network_and_an_address_of_its_own(copy: Copy) -> None:
    assert copy.guest.wait(LEASE).output
    mac = copy.guest.run("cat /sys/class/net/eth0/address").output
    assert mac.startswith("52:54:00:") and mac != "52:54:00:12:34:56"
    assert copy.guest.run("ls /sys/class/net | grep -c eth").output == "1"


def test_its_volumes_are_plugged_in(copy: Copy, volumes: Path) -> None:
    for number in range(10):
        assert copy.guest.wait(f"cat /mnt/work{number}/note").output == f"this is work{number}"
    assert copy.guest.wait("cat /mnt/media/note").output == "this is media"
    assert "Read-only" in copy.guest.run("echo changed > /mnt/media/note").output
    assert copy.guest.run("echo from a copy > /mnt/work3/new && sync").status == 0
    assert (volumes / "work3/new").read_text() == "from a copy\n"


def test_clipboard_and_agent_are_plugged_in(copy: Copy) -> None:
    def names() -> set[str]:
        return set(copy.guest.run("cat /sys/class/virtio-ports/*/name").output.split())
    assert {"com.redhat.spice.0", "org.qemu.guest_agent.0"} <= names()
    until(lambda: "org.remote-desktop.copied" not in names(), 20, "it has heard what it is")


def test_its_clock_and_its_name_are_its_own(copy: Copy) -> None:
    assert re.fullmatch("tiny-[0-9a-f]{4}", copy.guest.wait("hostname | grep -- -").output)
    copy.guest.wait(f"[ $(date +%s) -ge {int(time.time()) - 3} ]")
    until(lambda: abs(copy.guest.clock()) < 3, 10, "the clock is right")


def test_keys_and_a_second_viewer(copy: Copy) -> None:
    viewer = copy.desktop.view()
    viewer.type("echo typed > /run/typed\n")
    assert copy.guest.wait("grep . /run/typed").output == "typed"
    other = copy.desktop.view().look()
    assert other.pixel(5, 5) == BLUE
    assert copy.desktop.person.sessions()[0]["viewers"] >= 2
    other.leave()
    viewer.leave()


def test_it_has_no_balloon(copy: Copy) -> None:
    """It would punch holes into the file that all copies share."""
    kinds = copy.guest.run("cat /sys/bus/virtio/devices/*/device").output.split()
    assert "0x0004" in kinds, "no entropy: the list is of something else"
    assert "0x0005" not in kinds


def test_it_can_be_extended_restarted_and_shut_down(icy: Installation, frost: Frost) -> None:
    frost.settle(icy, guest_network="internet")
    copy = Copy(icy, lifetime="600")
    form = {"session": copy.desktop.id}
    person = copy.desktop.person

    def expires() -> str:
        told, = (one for one in person.sessions() if one["session"] == copy.desktop.id)
        return str(told["expires"])
    before = expires()
    assert person.post("monitor", {"action": "extend", "seconds": "60", **form}).status == 303
    assert expires() != before
    copy.guest.wait(LEASE)
    assert person.post("monitor", {"action": "restart", **form}).status == 303
    copy.guest.booted_again()
    assert copy.uptime() < BOOT
    assert copy.guest.wait(LEASE).output
    copy.desktop.view().wait(lambda seen: seen.pixel(5, 5) == BLUE, BOOT)
    assert person.post("monitor", {"action": "shutdown", **form}).status == 303
    icy.gone(copy.desktop.id, 30)
    assert "inside" in (icy.log / "history.jsonl").read_text().splitlines()[-1]


def test_a_single_shot_copy_goes_with_its_viewer_and_a_persistent_one_stays(
        icy: Installation, frost: Frost) -> None:
    frost.settle(icy, disconnect_grace=1)
    once, kept = Copy(icy, persistent="0"), Copy(icy, "bob")
    for one in (once, kept):
        assert not one.booted()
        one.desktop.view().look().leave()
    icy.gone(once.desktop.id)
    kept.desktop.view().leave()
    assert kept.desktop.stop().status in (200, 303)
    icy.gone(kept.desktop.id)


def test_two_copies_at_once_have_nothing_in_common(icy: Installation, frost: Frost) -> None:
    frost.settle(icy, guest_network="internet")
    pair = Copy(icy), Copy(icy)
    seen = []
    for one in pair:
        name = one.guest.wait("hostname | grep -- -").output
        assert one.guest.run(f"echo {name} > /disk/mine && sync").status == 0
        seen.append((name, *(one.guest.run(command).output for command in (
            "head -c 16 /dev/urandom | xxd -p", "cat /sys/class/net/eth0/address",
            "cat /proc/sys/kernel/random/uuid"))))
        assert one.guest.run("dmesg | grep -c 'virtual machine fork'").output == "1"
    assert all(mine != theirs for mine, theirs in zip(*seen)), seen
    for one, (name, *_) in zip(pair, seen):
        assert one.guest.run("echo 3 > /proc/sys/vm/drop_caches; cat /disk/mine").output == name


def test_nothing_a_guest_does_changes_its_template(icy: Installation) -> None:
    place = template(icy)
    before = digests(place)
    for _ in range(2):
        pair = Copy(icy), Copy(icy)
        for one in pair:
            assert not one.booted()
            spoil(one)
            one.guest.say("reboot -f")
        time.sleep(2)
        icy.clear()
        assert digests(place) == before


def spoil(copy: Copy) -> None:
    """Write what memory and disk take, and give back what there is to give."""
    guest = copy.guest
    assert guest.run("head -c 20000000 /dev/urandom > /run/much && rm /run/much").status == 0
    guest.run("echo 3 > /proc/sys/vm/drop_caches; echo 1 > /proc/sys/vm/compact_memory")
    assert guest.run("head -c 3000000 /dev/urandom > /disk/much && sync && "
                     "rm /disk/much && sync && fstrim /disk").status == 0
    disk = guest.run("awk '$2 == \"/disk\" { print $1 }' /proc/mounts").output
    guest.run("umount /disk")
    assert guest.run(f"blkdiscard {disk} && dd if=/dev/zero of={disk} bs=64k count=64 && "
                     "sync").status == 0
