"""Chromium without a window, with a profile of its own, and what tests look at in it."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement
from service.installation import short_directory
from service.rfb import KEYS
from service.until import until

FLAGS = ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
         "--disable-background-networking", "--disable-component-update", "--disable-sync",
         "--disable-dev-shm-usage", "--disable-extensions", "--mute-audio",
         "--no-default-browser-check", "--disable-features=OptimizationHints,MediaRouter")
PLAIN = {code: character for character, (code, shifted) in KEYS.items() if not shifted}
CANVAS = "document.querySelector('#screen canvas')"
POINTS = f"""
const canvas = {CANVAS}, context = canvas.getContext("2d");
return arguments[0].map(([x, y]) => Array.from(context.getImageData(x, y, 1, 1).data.slice(0, 3)));
"""


class Browser:
    """One browser of one person."""

    def __init__(self, driver: webdriver.Chrome) -> None:
        self.driver = driver

    def open(self, address: str) -> None:
        """Open an address in this tab."""
        self.driver.get(address)

    def find(self, selector: str, timeout: float = 20) -> WebElement:
        """Wait for an element that is shown."""
        return until(lambda: next((found for found in
                                   self.driver.find_elements(By.CSS_SELECTOR, selector)
                                   if found.is_displayed()), None), timeout, selector)

    def run(self, script: str, *values: Any) -> Any:
        """Run JavaScript in the page; return what it returns."""
        return self.driver.execute_script(script, *values)

    def fill(self, selector: str, text: str) -> None:
        """Type into a field."""
        field = self.find(selector)
        field.clear()
        field.send_keys(text)

    def tick(self, selector: str) -> None:
        """Tick a box, as people do: on its label or itself."""
        box = self.find(selector)
        if not box.is_selected():
            box.click()

    def new_tab(self, link: WebElement) -> None:
        """Follow a link that opens a tab, and go there."""
        known = set(self.driver.window_handles)
        link.click()
        handle, = until(lambda: set(self.driver.window_handles) - known)
        self.driver.switch_to.window(handle)

    def type(self, text: str) -> None:
        """Press the keys of a text on a US keyboard, Shift too, on whatever has the focus."""
        for character in text:
            code, shifted = KEYS[character]
            key = Keys.ENTER if character == "\n" else PLAIN[code]
            press = ActionChains(self.driver, duration=0)
            if shifted:
                press.key_down(Keys.SHIFT)
            press.send_keys(key)
            if shifted:
                press.key_up(Keys.SHIFT)
            press.perform()

    # The screen

    def screen(self, timeout: float = 30) -> tuple[int, int]:
        """Wait until noVNC shows a screen; return its size in pixels of the guest."""
        size = until(lambda: self.run(
            f"const canvas = {CANVAS}; return canvas && canvas.width > 0 && "
            "document.body.dataset.state === 'connected' && "
            "[canvas.width, canvas.height]"), timeout, "noVNC's screen")
        return size[0], size[1]

    def pixels(self, places: list[tuple[int, int]]) -> list[tuple[int, int, int]]:
        """Return the colours at places of the screen."""
        return [tuple(colour) for colour in self.run(POINTS, [list(place) for place in places])]

    def focus(self) -> None:
        """Click on the screen, so that keys go there."""
        self.driver.find_element(By.CSS_SELECTOR, "#screen canvas").click()

    def complaints(self) -> list[str]:
        """Return what stands in the console as an error: refused scripts, missing files."""
        return [str(entry["message"]) for entry in self.driver.get_log("browser")
                if entry["level"] == "SEVERE"]


@contextmanager
def browser(width: int = 1400, height: int = 1000, pin: str = "") -> Iterator[Browser]:
    """Start Chromium with an empty profile; end it with all that it keeps.

    `pin` is the checksum of the one key that it trusts besides those of the world's authorities.
    """
    directory = short_directory()
    options = webdriver.ChromeOptions()
    options.binary_location = "/usr/bin/chromium"
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    for flag in (*FLAGS, f"--user-data-dir={directory}/profile",
                 f"--window-size={width},{height}",
                 *([f"--ignore-certificate-errors-spki-list={pin}"] if pin else [])):
        options.add_argument(flag)
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(directory), "TMPDIR": str(directory),
                   "LANG": "C.UTF-8", "XDG_RUNTIME_DIR": str(directory)}
    driver = webdriver.Chrome(options, Service("/usr/bin/chromedriver", env=environment))
    try:
        yield Browser(driver)
    finally:
        driver.quit()
        shutil.rmtree(directory, ignore_errors=True)
