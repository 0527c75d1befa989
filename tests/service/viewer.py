"""The viewer in Chromium: opening it, its tools, and what it says."""

from service.chromium import CANVAS, Browser
from service.person import Desktop
from service.until import until


def sit_down(page: Browser, desktop: Desktop) -> None:
    """Open a desktop as its owner does."""
    page.sign_in(desktop.person)
    page.open(desktop.facts["url"])
    page.screen()
    until(lambda: not page.run("return document.getElementById('open-stop').hidden"))


def tool(page: Browser, selector: str) -> None:
    """Press a button of the bar, which may have gone away meanwhile."""
    page.bring_bar()
    page.find(selector).click()


def state(page: Browser) -> str:
    """Return what the connection is doing."""
    return str(page.run("return document.body.dataset.state"))


def words(page: Browser, selector: str) -> str:
    """Return the text that is shown in an element."""
    return str(page.run("return document.querySelector(arguments[0])?.innerText ?? ''", selector))


def focused(page: Browser) -> str:
    """Return the id of what has the keyboard, else its kind."""
    return str(page.run("const one = document.activeElement; return one.id || one.tagName"))


def shown_size(page: Browser) -> list[int]:
    """Return the size of the screen on the page."""
    return list(page.run(f"const box = {CANVAS}.getBoundingClientRect();"
                         "return [box.width, box.height]"))
