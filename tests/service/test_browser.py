"""What a person sees: from the form to the guest's own pixels, in Chromium."""

import time
from collections.abc import Iterator

import pytest
from selenium.webdriver.common.by import By
from service.chromium import Browser, browser
from service.guest import BOOT, Guest
from service.installation import Installation
from service.person import Desktop
from service.rfb import Viewer
from service.until import until

BLUE, YELLOW = (0x1d, 0x4e, 0x89), (0xf7, 0xc9, 0x48)


@pytest.fixture(scope="module")
def chromium(event: Installation) -> Iterator[Browser]:
    """One browser for the tests here; each signs out or in as it needs."""
    with browser() as found:
        yield found


@pytest.fixture
def page(chromium: Browser, site: Installation) -> Iterator[Browser]:
    """The same without cookies and with one empty tab."""
    yield chromium
    driver = chromium.driver
    for handle in driver.window_handles[1:]:
        driver.switch_to.window(handle)
        driver.close()
    driver.switch_to.window(driver.window_handles[0])
    driver.get("about:blank")
    driver.execute_cdp_cmd("Storage.clearDataForOrigin", {
        "origin": site.stranger().origin, "storageTypes": "all"})
    chromium.complaints()  # read out: they are told once


def form(page: Browser, site: Installation, path: str = "") -> None:
    page.open(f"{site.stranger().origin}/desktop/{path}")


def fill_in(page: Browser, site: Installation, machine: str, persistent: bool = True) -> None:
    """Fill in the form as ada, who has not signed in, but do not send it."""
    form(page, site)
    page.find(f"label:has(input[value='{machine}'])").click()
    page.fill("#user", "ada")
    page.fill("#password", site.goods.passwords["ada"])
    if persistent:
        page.tick("#persistent")


def send(page: Browser) -> None:
    """Accept the terms and press the button; wait for the answer."""
    assert not page.find("#start").is_enabled(), "the terms are not accepted yet"
    page.tick("#terms")
    until(lambda: page.find("#start").is_enabled())
    page.find("#start").click()
    page.find("a.button[href*='view.html']", 60)


def same_picture(page: Browser, viewer: Viewer) -> bool:
    """Compare the browser's picture with QEMU's, at places all over the screen."""
    places = [(x, y) for x in range(3, viewer.width, 61) for y in range(3, viewer.height, 23)]
    shown = page.pixels(places)
    viewer.look()
    return shown == [viewer.pixel(x, y) for x, y in places]


def test_from_the_form_to_the_screen(page: Browser, site: Installation) -> None:
    site.configure(snapshot_lifetime=900)
    fill_in(page, site, "tiny.iso")
    send(page)
    session, = site.directories()
    desktop = Desktop(site.stranger(), {"session": session.name,
                                        "token": (session / "token").read_text()})
    text = page.find("main").text
    assert desktop.token and desktop.token in page.driver.page_source
    for word in ("Persistent", "Nothing is kept", "Keyboard", "Screen", "Everyone"):
        assert word.lower() in text.lower(), word
    until(lambda: page.run("return document.querySelector('[data-screen] canvas')?.width > 300"),
          30, "a picture of the screen")
    before = page.find("[role=timer]").text
    until(lambda: page.find("[role=timer]").text != before, 10, "the countdown")
    assert not page.complaints()
    page.new_tab(page.find("a.button[href*='view.html']"))
    until(lambda: page.screen() == (1280, 800), BOOT)
    viewer = desktop.view()
    viewer.wait(lambda seen: seen.pixel(8, 8) == BLUE, BOOT)
    until(lambda: page.pixels([(8, 8), (1271, 136)]) == [BLUE, BLUE])
    viewer.wait(lambda seen: seen.pixel(56, 24) == YELLOW)  # the letters come after their ground
    until(lambda: same_picture(page, viewer), 20, "the same picture")
    guest = Guest(session)
    page.focus()
    page.type('echo "Typed in Chromium: {~|<>@#}" > /run/typed\n')
    assert guest.wait("grep . /run/typed").output == "Typed in Chromium: {~|<>@#}"
    assert "Typed in Chromium" in str(guest.run("report").output)
    page.driver.refresh()
    until(lambda: page.screen() == (1280, 800))
    until(lambda: page.pixels([(8, 8)]) == [BLUE])
    guest.say("poweroff")
    site.gone(session.name, 30)
    assert not [line for line in page.complaints()
                if "Content Security" in line or "Refused" in line]


def test_address_and_token_in_a_browser_that_never_signed_in(page: Browser,
                                                             site: Installation) -> None:
    fill_in(page, site, "empty.raw")
    send(page)
    session, = site.directories()
    token = (session / "token").read_text()
    address = page.driver.find_element(By.ID, "address").get_attribute("value") or \
        page.driver.find_element(By.ID, "address").text
    assert address.startswith(f"{site.stranger().origin}/") and token not in address
    with browser(900, 700) as other:
        other.open(address)
        other.fill("#token", token)
        other.find("#enter").click()
        assert other.screen()[0] > 300
        until(lambda: site.record(session.name)["viewers"] == 1)
        other.driver.refresh()
        other.find("#token")


def test_without_tokens_the_address_is_enough(page: Browser, site: Installation) -> None:
    site.configure(service_use_vnc_token=0)
    desktop = site.person().create()
    page.open(f"{site.stranger().origin}/desktop/")
    page.open(desktop.facts["url"])
    assert page.screen()[0] > 300
    fill_in(page, site, "empty.raw")
    send(page)
    address = page.driver.find_element(By.ID, "address")
    page.open(address.get_attribute("value") or address.text)
    assert page.screen()[0] > 300


def test_a_single_shot_survives_a_reload_in_the_browser(page: Browser,
                                                        site: Installation) -> None:
    site.configure(disconnect_grace=5)
    fill_in(page, site, "empty.raw", persistent=False)
    send(page)
    session, = site.directories()
    page.new_tab(page.find("a.button[href*='view.html']"))
    page.screen()
    for _ in range(2):
        page.driver.refresh()
        page.screen()
    page.driver.close()
    page.driver.switch_to.window(page.driver.window_handles[0])
    closed = time.monotonic()
    site.gone(session.name, 20)
    assert time.monotonic() - closed > 3
    until(lambda: "over" in page.find("main").text, 30)


def test_a_viewer_comes_back_by_itself_when_apache_does(page: Browser,
                                                        site: Installation) -> None:
    fill_in(page, site, "empty.raw", persistent=False)
    send(page)
    session, = site.directories()
    page.new_tab(page.find("a.button[href*='view.html']"))
    size = page.screen()
    until(lambda: site.record(session.name)["viewers"] == 1)
    site.server.stop()
    until(lambda: site.record(session.name)["viewers"] == 0)
    site.server.start()
    until(lambda: site.record(session.name)["viewers"] == 1, 30, "the viewer")
    assert page.screen() == size


def test_a_double_click_and_a_reload_are_one_session(page: Browser, site: Installation) -> None:
    fill_in(page, site, "empty.raw")
    page.tick("#terms")
    page.run("const button = document.querySelector('#start'); button.click(); button.click(); "
             "button.form.submit()")
    page.find("a.button[href*='view.html']", 60)
    session, = site.directories()
    page.driver.refresh()  # sends the form again
    page.find("a.button[href*='view.html']", 60)
    assert site.directories() == [session]
    form(page, site)
    page.find("label:has(input[value='empty.raw'])").click()
    page.tick("#terms")
    until(lambda: page.find("#start").is_enabled())
    page.find("#start").click()
    until(lambda: len(site.directories()) == 2, 30, "a freshly opened form starts another")


def test_stop_on_the_page_ends_it(page: Browser, site: Installation) -> None:
    fill_in(page, site, "empty.raw")
    send(page)
    session, = site.directories()
    page.find("details.confirm summary").click()
    page.find("details.confirm button").click()
    site.gone(session.name)
    until(lambda: "monitor" in page.driver.current_url)


UNNAMED = """
return [...document.querySelectorAll("input:not([type=hidden]), select, button, a")]
  .filter((one) => one.checkVisibility() && !one.closest("[aria-hidden=true]")
    && !one.labels?.length && !one.ariaLabel && !one.textContent.trim() && !one.title)
  .map((one) => one.outerHTML)"""


def test_pages_fit_a_phone_and_are_named(page: Browser, site: Installation) -> None:
    fill_in(page, site, "empty.raw")
    send(page)
    session, = site.directories()
    page.driver.set_window_size(500, 900)  # Chromium's least; narrower by emulation
    page.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {
        "width": 320, "height": 640, "deviceScaleFactor": 1, "mobile": True})
    try:
        for path in ("", "monitor", f"monitor?session={session.name}", "monitor?session=x"):
            form(page, site, path)
            page.find("h1")
            assert page.run("return document.documentElement.scrollWidth") <= 320, path
            assert page.run("return document.documentElement.lang") and page.driver.title
            unnamed = page.run(UNNAMED)
            assert not unnamed, f"{path} {unnamed}"
    finally:
        page.driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
        page.driver.set_window_size(1400, 1000)


def test_a_full_server_is_said_before_and_the_button_is_off(page: Browser,
                                                            site: Installation) -> None:
    site.configure(service_max_instance_nb=1)
    site.person("bob").create()
    form(page, site)
    until(lambda: "1" in page.find("#free").text)
    page.tick("#terms")
    assert not page.find("#start").is_enabled()


def test_cards_keep_up_with_their_machines(page: Browser, site: Installation) -> None:
    desktop = site.person().create()
    form(page, site, "monitor")
    page.fill("#user", "ada")
    page.fill("#password", site.goods.passwords["ada"])
    page.find("button.big").click()
    card = page.find(f"[data-machine='{desktop.id}']")
    until(lambda: page.run("return document.querySelector('[data-picture] canvas')?.width > 300"),
          30, "a picture of the screen")
    until(lambda: page.run("return document.querySelectorAll('.use polyline').length") == 2, 30,
          "graphs of what it uses")
    viewer = desktop.view()
    until(lambda: "1 viewer" in card.text, 30, "the viewer in words")
    assert desktop.token not in card.text
    page.find("details:has(.token) summary").click()
    assert desktop.token in card.text
    viewer.leave()
    desktop.stop()
    until(lambda: "over" in card.text, 30, "the end in words")
    assert not card.find_elements(By.CSS_SELECTOR, "button, a.button")
    assert not [line for line in page.complaints() if "401" not in line and "404" not in line]
