"""The viewer in Chromium: its size, the full screen, the address to share, the time, the end."""

from service.chromium import Browser
from service.guest import BOOT, Guest
from service.installation import Installation
from service.until import until
from service.viewer import shown_size, sit_down, state, tool, words


def test_every_other_tool(window: Browser, site: Installation) -> None:
    desktop = site.person().create(machine="tiny.iso", memory="128", lifetime="7200")
    window.emulate(1600, 1000)
    sit_down(window, desktop)
    guest = Guest(site.run / desktop.id)
    width, height = window.screen()
    assert shown_size(window) == [width, height]
    tool(window, "#open-fit")
    window.find("#fit-scale").click()
    until(lambda: max(shown_size(window)[0] - width, shown_size(window)[1] - height) > 30)
    window.find("#fit-keep").click()
    until(lambda: shown_size(window)[0] <= width)
    window.find("#drag").click()
    window.find("#fit-follow").click()
    until(lambda: shown_size(window) == [width, height])
    window.find("#fit form button").click()

    tool(window, "#full")
    until(lambda: window.run("return Boolean(document.fullscreenElement)"))
    tool(window, "#full[aria-pressed=true]")
    until(lambda: not window.run("return Boolean(document.fullscreenElement)"))

    window.driver.execute_cdp_cmd("Browser.grantPermissions", {
        "permissions": ["clipboardReadWrite", "clipboardSanitizedWrite"]})
    tool(window, "#share")
    until(lambda: "copied" in words(window, "#notices"))
    address = window.driver.execute_async_script(
        "const done = arguments[0]; navigator.clipboard.readText().then(done)")
    assert desktop.token and desktop.id in address and desktop.token not in address

    tool(window, "#open-help")
    assert "Ctrl" in window.find("#help").text
    window.find("#help form button").click()
    before = site.record(desktop.id)["deadline"]
    tool(window, "#extend")
    until(lambda: "1 h more" in words(window, "#notices"))
    assert site.record(desktop.id)["deadline"] == before + 3600

    tool(window, "#open-keys")
    window.find("//button[text()='Ctrl + Alt + Del']").click()
    guest.booted_again(BOOT)

    tool(window, "#open-stop")
    window.find("#stop button.quiet").click()
    assert state(window) == "connected" and site.record(desktop.id)["state"] == "running"
    tool(window, "#open-stop")
    window.find("#stop-now").click()
    until(lambda: state(window) == "over")
    assert "stopped" in window.find("#veil").text
    site.gone(desktop.id)
    window.find("#mine").click()
    until(lambda: window.driver.current_url.endswith("/desktop/monitor"))


def test_the_clipboard_is_given_and_taken(window: Browser, site: Installation) -> None:
    sit_down(window, site.person().create())
    window.driver.execute_cdp_cmd("Browser.grantPermissions", {
        "permissions": ["clipboardReadWrite", "clipboardSanitizedWrite"]})
    tool(window, "#open-clipboard")
    window.fill("#clip", "a few words")
    window.find("#clip-send").click()
    until(lambda: "The machine has it" in window.find("#clip-said").text)
    window.find("#clip-take").click()
    until(lambda: window.find("#clip-said").text == "Copied.")
    assert window.driver.execute_async_script(
        "navigator.clipboard.readText().then(arguments[0])") == "a few words"
    window.find("#clipboard form button").click()
