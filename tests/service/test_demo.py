"""The demo machine in Chromium: its size follows the window, clipboards meet, accents arrive.

As the last thing it is told that it is a copy, and stays usable.
"""

import re
import shutil
from collections.abc import Iterator

import pytest
from service import websocket
from service.chromium import CANVAS, Browser, browser
from service.conftest import machine_image, tidy
from service.guest import Guest, qmp
from service.installation import ROOT, Installation
from service.person import Desktop
from service.until import until

pytestmark = pytest.mark.slow
BOOT = 420  # seconds to its desktop, on busy cores without KVM
ACTIVE = "xprop -root -notype 32x ' $0' _NET_ACTIVE_WINDOW | awk '{ print $2 }'"
FRENCH = {"é": ("Digit2", 0, False), "@": ("Digit0", 2, True), "{": ("Digit4", 2, True),
          "}": ("Equal", 2, True), "a": ("KeyQ", 0, False), "\r": ("Enter", 0, False)}


class Seat:
    """Somebody in front of the demo desktop."""

    def __init__(self, site: Installation, page: Browser) -> None:
        self.page = page
        self.desktop: Desktop = site.person().create(machine="demo.iso", cpu="2", memory="1024")
        page.open(self.desktop.facts["url"])
        page.screen(60)
        self.guest = Guest(site.run / self.desktop.id, BOOT)
        self.guest.wait("pgrep -x icewm", BOOT)

    def resolution(self) -> list[int]:
        """Return width and height as the guest's own display server says."""
        said = self.guest.wait("xrandr | grep -o 'current [0-9]* x [0-9]*'", 60).output.split()
        return [int(said[1]), int(said[3])]

    def window(self) -> list[int]:
        """Return the room that the page has for the screen."""
        width, height = self.page.run("return [innerWidth, innerHeight]")
        return [width, height]


@pytest.fixture(scope="module")
def seat(event: Installation) -> Iterator[Seat]:
    """One demo desktop for all tests here."""
    shutil.copyfile(machine_image("demo.iso"), event.machines / "demo.iso")
    shutil.copyfile(ROOT / "machines/demo.ini", event.machines / "demo.ini")
    event.configure(overcommit_cpu=0, overcommit_memory=0, first_connect_timeout=0)
    with websocket.hanging_up(), browser(1200, 850) as page:
        yield Seat(event, page)
    tidy(event)
    (event.machines / "demo.iso").unlink()
    (event.machines / "demo.ini").unlink()


@pytest.mark.parametrize("size", [(1100, 800), (1400, 950), (900, 700)])
def test_the_guest_takes_the_size_of_the_window(seat: Seat, size: tuple[int, int]) -> None:
    for nudge in range(4):  # the first change after a start may come before anybody listens
        seat.page.driver.set_window_size(size[0] + nudge, size[1])
        if follows(seat, 60):
            break
    assert follows(seat, 1), f"{seat.window()} of the window, {seat.resolution()} of the guest"
    until(lambda: shown_size(seat.page)[:2] == seat.resolution(), 30, "the guest's pixels")
    until(lambda: each_its_own(seat.page), 30, "each shown as one of the window's")


def follows(seat: Seat, seconds: float) -> bool:
    """Tell whether the guest takes the window's size; drivers round it, to 8 pixels at most."""
    try:
        until(lambda: all(0 <= room - have < 8 for room, have in
                          zip(seat.window(), seat.resolution(), strict=True)), seconds, "size")
    except AssertionError:
        return False
    return True


def shown_size(page: Browser) -> list[int]:
    """Return the size of the canvas in pixels, and that on the page."""
    return list(page.run(f"const canvas = {CANVAS}, box = canvas.getBoundingClientRect();"
                         "return [canvas.width, canvas.height, box.width, box.height]"))


def each_its_own(page: Browser) -> bool:
    """Tell whether the canvas shows each pixel of the guest as one of the window."""
    shown = shown_size(page)
    return shown[:2] == [round(side) for side in shown[2:]]


def test_text_goes_from_the_browser_to_the_guest(seat: Seat) -> None:
    seat.page.run("""
        const text = document.querySelector("#clip");
        text.value = arguments[0];
        text.dispatchEvent(new Event("change"));""", "Zwölf Boxkämpfer → é@{} 漢字")
    until(lambda: seat.guest.run("timeout 5 xclip -o -selection clipboard").output
          == "Zwölf Boxkämpfer → é@{} 漢字", 30)


def test_text_goes_from_the_guest_to_the_browser(seat: Seat) -> None:
    seat.guest.run("printf 'from inside: é@{} → 漢字' | "
                   "xclip -i -selection clipboard > /dev/null 2>&1")
    until(lambda: seat.page.run("return document.querySelector('#clip').value")
          == "from inside: é@{} → 漢字", 30)


def press(page: Browser, key: str) -> None:
    """Press a key as a French keyboard does: the character, and where the key is."""
    code, modifier, graph = FRENCH[key]
    name = {"\r": "Enter"}.get(key, key)
    alt = {"key": "AltGraph", "code": "AltRight", "windowsVirtualKeyCode": 225, "location": 2}

    def event(kind: str, **facts: object) -> None:
        page.driver.execute_cdp_cmd("Input.dispatchKeyEvent", {"type": kind, **facts})
    if graph:
        event("rawKeyDown", **alt)
    event("keyDown", key=name, code=code, text=key, modifiers=modifier)
    event("keyUp", key=name, code=code, modifiers=modifier)
    if graph:
        event("keyUp", **alt)


def test_accents_and_brackets_arrive(seat: Seat) -> None:
    assert seat.guest.run("setxkbmap fr").status == 0
    seat.guest.run("rm -f /tmp/typed; (lxterminal --geometry=80x24 -e "
                   "sh -c 'cat > /tmp/typed' > /dev/null 2>&1 &)")
    seat.guest.wait("test -e /tmp/typed", 90)
    seat.guest.wait(f"xprop -id $({ACTIVE}) WM_CLASS | grep -i lxterminal", 60)
    seat.page.focus()
    for key in "aé@{}a\r":
        press(seat.page, key)
    until(lambda: seat.guest.run("cat /tmp/typed").output, 30)
    assert seat.guest.run("cat /tmp/typed").output == "aé@{}a"


def test_a_copy_takes_an_identity_of_its_own(seat: Seat) -> None:
    guest = seat.guest
    before = guest.run("cat /etc/machine-id").output
    guest.run("date -s @1000000000")
    guest.frozen("copied")
    assert abs(guest.clock()) < 3
    name, known, written = guest.run("hostname; hostname -f; cat /etc/hostname").output.split()
    assert re.fullmatch("demo-[0-9a-f]{4}", name) and name == known == written
    after = guest.run("cat /etc/machine-id").output
    assert re.fullmatch("[0-9a-f]{32}", after) and after != before
    guest.wait("journalctl --no-pager -n 1 | grep .", 30)
    assert "unable" not in guest.run("sudo -u demo sudo true").output
    guest.run("pkill lxterminal")
    qmp(guest.control, "send-key", keys=[{"type": "qcode", "data": key}
                                         for key in ("ctrl", "alt", "t")])
    guest.wait(f"xprop -id $({ACTIVE}) WM_NAME | grep 'demo@{name}'", 90)
