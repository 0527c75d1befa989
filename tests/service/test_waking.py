"""Waking a parked session: by its owner, or by the token, from a page or a program."""

import os
from concurrent.futures import ThreadPoolExecutor

from service import orphans
from service.chromium import Browser
from service.conftest import tidy
from service.guest import BOOT
from service.installation import Installation
from service.parking import frozen, parked, wake
from service.person import Desktop
from service.until import until
from service.viewer import state

BLUE = (0x1d, 0x4e, 0x89)


def test_with_the_token_alone_it_is_woken(lot: Installation) -> None:
    desktop, stranger = lot.person().create(), lot.stranger()
    parked(lot, desktop)
    for wrong in ("", "wrongone", "é" * 8):
        assert wake(stranger, desktop, token=wrong).status == 403
    assert wake(stranger, desktop).status == 401
    assert wake(lot.person("bob"), desktop).status == 404
    nobody = Desktop(stranger, {"session": "a" * 26, "token": None})
    assert wake(stranger, nobody, token="x").status == 404
    assert lot.parked.joinpath(desktop.id).exists()
    assert wake(stranger, desktop, token=desktop.token or "").json["woken"]
    again = wake(stranger, desktop, token="whatever").json
    assert again["woken"] is False and again["expires"] == ""  # it was not looked at
    desktop.view().leave()


def test_wrong_tokens_are_counted(lot: Installation) -> None:
    desktop, stranger = lot.person().create(), lot.stranger()
    parked(lot, desktop)
    statuses = [wake(stranger, desktop, token="wrongone").status for _ in range(7)]
    assert statuses[-1] == 429 and 200 not in statuses
    assert wake(stranger, desktop, token=desktop.token or "").status == 429
    assert wake(desktop.person, desktop).status == 200


def test_many_wake_it_at_once(lot: Installation) -> None:
    desktop = lot.person().create()
    parked(lot, desktop)
    strangers = [lot.stranger() for _ in range(5)]
    with ThreadPoolExecutor() as pool:
        replies = list(pool.map(lambda one: wake(one, desktop, token=desktop.token or ""),
                                strangers))
    assert [reply.status for reply in replies] == [200] * 5, list(map(str, replies))
    desktop.view().leave()


def test_what_cannot_go_on_is_not_tried_again(window: Browser, lot: Installation) -> None:
    lot.add_machine("box.raw")
    desktop = lot.person().create(machine="box.raw")
    parked(lot, desktop)
    os.utime(lot.machines / "box.raw", ns=(7, 7))
    window.open(desktop.facts["url"])
    until(lambda: state(window) == "stuck")
    assert "cannot go on: its image was changed" in window.find("#veil-words").text
    assert window.run("return document.getElementById('connect').hidden")
    window.picture("a parked machine that cannot go on")
    desktop.stop()
    (lot.machines / "box.raw").unlink()


def test_its_viewer_says_that_it_is_woken(window: Browser, lot: Installation) -> None:
    desktop = lot.person().create()
    parked(lot, desktop)
    with ThreadPoolExecutor() as pool:
        opened = pool.submit(window.open, desktop.facts["url"])
        with frozen(lambda: orphans.keepers(desktop.id)):
            opened.result()
            until(lambda: "being woken" in window.find("#veil-words").text)
            window.picture("a machine that is being woken")
    window.screen()


def test_its_address_wakes_it(window: Browser, lot: Installation) -> None:
    ada = lot.person()
    desktop = ada.create(machine="tiny.iso", memory="128")
    viewer = desktop.view()
    viewer.wait(lambda seen: seen.pixel(5, 5) == BLUE, BOOT)
    viewer.leave()
    parked(lot, desktop)
    window.sign_in(ada)
    window.open(f"{ada.origin}/desktop/monitor")
    assert "Wake up" in window.find("[data-machine]").text
    assert "promised" not in window.find("[data-machine]").text
    window.picture("a parked machine among mine")
    window.open(desktop.facts["url"])
    window.screen()
    until(lambda: window.pixels([(5, 5)]) == [BLUE])
    window.open("about:blank")
    parked(lot, desktop)
    window.open(desktop.facts["url"].partition("&password")[0])
    until(lambda: state(window) == "asking")
    assert "parked" in window.find("#veil-words").text
    window.picture("a parked machine asks for its token")
    window.fill("#token", desktop.token or "")
    window.find("#enter").click()
    window.screen()
    lot.configure(park_after=2, service_max_instance_nb=1)
    window.open("about:blank")
    parked(lot, desktop)
    other = lot.person("bob").create()
    viewer = other.view()
    window.open(desktop.facts["url"])
    until(lambda: state(window) == "parked")
    assert "All 1 places are taken" in window.find("#veil-words").text
    assert "stays parked" in window.find("#veil-words").text
    window.picture("a parked machine without room")
    viewer.leave()
    other.stop()
    window.find("#connect").click()
    window.screen()
    tidy(lot)
