"""A stage, where pages are brought into their states before somebody looks at them; scenes."""

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field

from service.chromium import Browser
from service.frost import Frost
from service.installation import USER, Installation

from desktop.session.record import new_id

LONG = "a-machine-with-quite-a-long-name-for-the-course-of-next-spring.qcow2"


@dataclass
class Stage:
    """Where a scene plays."""

    site: Installation
    page: Browser
    frost: Frost
    made: list[str] = field(default_factory=list)

    def go(self, path: str = "", who: str = "") -> None:
        """Open a page, as somebody or as a stranger."""
        person = self.site.person(who) if who else self.site.stranger()
        if who:
            self.page.sign_in(person)
        self.page.open(f"{person.origin}/desktop/{path}")

    def form(self, who: str = "") -> None:
        """Open the form, and wait until it is filled."""
        self.go("", who)
        self.page.find("#cards label")

    def send(self, path: str, **fields: str) -> None:
        """Send a form that stands on no page of ours."""
        self.page.run("""const form = document.createElement("form");
            Object.assign(form, { method: "post", action: arguments[0] });
            for (const [name, value] of Object.entries(arguments[1])) {
              const input = document.createElement("input");
              Object.assign(input, { name, value, type: "hidden" });
              form.append(input);
            }
            document.body.append(form); form.submit()""", path, fields)

    def crowd(self, count: int) -> None:
        """Have sessions on another host: nobody here may judge them."""
        model = self.site.record(self.site.person("bob").create().id)
        for n in range(count):
            session = new_id()
            place = self.site.run / session
            place.mkdir(mode=0o700)
            (place / "session.json").write_text(json.dumps({
                **model, "session": session, "host": "elsewhere", "launcher": "another",
                "owner": ["bob", "someone.with.a.long.name@students.university.example"][n % 2],
                "machine": ["tiny.iso", LONG][n % 2], "viewers": n % 4, "name": f"tiny-{n:04}",
                "state": ["running", "paused", "parked", "starting"][n % 4],
                "reason": ["", "the disk of the server is full"][n % 4 == 1]}))
            for path in (place, place / "session.json"):
                shutil.chown(path, USER, USER)
            self.made.append(session)


Scene = Callable[[Stage], None]
SCENES: list[Scene] = []


def scene(play: Scene) -> Scene:
    """Have a scene played by the test of all pages."""
    SCENES.append(play)
    return play
