"""The viewer in Chromium: every tool, by mouse, by keyboard alone, on a phone."""

import os

from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.keys import Keys
from service.chromium import Browser
from service.conftest import Install
from service.guest import Guest
from service.installation import Installation
from service.until import until
from service.viewer import focused, shown_size, sit_down, state, tool, words


def test_keys_and_texts_that_are_typed(window: Browser, site: Installation) -> None:
    desktop = site.person().create(machine="tiny.iso", memory="128", lifetime="7200")
    sit_down(window, desktop)
    guest = Guest(site.run / desktop.id)
    tool(window, "#open-clipboard")
    window.fill("#clip", "echo told > /run/told; sleep 3600")
    window.find("#clip-type").click()
    tool(window, "#open-keys")
    window.find("//button[text()='Enter']").click()
    guest.wait("grep told /run/told")
    held = window.find("//div[@id='held']/button[text()='Ctrl']")
    held.click()
    assert held.get_attribute("aria-pressed") == "true"
    window.find("#keys form button").click()
    window.focus()
    window.type("c")
    tool(window, "#open-keys")
    held.click()
    assert held.get_attribute("aria-pressed") == "false"
    window.find("#keys form button").click()
    guest.wait("! pidof sleep")
    until(lambda: focused(window) == "CANVAS")
    window.type("echo on > /run/on\n")
    guest.wait("grep on /run/on")


def test_the_keyboard_alone(window: Browser, site: Installation) -> None:
    sit_down(window, desktop := site.person().create())
    press = ActionChains(window.driver, duration=0)

    def chord() -> None:
        for key in (Keys.CONTROL, Keys.ALT, Keys.SHIFT):
            press.key_down(key)
        for key in (Keys.SHIFT, Keys.ALT, Keys.CONTROL):
            press.key_up(key)
        press.perform()

    assert focused(window) == "CANVAS"
    chord()
    until(lambda: focused(window) == "open-keys")
    press.send_keys(Keys.ARROW_RIGHT).perform()
    assert focused(window) == "open-clipboard"
    press.send_keys(Keys.ENTER).perform()
    window.find("#clipboard[open]")
    press.send_keys(Keys.ESCAPE).perform()
    until(lambda: focused(window) == "CANVAS")
    chord()
    press.send_keys(Keys.ESCAPE).perform()
    until(lambda: window.run("return document.body.dataset.bar") == "hidden")
    assert focused(window) == "CANVAS"
    chord()
    press.send_keys(Keys.END).perform()
    assert focused(window) == "open-stop"
    press.send_keys(Keys.ENTER).perform()
    window.find("#stop[open]")
    press.send_keys(Keys.TAB).send_keys(Keys.ENTER).perform()  # Keep it
    until(lambda: focused(window) == "CANVAS")
    chord()
    press.send_keys(Keys.END).send_keys(Keys.ENTER).perform()
    window.find("#stop[open]")
    assert focused(window) == "stop-now"
    press.send_keys(Keys.ENTER).perform()
    until(lambda: state(window) == "over")
    assert focused(window) == "mine"
    site.gone(desktop.id)


def test_a_phone_and_the_novnc_of_the_other_debian(window: Browser, install: Install) -> None:
    site = install(dir_novnc=os.environ["REMOTE_DESKTOP_TEST_NOVNC"])
    desktop = site.person().create(machine="tiny.iso", memory="128")
    window.emulate(390, 844, touch=True)
    try:
        sit_down(window, desktop)
        guest = Guest(site.run / desktop.id)
        width, height = shown_size(window)
        assert width <= 390 and height < 844, "a machine that cannot follow is shown small"
        tool(window, "#type")
        assert focused(window) == "typed"
        for text in ("echo Phone ", "> /run/typef", Keys.BACKSPACE, "d", Keys.ENTER):
            window.driver.switch_to.active_element.send_keys(text)
        guest.wait("grep Phone /run/typed")
        window.picture("phone")
        tool(window, "#type")
        site.person("root").post("monitor", {"action": "message", "session": desktop.id,
                                             "text": "Seen on phones."})
        until(lambda: "Seen on phones." in words(window, "#notices"))
        window.driver.refresh()
        window.screen()
        guest.say("poweroff")
        until(lambda: state(window) == "over", 30)
        assert "shut down inside" in window.find("#veil").text
        assert not [line for line in window.complaints() if "Content Security" in line]
    finally:
        window.emulate(1600, 900)
