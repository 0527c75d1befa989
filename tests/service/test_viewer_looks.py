"""The viewer as it looks: on a phone and a wide screen, in light and dark, for everybody."""

import pytest
from service.chromium import Browser
from service.installation import Installation
from service.until import until


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize(("width", "height"), [(360, 740), (1600, 900)])
def test_everything_fits_and_can_be_used_by_all(window: Browser, site: Installation,
                                                width: int, height: int, dark: bool) -> None:
    site.configure(warn_before_end=7000)
    page, desktop = window, site.person().create(lifetime="6900")
    page.emulate(width, height, dark=dark, touch=width < 500)
    name = f"viewer {width} {'dark' if dark else 'light'}"

    def good(what: str) -> None:
        page.picture(f"{name} {what}")
        assert page.run("return document.documentElement.scrollWidth") <= width, what
        outside = page.run("""return [...document.querySelectorAll("button, a, input, dialog")]
            .filter((one) => one.checkVisibility({ visibilityProperty: true }))
            .filter((one) => one.getBoundingClientRect().right > innerWidth + 1
              || one.getBoundingClientRect().left < -1).map((one) => one.outerHTML)""")
        assert not outside, what
        assert not page.violations(), what

    page.sign_in(site.person())
    page.open(desktop.facts["url"].replace(f"password={desktop.token}", "wait=1"))
    page.find("#connect")
    good("waiting")
    page.find("#connect").click()
    page.find("#token")
    good("asking")
    page.fill("#token", str(desktop.token))
    page.find("#enter").click()
    page.screen()
    until(lambda: not page.run("return document.getElementById('open-stop').hidden"))
    site.person("root").post("monitor", {
        "action": "message", "session": desktop.id,
        "text": "The server is restarted at six. Please save your work before."})
    until(lambda: page.run("return document.querySelectorAll('#notices .laid').length") == 2)
    page.bring_bar()
    good("notices")
    for tool in ("keys", "clipboard", "fit", "help", "stop"):
        page.bring_bar()
        page.find(f"#open-{tool}").click()
        page.find(f"#{tool}[open]")
        good(tool)
        page.run("document.getElementById(arguments[0]).close()", tool)
    page.run("document.querySelectorAll('#notices [data-fill=close]').forEach(one => one.click())")
    page.focus()
    until(lambda: page.run("return document.body.dataset.bar") == "hidden", 20, "it hides itself")
    good("bar hidden")
    desktop.stop()
    until(lambda: page.run("return document.body.dataset.state") == "over")
    good("over")
