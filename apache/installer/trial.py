"""The main job, once, as a browser does it: a form, a desktop whose screen answers, its end."""

import json
import re
import time
from base64 import b64encode
from hashlib import sha256
from urllib.parse import urlsplit

import people
import ports
from browser import Answer, Browser
from places import CONF, CREATE
from report import Problem, Result
from tls import Choice

BANNER = b"RFB 003.008\n"  # RFC 6143 7.1.1
PATIENCE = 120  # seconds to wait while the server is busy
LIFETIME = "300"  # seconds: should we be killed, the desktop ends by itself


def main_job(choice: Choice) -> Result:
    """Start a desktop through Apache, see its screen answer, stop it.

    Raises Problem when any of it fails; a server full of other people's work is no failure.
    """
    browser = visitor(choice)
    offer = browser.get("/desktop/create")
    if offer.status != 200:
        raise Problem(f"the form's facts are answered by {said(offer)}", hint())
    for path, what in (("", "the form"), ("view.html", "the viewer"),
                       ("novnc/core/rfb.js", "noVNC")):
        page = browser.get(f"/desktop/{path}")
        if page.status != 200:
            raise Problem(f"{what} is answered by {said(page)}", hint())
    blocked(browser.get("/desktop/novnc/vnc.html"))
    if not offer.json()["enter"]["user"]:
        return attempt(browser, offer, {})
    with people.visitor() as (name, password):
        return attempt(browser, offer, {"user": name, "password": password})


def by_hand() -> Result:
    """Start a desktop as the service does and stop it, without Apache: where we have no account.

    Raises Problem when any of it fails.
    """
    begun = time.monotonic()
    said = people.script(CREATE, "--json", f"--lifetime={LIFETIME}")
    ready = time.monotonic() - begun
    session = json.loads(said)
    people.admin(f"--session_stop={session['session']}")
    return Result(False, f"{session['machine']} started in {ready:.1f} s by hand, stopped; not "
                  "through Apache, where people sign in with what this program does not have")


def visitor(choice: Choice) -> Browser:
    """Return a browser that comes as people will: where there is TLS, not without it."""
    name = next((name for name in choice.names if "*" not in name), "")
    if not choice.port:
        place = ports.plain()
        return Browser(place.reach, place.port, name=name)
    alone = choice.site and all(host.tls for host in choice.hosts)
    for place in [one for one in ports.listens() if not one.tls and not alone][:1]:
        plain = Browser(place.reach, place.port, name=name)
        answer = plain.ask("GET", "/desktop/", {}, b"")
        if not answer.headers.get("location", "").startswith("https://"):
            raise Problem(f"without TLS the form is answered by {said(answer)}, not sent to TLS.",
                          f"Compare {CONF.path} with the .new beside it.")
    return Browser(ports.of(choice.port).reach, choice.port, tls=True, name=name)


def attempt(browser: Browser, offer: Answer, who: dict[str, str]) -> Result:
    """Send the form, again while the server is busy, and try the desktop."""
    form = {**who, "machine": choose(offer), "persistent": "1", "terms": "1",
            "lifetime": LIFETIME, "form": offer.json()["form"],
            "ticket": offer.json()["tickets"]["create"]}
    deadline = time.monotonic() + PATIENCE
    begun = time.monotonic()
    answer = browser.post("/desktop/create", form)
    while answer.status == 503 and "retry-after" in answer.headers:
        asked = answer.headers["retry-after"]
        pause = int(asked) if asked.isdigit() else 5
        if time.monotonic() + pause > deadline:
            return Result(False, "not tried: the server is busy",
                          f"when there is room, run apache/install again. It says: {said(answer)}")
        time.sleep(pause)
        begun = time.monotonic()
        answer = browser.post("/desktop/create", form)
    if answer.status != 201:
        raise Problem(f"a desktop is refused with {said(answer)}", hint())
    session = answer.json()
    ready = time.monotonic() - begun
    try:
        words = browser.first_words(urlsplit(session["websocket"]).path, len(BANNER))
        if words != BANNER:
            raise Problem(f"the screen begins with {words!r}, not with {BANNER!r}", hint())
    finally:
        stopped = browser.post("/desktop/monitor", {
            "action": "stop", "session": session["session"], "ticket": session["ticket"]})
    if stopped.status >= 400:
        raise Problem(f"stopping the desktop is refused with {said(stopped)}", hint())
    return Result(False, f"{session['machine']} started in {ready:.1f} s, its screen answered, "
                  "stopped")


def blocked(viewer: Answer) -> None:
    """Raise Problem when the page of noVNC is not there or browsers would not run its scripts."""
    if viewer.status != 200:
        raise Problem(f"noVNC is answered by {said(viewer)}", "See dir_novnc and its directory.")
    policy = viewer.headers.get("content-security-policy", "")
    for script in re.findall(rb"<script(?![^>]*\ssrc=)[^>]*>(.*?)</script>", viewer.body, re.S):
        checksum = "sha256-" + b64encode(sha256(script).digest()).decode()
        if checksum not in policy:
            raise Problem("noVNC's page has a script that its Content-Security-Policy forbids.",
                          f"Add '{checksum}' to the script-src of noVNC in {CONF.path}.")


def choose(offer: Answer) -> str:
    """Return the machine to try: tiny where it is on offer, else the service's own choice."""
    names = [machine["name"] for machine in offer.json()["machines"] if not machine["problem"]]
    for name in ("tiny.iso", offer.json()["default_machine"], *names):
        if name in names:
            return str(name)
    raise Problem("no machine is on offer.", "machines/build tiny --output=dir_machines")


def said(answer: Answer) -> str:
    """Return status and reason of a refusal, in one line."""
    try:
        facts = answer.json()
    except Problem:
        return f"status {answer.status}"
    return f"status {answer.status}: " + " ".join(
        str(facts[name]) for name in ("message", "hint") if facts.get(name))


def hint() -> str:
    """Say where the reason is."""
    return "See the end of /var/log/apache2/error.log."
