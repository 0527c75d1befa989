"""What every page must be in every look: narrow and wide, light and dark, and for the keyboard."""

from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.keys import Keys
from service.chromium import Browser

LOOKS = [(360, 740, False), (360, 740, True), (1600, 900, False), (1600, 900, True)]
MOST = 20_000  # pixels: the height of a picture
OUTSIDE = """
return [...document.querySelectorAll("main *, header *, footer *, dialog[open] *")]
  .filter((one) => one.checkVisibility({ visibilityProperty: true })
    && !one.closest(".hidden, .skip, canvas, svg, [aria-hidden=true]"))
  .filter((one) => { const box = one.getBoundingClientRect();
    return box.width && (box.right > innerWidth + 1 || box.left < -1); })
  .map((one) => one.outerHTML.slice(0, 200))
"""
# What is longer than its box, and not to be seen beyond it. Fields scroll.
CLIPPED = """
const words = (one) => [...one.childNodes].some((part) => part.nodeType === 3 && part.data.trim());
return [...document.querySelectorAll("body *:not(input, textarea, select, option, title)")]
  .filter((one) => words(one) && one.checkVisibility({ visibilityProperty: true })
    && !one.closest(".hidden, svg, noscript, template"))
  .filter((one) => {
    for (let room = one; room && room !== document.body; room = room.parentElement) {
      const style = getComputedStyle(room);
      if (style.overflowX === "visible") continue;
      const [box, text] = [room.getBoundingClientRect(), one.getBoundingClientRect()];
      return text.right > box.right + 1 || text.bottom > box.bottom + 1
        || room.scrollWidth > room.clientWidth + 1; }
    return one.scrollWidth > one.clientWidth + 1 && getComputedStyle(one).display !== "inline"; })
  .map((one) => one.outerHTML.slice(0, 200))
"""
# What Tab should lead to: of radio buttons the chosen one, else any.
STOPS = """
const stops = [...document.querySelectorAll(
    "a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex]")]
  .filter((one) => one.checkVisibility({ visibilityProperty: true }) && !one.disabled
    && one.tabIndex >= 0)
  .filter((one) => one.type !== "radio" || one.checked);
const here = document.activeElement;
const name = (one) => one.outerHTML.slice(0, 160);
if (!here || here === document.body || here === document.documentElement) {
  return [null, stops.map(name), []];
}
const whole = here.closest("label.choice") ?? here;
const { outlineStyle, outlineWidth } = getComputedStyle(whole);
const box = here.getBoundingClientRect();
const x = Math.min(box.left + box.width / 2, innerWidth - 1);
const hit = document.elementFromPoint(x, box.top + box.height / 2);
const wrong = [];
if (outlineStyle === "none" || parseFloat(outlineWidth) < 2) wrong.push("is not marked");
if (!hit || !(whole.contains(hit) || hit.contains(here) || here.labels?.[0]?.contains(hit))) {
  wrong.push("is out of sight");
}
return [name(here), stops.map(name), wrong];
"""


def troubles(page: Browser, name: str) -> list[str]:
    """Return what somebody would have trouble with on this page, in any look; keep pictures."""
    found = []
    for width, height, dark in LOOKS:
        look = f"{width} {'dark' if dark else 'light'}"
        page.emulate(width, height, dark=dark, touch=width < 500)
        if page.run("return document.documentElement.scrollWidth > innerWidth"):
            found.append(f"{look}: it scrolls sideways")
        found += [f"{look}: outside: {one}" for one in page.run(OUTSIDE)]
        found += [f"{look}: clipped: {one}" for one in page.run(CLIPPED)]
        found += [f"{look}: {one}" for one in page.violations()]
        if dark == (width > 500):
            found += [f"{look}: keyboard: {one}" for one in walk(page)]
        tall = page.run("return document.documentElement.scrollHeight")
        page.emulate(width, min(max(tall, height), MOST), dark=dark, touch=width < 500)
        page.picture(f"{name}-{width}-{'dark' if dark else 'light'}")
    return found


def walk(page: Browser) -> list[str]:
    """Go through the page with Tab, from its start to its end; return what is wrong on the way."""
    page.run("document.activeElement?.blur(); getSelection().removeAllRanges(); scrollTo(0, 0);"
             "document.body.tabIndex = -1; document.body.focus();"
             "document.body.removeAttribute('tabindex')")
    seen: dict[str, list[str]] = {}
    stops: list[str] = []
    for _ in range(400):
        ActionChains(page.driver, duration=0).send_keys(Keys.TAB).perform()
        here, stops, wrong = page.run(STOPS)
        if here is None:
            break
        if seen.get(here) is not None and here == next(iter(seen)):
            break
        seen[here] = wrong
    else:
        return [f"Tab never leaves the page: {here}"]
    return [f"{one} is never reached" for one in stops if one not in seen] + [
        f"{one} {words}" for one, wrong in seen.items() for words in wrong]
