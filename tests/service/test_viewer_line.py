"""The viewer in Chromium: messages, the end, lines that drop, tokens."""

import os
import signal

from selenium.webdriver.common.by import By
from service.chromium import Browser, browser
from service.conftest import Install
from service.installation import Installation
from service.until import until
from service.viewer import focused, sit_down, state, words


def test_messages_are_seen_by_all_who_look_on(window: Browser, site: Installation) -> None:
    sit_down(window, desktop := site.person().create())
    root = site.person("root")
    with browser(800, 600) as stranger:
        stranger.open(desktop.facts["url"])
        stranger.screen()
        reply = root.post("monitor", {"action": "message", "session": desktop.id,
                                      "text": "We restart at <b>six</b>."})
        assert reply.status == 303, str(reply)
        for seen in (window, stranger):
            until(lambda seen=seen: "We restart at <b>six</b>." in words(seen, "#notices"))
            assert "The administration" in words(seen, "#notices") and state(seen) == "connected"
        window.picture("message over the desktop")
        window.find("#notices [data-fill=close]").click()
        assert not words(window, "#notices")
        stranger.bring_bar()
        assert stranger.find("#open-help")
        for name in ("extend", "open-stop"):
            assert not stranger.driver.find_element(By.ID, name).is_displayed()
        said = site.script("admin.py", f"--session_message={desktop.id}", "--text=Bye soon.")
        assert said.returncode == 0 and "2 viewers" in said.stdout, said
        for seen in (window, stranger):
            until(lambda seen=seen: "Bye soon." in words(seen, "#notices"))
        stranger.driver.refresh()
        until(lambda: "Bye soon." in words(stranger, "#notices"), 30, "who comes later sees it")


def test_the_end_is_announced_and_put_off(window: Browser, site: Installation) -> None:
    site.configure(warn_before_end=1800)
    sit_down(window, desktop := site.person().create(lifetime="1700"))
    until(lambda: "ends in 2" in words(window, "#notices"))
    window.picture("the end is near")
    window.find("#notices [data-fill=act]").click()
    until(lambda: "1 h more" in words(window, "#notices"))
    until(lambda: "ends in" not in words(window, "#notices"))
    assert "1 h 2" in words(window, "#left")
    more = site.script("admin.py", f"--session_extend={desktop.id}", "--seconds=7200")
    assert more.returncode == 0 and "7200" in more.stdout, more
    until(lambda: "3 h 2" in words(window, "#left"))
    soon = site.person().create(lifetime="20")
    window.open(soon.facts["url"])
    window.screen()
    until(lambda: state(window) == "over", 60)
    assert "its time was over" in window.find("#veil").text
    site.gone(soon.id)


def test_a_line_that_drops_is_made_anew(window: Browser, install: Install) -> None:
    site = install()
    sit_down(window, desktop := site.person().create())
    site.server.stop()
    until(lambda: state(window) == "away", 20)
    assert "does not answer" in window.find("#veil").text
    site.server.start()
    until(lambda: state(window) == "connected", 30)
    killed = site.pids(desktop.id)["keeper"]
    os.kill(killed, signal.SIGKILL)
    until(lambda: site.pids(desktop.id)["keeper"] != killed, 60, "the page brings another keeper")
    until(lambda: state(window) == "connected" and site.record(desktop.id)["viewers"] == 1, 30)
    assert site.person("root").stop(desktop.id).status == 200
    until(lambda: state(window) == "over", 20)


def test_tokens_and_waiting(window: Browser, site: Installation) -> None:
    desktop = site.person().create()
    window.open(desktop.facts["url"].replace(f"password={desktop.token}", "wait=1"))
    window.find("#connect")
    assert state(window) == "waiting" and focused(window) == "connect"
    assert "password" not in window.driver.current_url
    window.find("#connect").click()

    def enters(token: str) -> bool:
        window.fill("#token", token)
        window.find("#enter").click()
        until(lambda: state(window) != "connecting")
        return state(window) == "connected"

    assert not enters("abcdefgh") and "not right" in words(window, "#veil-words")
    until(lambda: enters(str(desktop.token)), 20, "the right one, once it may be tried")
    window.screen()
    assert site.record(desktop.id)["viewers"] == 1
    for broken in ("", "path=../../x", f"path=//evil.example/session/{desktop.id}/websocket"):
        window.open("about:blank")
        window.open(f"{desktop.person.origin}/desktop/view.html#{broken}")
        until(lambda: state(window) == "nowhere")


def test_a_single_shot_is_in_one_window_at_a_time(window: Browser, site: Installation) -> None:
    desktop = site.person().create(persistent="0")
    sit_down(window, desktop)
    with browser(800, 600) as other:
        other.open(desktop.facts["url"])
        other.screen()
        until(lambda: state(window) == "elsewhere")
        window.find("#connect").click()
        window.screen()
        until(lambda: state(other) == "elsewhere")


def test_a_machine_that_is_over_is_said_to_be(window: Browser, site: Installation) -> None:
    desktop = site.person().create()
    desktop.stop()
    window.open(desktop.facts["url"])
    until(lambda: state(window) == "over", 60, "a stranger is told")
    window.sign_in(site.person())
    window.open("about:blank")
    window.open(desktop.facts["url"])
    until(lambda: state(window) == "over", 60, "its owner is told")
    window.find("#another").click()
    until(lambda: window.driver.current_url.endswith("/desktop/"))
