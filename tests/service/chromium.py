"""Chromium without a window, with a profile of its own, and what tests look at in it."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from selenium import webdriver
from selenium.common.exceptions import ElementClickInterceptedException
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement
from service.authority import PINS
from service.installation import short_directory
from service.person import Person
from service.rfb import KEYS
from service.until import until

FLAGS = ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
         "--disable-background-networking", "--disable-component-update", "--disable-sync",
         "--disable-dev-shm-usage", "--disable-extensions", "--mute-audio",
         "--no-default-browser-check", "--force-prefers-reduced-motion",
         "--disable-features=OptimizationHints,MediaRouter")
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
        """Wait for an element that is shown; one begins with // as an XPath."""
        by = By.XPATH if selector.startswith("//") else By.CSS_SELECTOR
        return until(lambda: next((found for found in self.driver.find_elements(by, selector)
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

    def forget(self) -> None:
        """Close all but one tab, which shows nothing; be somebody of whom nothing is known."""
        for handle in self.driver.window_handles[1:]:
            self.driver.switch_to.window(handle)
            self.driver.close()
        self.driver.switch_to.window(self.driver.window_handles[0])
        self.driver.execute_cdp_cmd("Network.clearBrowserCookies", {})
        self.driver.get("about:blank")
        self.emulate(1600, 900)
        self.complaints()  # read out: they are told once

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

    def bring_bar(self) -> None:
        """Bring the viewer's bar, by its handle, with the keyboard in it: so it stays."""
        def there() -> bool:
            if self.run("return document.body.dataset.bar === 'shown' && "
                        "Boolean(document.querySelector('#bar :focus'))"):
                return True
            with suppress(ElementClickInterceptedException):  # it went away just now
                self.find("#handle").click()
            return False
        until(there, 20, "the bar")

    # What it looks like

    def emulate(self, width: int, height: int, *, dark: bool = False, touch: bool = False) -> None:
        """Have the window of another device; a narrow one than Chromium's own least too."""
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {
            "width": width, "height": height, "deviceScaleFactor": 1, "mobile": touch})
        self.driver.execute_cdp_cmd("Emulation.setTouchEmulationEnabled", {
            "enabled": touch, **({"maxTouchPoints": 5} if touch else {})})
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [
            {"name": "prefers-color-scheme", "value": "dark" if dark else "light"},
            {"name": "prefers-reduced-motion", "value": "reduce"}]})

    def picture(self, name: str) -> None:
        """Keep a picture of the window, where tests/run says."""
        folder = os.environ.get("REMOTE_DESKTOP_TEST_PICTURES")
        if folder:
            Path(folder).mkdir(parents=True, exist_ok=True)
            self.driver.save_screenshot(f"{folder}/{name}.png")

    def violations(self) -> list[str]:
        """Return what axe-core finds hard to use for some people in what is shown now."""
        source = Path(os.environ["REMOTE_DESKTOP_TEST_AXE"]).read_text(encoding="utf-8")
        self.run(source)
        found = self.driver.execute_async_script(
            "const done = arguments[0]; axe.run().then((all) => done(all.violations.map("
            "(one) => one.id + ': ' + one.nodes.map((node) => node.html).join(' '))))")
        return [str(one) for one in found]

    def sign_in(self, person: Person) -> None:
        """Have the cookies of somebody who has signed in."""
        self.open(f"{person.origin}/desktop/terms.html")
        for name, value in person.cookies.items():
            self.driver.add_cookie({"name": name, "value": value, "path": "/desktop"})

    def complaints(self) -> list[str]:
        """Return what stands in the console as an error: refused scripts, missing files."""
        return [str(entry["message"]) for entry in self.driver.get_log("browser")
                if entry["level"] == "SEVERE"]


@contextmanager
def browser(width: int = 1400, height: int = 1000) -> Iterator[Browser]:
    """Start Chromium with an empty profile; end it with all that it keeps.

    Besides the world's authorities it trusts the keys of the servers that the tests have by now.
    """
    directory = short_directory()
    options = webdriver.ChromeOptions()
    options.binary_location = "/usr/bin/chromium"
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    for flag in (*FLAGS, f"--user-data-dir={directory}/profile",
                 f"--window-size={width},{height}",
                 f"--ignore-certificate-errors-spki-list={','.join(PINS)}"):
        options.add_argument(flag)
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(directory), "TMPDIR": str(directory),
                   "LANG": "C.UTF-8", "XDG_RUNTIME_DIR": str(directory)}
    driver = webdriver.Chrome(options, Service("/usr/bin/chromedriver", env=environment))
    try:
        yield Browser(driver)
    finally:
        driver.quit()
        shutil.rmtree(directory, ignore_errors=True)
