"""Every button of every page is pressed: narrow and wide, by keyboard alone and by pointer."""

import os
import re
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

import pytest
from selenium.webdriver.common.keys import Keys
from service.hand import Hand
from service.installation import Installation
from service.labels import labels, tools
from service.parking import parked
from service.stage import Stage
from service.test_pages import stage
from service.until import until

__all__ = ["stage"]  # a fixture
WAYS = {"360 keyboard": (360, True, True), "360 finger": (360, False, False),
        "1600 keyboard": (1600, True, False), "1600 mouse": (1600, False, True)}
PRESSED: dict[str, set[str]] = {}


@pytest.fixture(params=WAYS)
def hand(request: pytest.FixtureRequest, stage: Stage) -> Iterator[Hand]:
    """Somebody with one kind of device."""
    width, keyboard, dark = WAYS[request.param]
    stage.page.emulate(width, 900, dark=dark, touch=width < 500)
    made = Hand(stage.page, keyboard)
    yield made
    PRESSED.setdefault(request.param, set()).update(made.pressed)


def started(site: Installation) -> str:
    """Wait for the one session; return its name."""
    found, = until(site.directories, 30, "a session")
    return str(found.name)


def ended(site: Installation) -> None:
    until(lambda: not site.directories(), 20, "the end of all sessions")


def opens(hand: Hand, selector: str) -> None:
    """Press what opens a tab, and close that."""
    driver = hand.page.driver
    before = driver.window_handles
    hand.press(selector)
    new, = until(lambda: set(driver.window_handles) - set(before), 20, "a tab")
    driver.switch_to.window(new)
    until(lambda: "view.html" in driver.current_url)
    driver.close()
    driver.switch_to.window(before[0])


def test_from_the_form_to_the_end(stage: Stage, hand: Hand) -> None:
    site, page = stage.site, stage.page
    stage.form()
    hand.choose("input[value='tiny.iso']")
    hand.choose("input[value='empty.raw']")
    hand.choose("#lifetime option[value='7200']")
    hand.tick("#persistent")
    hand.type("#user", "ada")
    hand.type("#password", site.goods.passwords["ada"])
    hand.tick("#terms")
    hand.press("#start")
    page.find("a.big", 60)
    session = started(site)
    record = site.record(session)
    assert (record["machine"], record["persistent"], record["owner"]) == ("empty.raw", True, "ada")
    hand.press("[data-copy=address]")
    page.find("[data-copy=address][data-done]")
    hand.press("[data-copy=token]", Keys.SPACE)
    opens(hand, "a.big")
    hand.press("//button[starts-with(., 'Extend by')]")
    until(lambda: site.record(session)["extended"] == 3600, 30)
    hand.press("//a[.='New machine']")
    page.find(".mine a")
    hand.press(".mine a")
    page.find("a.big")
    hand.press("details.confirm summary", Keys.SPACE)
    hand.press("details.confirm button")
    ended(site)
    hand.press("a.button[href='./']")
    page.find("#cards label")
    hand.press("//header//button[.='Sign out']")
    until(lambda: not page.driver.get_cookies())


def test_cards(stage: Stage, hand: Hand) -> None:
    site, page = stage.site, stage.page
    stage.go("monitor")
    hand.type("#user", "ada")
    hand.type("#password", site.goods.passwords["ada"])
    hand.press("main button")
    page.find(".empty")
    desktop = site.person().create(lifetime="7200")
    stage.go("monitor", "ada")
    card = f"//article[@data-machine='{desktop.id}']"
    hand.press(f"{card}//button[starts-with(., 'Copy address')]")
    page.find(f"{card}//button[@data-done]")
    hand.press(f"{card}//summary[starts-with(., 'Show the token')]")
    assert str(desktop.token) in page.find(card).text
    opens(hand, f"{card}//a[starts-with(., 'Open')]")
    hand.press(f"{card}//button[starts-with(., 'Extend by')]")
    until(lambda: site.record(desktop.id)["extended"] == 3600, 30)
    stage.go("monitor", "ada")
    hand.leave(f"{card}//button[starts-with(., 'Restart')]", Keys.SPACE)
    page.find(card)  # and no refusal; that the machine starts anew is shown in test_steering
    hand.press(f"{card}//button[starts-with(., 'Shut down')]")
    until(lambda: site.record(desktop.id)["state"] == "stopping", 30)
    site.script("admin.py", f"--session_stop={desktop.id}")
    ended(site)
    stopped_from_its_card(stage, hand)


def stopped_from_its_card(stage: Stage, hand: Hand) -> None:
    stage.site.configure(park_after=1)
    desktop = stage.site.person().create()
    parked(stage.site, desktop)
    stage.site.configure(park_after=600)
    stage.go("monitor", "ada")
    hand.press("//button[starts-with(., 'Wake up')]")
    until(lambda: stage.site.directories(), 30, "it wakes up")
    stage.go("monitor", "ada")
    hand.press("article .confirm summary")
    hand.press("article .confirm button")
    ended(stage.site)
    hand.press("//a[.='All that is over']")
    hand.press("//a[.='Download as CSV']")


def test_ways_back(stage: Stage, hand: Hand) -> None:
    site, page = stage.site, stage.page
    desktop = site.person().create()
    stage.go(f"monitor?session={'b' * 26}", "ada")
    hand.press("a.button[data-back]")
    page.find("#cards label, .machines, .empty")
    stage.send("monitor", action="stop", session=desktop.id)
    page.find(".facts")
    hand.press("main button")
    ended(site)
    desktop = site.person().create()
    stage.go(f"monitor?session={desktop.id}", "ada")
    desktop.stop()
    hand.press("[data-over] a")
    page.find("#cards label")
    stage.go("terms.html")
    hand.press("a.button")
    page.find("#cards label")
    page.driver.delete_all_cookies()
    site.configure(check_user_with_htpasswd=0, check_user_with_remote_user=1)
    stage.go("monitor")
    hand.press("//a[.='Open the form']")
    page.find("#cards label")


def test_the_administrator_steers(stage: Stage, hand: Hand) -> None:
    site, page = stage.site, stage.page
    desktop = site.person().create()
    (site.log / f"{'b' * 26}.corrupt").write_bytes(b"\xff")
    stage.go("monitor", "root")
    hand.press("//thead//button[.='User']", Keys.SPACE)
    sorted_by = "return document.querySelector('th[aria-sort]')?.innerText ?? ''"
    until(lambda: str(page.run(sorted_by)).startswith("User"))
    hand.type("#words", "ada")
    hand.press("#find [data-show]")
    hand.tick("#all")
    hand.press("#selected .tell summary")
    hand.type("#text", "New disks at six.")
    hand.press("#selected [value=message]")
    until(lambda: site.record(desktop.id)["message"] == "New disks at six.")
    hand.press("#selected [value=extend]")
    until(lambda: site.record(desktop.id)["extended"] == 3600, 30)
    hand.press("#selected .confirm:not(.tell) summary")
    hand.press("#selected [value=stop]")
    ended(site)
    hand.press(".corrupt button")
    until(lambda: not (site.log / f"{'b' * 26}.corrupt").exists())
    told(stage, hand)


def told(stage: Stage, hand: Hand) -> None:
    """What several sessions are told without scripts, when not all are there."""
    ticket = stage.site.person("root").facts("monitor")["ticket"]
    stage.go("terms.html", "root")
    stage.send("monitor", action="stop", session="b" * 26, ticket=ticket)
    hand.press("//a[.='All sessions' and @class='button']")
    stage.page.find("//h1[.='All sessions']")


def test_machines_and_administration(stage: Stage, hand: Hand) -> None:
    site = stage.site
    row = "//tr[contains(., 'empty.raw')]"
    stage.go("monitor?machines=1", "root")
    hand.press(f"{row}//button[starts-with(., 'Hide')]")
    hand.press(f"{row}//button[starts-with(., 'Show')]")
    freeze(hand, row)
    hand.press("//button[.='Cancel']")
    freeze(hand, row)
    hand.press("//button[starts-with(., 'It is ready')]")
    shelf = "//*[@class='frozen']"
    hand.page.find(f"{shelf}//*[.='sessions start at once']", 60)
    os.utime(site.machines / "empty.raw")
    stage.go("monitor?machines=1", "root")
    hand.press(f"{shelf}//button[starts-with(., 'Freeze again')]")
    hand.press("//button[.='Cancel']")
    hand.press(f"{shelf}//button[starts-with(., 'Remove')]")
    hand.page.find("//p[contains(., 'Nothing is frozen')]")
    hand.press("//header//a[.='Administration']")
    hand.type("#text", "New disks until 14:00.")
    hand.leave("//button[.='Begin maintenance']")
    stage.go("admin", "root")
    hand.leave("//button[.='End maintenance']")
    stage.go("admin", "root")
    site.person().create()
    hand.type("#confirm", "purge")
    hand.press("//button[.='Stop all and remove']")
    ended(site)


def freeze(hand: Hand, row: str) -> None:
    """Have a machine frozen, with what the form has."""
    hand.press(f"{row}//summary[starts-with(., 'Freeze')]")
    hand.press(f"{row}//button[.='Freeze it now']")


def test_no_button_is_left_out() -> None:
    if len(PRESSED) < len(WAYS):
        pytest.skip("only together with the other tests of this file")
    wanted = labels()
    for way, pressed in PRESSED.items():
        left = {label for label in wanted if not any(fnmatch(one, label) for one in pressed)}
        assert not left, f"{way}: {left}"


def test_no_tool_of_the_viewer_is_left_out() -> None:
    tests = "".join(path.read_text(encoding="utf-8")
                    for path in Path(__file__).parent.glob("*.py")
                    if re.match("chromium|(test_)?view", path.name))
    for name in tools():
        assert re.search(rf"\b{name}\b", tests), f"no test presses {name}"
