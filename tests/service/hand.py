"""Somebody who uses pages with the keyboard alone, or with a mouse or finger alone."""

from selenium.common.exceptions import StaleElementReferenceException
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement
from service.chromium import Browser
from service.until import until

AGAIN = 5  # tries to press what the page renews
MOST = 150  # times Tab is pressed on the way to something
WORDS = """
const copy = arguments[0].cloneNode(true);
copy.querySelectorAll(".hidden").forEach((part) => part.remove());
return copy.textContent.replace(/\\s+/g, " ").trim()
"""


class Hand:
    """Presses things, and remembers the words on them."""

    def __init__(self, page: Browser, keyboard: bool) -> None:
        self.page = page
        self.keyboard = keyboard
        self.pressed: set[str] = set()

    def press(self, selector: str, key: str = Keys.ENTER) -> None:
        """Press a button or a link, or open what is folded; pages may renew it meanwhile."""
        for again in reversed(range(AGAIN)):
            try:
                return self.press_once(selector, key)
            except StaleElementReferenceException:
                if not again:
                    raise

    def press_once(self, selector: str, key: str) -> None:
        one = until(lambda: (found := self.page.find(selector)).is_enabled() and found,
                    20, selector)
        self.pressed.add(self.page.run(WORDS, one))
        if self.keyboard:
            self.reach(one)
            self.send(key)
        else:
            one.click()

    def leave(self, selector: str, key: str = Keys.ENTER) -> None:
        """Press what leads to another page, and wait for that."""
        self.page.run("document.old = true")
        self.press(selector, key)
        until(lambda: self.page.run("return !document.old && document.readyState === 'complete'"),
              30, f"the page after {selector}")

    def tick(self, selector: str) -> None:
        """Tick a box, unless it is: the form remembers what was chosen before."""
        one = self.page.find(selector)
        if one.is_selected():
            return
        if self.keyboard:
            self.reach(one)
            self.send(Keys.SPACE)
        else:
            one.click()
        assert one.is_selected()

    def choose(self, selector: str) -> None:
        """Choose one of several radio buttons, or of a list."""
        one = self.page.find(selector)
        if not self.keyboard:
            return one.click()
        first = self.page.run("""const one = arguments[0];
            return one.closest("select")
              ?? document.querySelector(`[name="${one.name}"]:checked`)""", one)
        self.reach(first)
        if first.tag_name == "select":
            self.send(Keys.HOME)
        for _ in range(20):
            if one.is_selected():
                return None
            self.send(Keys.ARROW_DOWN)
        raise AssertionError(f"{selector} is not chosen by arrows")

    def type(self, selector: str, text: str) -> None:
        """Fill in a field."""
        one = self.page.find(selector)
        if self.keyboard:
            self.reach(one)
        else:
            one.click()
        ActionChains(self.page.driver, duration=0).key_down(Keys.CONTROL).send_keys("a").key_up(
            Keys.CONTROL).send_keys(text).perform()

    def reach(self, one: WebElement) -> None:
        """Press Tab until something has the focus."""
        for _ in range(MOST):
            if self.page.run("return document.activeElement === arguments[0]", one):
                return
            self.send(Keys.TAB)
        raise AssertionError(f"Tab does not lead to {one.get_attribute('outerHTML')}")

    def send(self, keys: str) -> None:
        ActionChains(self.page.driver, duration=0).send_keys(keys).perform()
