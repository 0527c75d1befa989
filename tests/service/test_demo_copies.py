"""Copies of the frozen demo machine: there at once, each its own, and all of a desktop works."""

import re
import shutil
from collections.abc import Iterator

import pytest
from service import websocket
from service.chromium import browser
from service.conftest import machine_image, tidy
from service.guest import Guest, qmp
from service.installation import ROOT, Installation, short_directory
from service.person import Desktop
from service.until import until

pytestmark = pytest.mark.slow
FREEZE = 420  # seconds, on busy cores without KVM
GREEN = (0x2f, 0x5d, 0x62)
ACTIVE = "xprop -root -notype 32x ' $0' _NET_ACTIVE_WINDOW | awk '{ print $2 }'"
OWN = ("hostname", "cat /etc/machine-id", "cat /sys/class/net/eth0/address",
       "head -c 16 /dev/urandom | od -A n -t x1")


@pytest.fixture(scope="module")
def frozen(event: Installation) -> Iterator[Installation]:
    """A site whose demo machine is frozen, and which has a volume."""
    shutil.copyfile(machine_image("demo.iso"), event.machines / "demo.iso")
    shutil.copyfile(ROOT / "machines/demo.ini", event.machines / "demo.ini")
    directory = short_directory()
    media = directory / "media"
    media.mkdir()
    (media / "note").write_text("this is media\n")
    event.configure(dir_mounts=media, overcommit_cpu=0,
                    overcommit_memory=0, first_connect_timeout=0, guest_network="internet")
    done = event.script("../machines/freeze", "demo.iso", "--cpu=2", "--memory=1024",
                        timeout=FREEZE)
    assert done.returncode == 0, done
    with websocket.hanging_up():
        yield event
    tidy(event)
    shutil.rmtree(directory)
    (event.machines / "demo.iso").unlink()
    (event.machines / "demo.ini").unlink()


def copy(site: Installation) -> Desktop:
    """Start the demo machine, which must not boot for it."""
    desktop = site.person().create(machine="demo.iso", cpu="2", memory="1024")
    assert site.record(desktop.id)["template"]
    return desktop


def test_the_desktop_is_there_at_first_sight_and_each_is_its_own(frozen: Installation) -> None:
    desktops = [copy(frozen) for _ in range(2)]
    for desktop in desktops:
        assert desktop.view().look().pixel(600, 400) == GREEN
    guests = [Guest(frozen.run / desktop.id) for desktop in desktops]
    for guest in guests:
        name = guest.wait("hostname | grep demo-", 60).output
        assert re.fullmatch("demo-[0-9a-f]{4}", name)
        guest.wait("ip route | grep default", 60)
        until(lambda: abs(guest.clock()) < 3, 60, "the time")
        assert guest.wait("cat /mnt/media/note", 60).output == "this is media"
        assert guest.run("dmesg | grep -c 'virtual machine fork'").output == "1"
        guest.wait("! systemctl list-units --plain --no-legend 'resumed@*' | grep activating", 60)
        assert guest.run("systemctl list-units --failed --plain --no-legend").output == ""
    for command in OWN:
        one, other = (guest.run(command).output for guest in guests)
        assert one and one != other, command
    for desktop in desktops:
        desktop.person.stop(desktop.id)


def test_one_types_into_a_terminal_and_shares_a_clipboard(frozen: Installation) -> None:
    desktop = copy(frozen)
    with browser(1200, 850) as page:
        page.open(desktop.facts["url"])
        page.screen(60)
        guest = Guest(frozen.run / desktop.id)
        width = "xrandr | sed -n 's/.*current \\([0-9]*\\) x.*/\\1/p'"
        until(lambda: 0 <= page.run("return innerWidth") - int(guest.run(width).output) < 8, 60,
              "the size of the window")
        guest.wait("hostname | grep demo-", 60)
        qmp(guest.control, "send-key", keys=[{"type": "qcode", "data": key}
                                             for key in ("ctrl", "alt", "t")])
        guest.wait(f"xprop -id $({ACTIVE}) WM_CLASS | grep -i lxterminal", 60)
        page.focus()
        page.type("hostname > /tmp/typed\n")
        guest.wait("cmp /tmp/typed /etc/hostname", 60)
        guest.run("printf 'from a copy' | xclip -i -selection clipboard > /dev/null 2>&1")
        until(lambda: page.run("return document.querySelector('#clip').value") == "from a copy",
              60, "the clipboard")
        page.picture("demo-copy")
    desktop.person.stop(desktop.id)
