"""The administrator's table in Chromium: sorting, finding, ticking, and what buttons do."""

from collections.abc import Iterator

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement
from service.chromium import Browser
from service.installation import Installation
from service.person import Desktop
from service.until import until

ROWS = "[data-table] tbody tr"
PATIENCE = 30  # seconds for the page to look again


@pytest.fixture
def desktops(site: Installation) -> dict[str, Desktop]:
    """Two desktops of ada and bob."""
    return {name: site.person(name).create(persistent="1" if name == "ada" else "0")
            for name in ("bob", "ada")}


@pytest.fixture
def page(window: Browser, site: Installation, desktops: dict[str, Desktop]) -> Iterator[Browser]:
    """The administrator's page."""
    window.sign_in(site.person("root"))
    window.open(f"{site.stranger().origin}/desktop/monitor")
    assert users(window) == ["bob", "ada"]
    yield window
    window.driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})
    assert not window.complaints()


def users(page: Browser) -> list[str]:
    """Return whose sessions are shown, in the order of the page."""
    page.find("[data-table]")
    return [str(cell) for cell in page.run(
        f"return [...document.querySelectorAll('{ROWS} [data-label=User]')]"
        ".map((cell) => cell.textContent)")]


def box(page: Browser, desktop: Desktop) -> WebElement:
    return page.find(f"[data-table] input[value='{desktop.id}']")


def head(page: Browser, title: str) -> WebElement:
    return page.find(f"//thead//button[normalize-space()='{title}']")


def sorted_by(page: Browser) -> dict[str, str]:
    return {cell.text.strip(" ▲▼"): str(cell.get_attribute("aria-sort"))
            for cell in page.driver.find_elements(By.CSS_SELECTOR, "th[aria-sort]")}


def button(page: Browser, action: str) -> WebElement:
    return page.driver.find_element(By.CSS_SELECTOR, f"#selected button[value={action}]")


def stop_selected(page: Browser) -> None:
    page.find("//summary[.='Stop']/ancestor::form[@id='selected']//summary[.='Stop']").click()
    page.find("#selected button[value=stop]").click()


def test_every_column_sorts_both_ways(page: Browser) -> None:
    titles = [one.text.strip() for one in page.driver.find_elements(
        By.CSS_SELECTOR, "thead button")]
    assert titles == ["Start", "Name", "Machine", "User", "From", "CPU", "Memory", "Disk grown",
                      "GPU", "Mode", "Viewers", "State", "Processes", "Ends"]
    assert sorted_by(page) == {"Start": "ascending"}
    for title in [*titles[1:], "Start"]:
        for order in ("ascending", "descending"):
            head(page, title).click()
            until(lambda: sorted_by(page) == {title: order}, what=f"{title} {order}")
    assert users(page) == ["ada", "bob"]  # the latest first
    head(page, "User").send_keys(Keys.ENTER)
    until(lambda: sorted_by(page) == {"User": "ascending"})
    assert page.driver.switch_to.active_element == head(page, "User")
    page.driver.switch_to.active_element.send_keys(Keys.SPACE)
    until(lambda: users(page) == ["bob", "ada"])
    assert page.driver.current_url.endswith("monitor?sort=-user")
    page.driver.refresh()
    assert users(page) == ["bob", "ada"] and sorted_by(page) == {"User": "descending"}


def test_words_and_states_find(page: Browser, desktops: dict[str, Desktop]) -> None:
    box(page, desktops["ada"]).click()
    page.fill("#words", "single-shot")
    until(lambda: users(page) == ["bob"])
    assert "None selected" in page.find("#selected").text
    assert "1 of 2" in page.find("#find").text
    page.find("#words").send_keys(" nothing")
    until(lambda: not users(page))
    page.find("#words").send_keys(Keys.CONTROL, "a", Keys.BACKSPACE)
    until(lambda: users(page) == ["bob", "ada"])
    page.find("#state option:nth-child(5)").click()
    until(lambda: not users(page))
    assert page.driver.current_url.endswith("monitor?state=paused")


def test_ticks_stay_while_the_page_keeps_up(page: Browser, site: Installation,
                                            desktops: dict[str, Desktop]) -> None:
    assert not button(page, "extend").is_enabled()
    box(page, desktops["ada"]).click()
    assert "1 selected" in page.find("#selected").text and button(page, "extend").is_enabled()
    viewer = desktops["ada"].view()
    third = site.person("ada").create()
    until(lambda: len(users(page)) == 3, PATIENCE, "the third")
    row = f"//tr[@data-session='{desktops['ada'].id}']"
    until(lambda: page.find(f"{row}//td[@data-label='Viewers']").text == "1", PATIENCE)
    assert box(page, desktops["ada"]).is_selected() and not box(page, third).is_selected()
    viewer.leave()
    desktops["bob"].stop()
    until(lambda: users(page) == ["ada", "ada"], PATIENCE, "the end of one")
    assert "1 selected" in page.find("#selected").text
    page.find("#all").click()
    assert "2 selected" in page.find("#selected").text and box(page, third).is_selected()
    page.find("#all").click()
    assert "None selected" in page.find("#selected").text


def test_what_buttons_do_to_the_selected(page: Browser, site: Installation,
                                         desktops: dict[str, Desktop]) -> None:
    page.find("#all").click()
    page.find("#selected .tell summary").click()
    page.find("#text").send_keys("New disks at six.", Keys.ENTER)
    until(lambda: "2 told." in page.find("#selected").text)
    before = {one.id: site.record(one.id) for one in desktops.values()}
    assert {one["message"] for one in before.values()} == {"New disks at six."}
    button(page, "extend").click()
    until(lambda: "2 extended." in page.find("#selected").text)
    assert {site.record(one)["deadline"] - facts["deadline"]
            for one, facts in before.items()} == {3600}
    third = site.person("ada").create()
    until(lambda: len(users(page)) == 3, PATIENCE)
    desktops["bob"].stop()  # while it is ticked on the open page
    stop_selected(page)
    until(lambda: "1 stopped." in page.find("[data-said]").text, 20)
    assert "no such session" in page.find("[data-said]").text
    until(lambda: users(page) == ["ada"])
    assert [path.name for path in site.directories()] == [third.id]
    page.find("#all").click()
    stop_selected(page)
    page.find("//p[.='No machine is running.']")
    assert not list(site.leftovers())


def test_without_scripts(page: Browser, site: Installation,
                         desktops: dict[str, Desktop]) -> None:
    page.driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    page.driver.get(f"{site.stranger().origin}/desktop/monitor?find=a")
    head(page, "User").click()
    until(lambda: "sort=user" in page.driver.current_url and "find=a" in page.driver.current_url)
    assert [row.get_attribute("data-session") for row in page.driver.find_elements(
        By.CSS_SELECTOR, ROWS)] == [desktops["ada"].id, desktops["bob"].id]
    box(page, desktops["bob"]).click()
    stop_selected(page)
    until(lambda: [path.name for path in site.directories()] == [desktops["ada"].id])
    until(lambda: page.driver.current_url.endswith("/monitor"))


def test_ones_own_page_shows_what_was_started_elsewhere(window: Browser,
                                                        site: Installation) -> None:
    window.sign_in(site.person("ada"))
    window.open(f"{site.stranger().origin}/desktop/monitor")
    window.find(".empty")
    for count in (1, 2):
        site.person("ada").create()
        until(lambda: len(window.driver.find_elements(
            By.CSS_SELECTOR, "[data-machine]")) == count, PATIENCE, f"{count} cards")
    assert not window.driver.find_elements(By.CSS_SELECTOR, "[data-table]")


def test_the_machine_list_ends_with_the_administration(page: Browser,
                                                       site: Installation) -> None:
    page.open(f"{site.stranger().origin}/desktop/")
    titles = until(lambda: [one.text for one in page.driver.find_elements(
        By.CSS_SELECTOR, "#cards strong")])
    assert titles[-2:] == ["[ADMIN] monitor", "[ADMIN] purge"]
    page.find("//strong[.='[ADMIN] purge']").click()
    page.find("#confirm").send_keys("purge")
    page.find("//button[.='Stop all and remove']").click()
    until(lambda: not list(site.leftovers()), 20, "the end of all")
