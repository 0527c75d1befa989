"""A request being answered, and who sends it."""

from collections.abc import Callable, Mapping
from typing import Any

from desktop.errors import Refusal
from desktop.settings import Settings
from desktop.web import gateway, login, page, ticket
from desktop.web.login import Person
from desktop.web.page import Answer, Frame
from desktop.web.request import Request


class Visit:
    """A request being answered, and who sends it, once that is asked."""

    def __init__(self, request: Request, settings: Settings) -> None:
        self.request = request
        self.settings = settings
        self.place = gateway.place(request, settings)
        self.person: Person | None = None

    def who(self) -> Person | None:
        """Return who sends the request, None for a stranger; see login.who."""
        self.person = login.who(self.request, self.settings)
        return self.person

    def must(self) -> Person:
        """Return who sends the request; raise Refusal (401) for a stranger."""
        person = self.person or self.who()
        if not person:
            raise Refusal("Please say who you are.", 401, "Enter your name and your password.")
        return person

    def show(self, status: int, told: Mapping[str, Any], template: str, title: str, /, *,
             refresh: int | None = None, **facts: Any) -> Answer:
        """Return a page made of `facts`; a program gets what is `told` as JSON instead."""
        if self.request.json:
            return page.data(status, told)
        return page.html(status, self.frame, template, title, refresh=refresh, **facts)

    def meant(self, action: str, about: str = "") -> None:
        """Raise Unmeant unless the person sent this form themselves; see ticket.check."""
        ticket.check(self.settings, self.must(), action, about,
                     self.request.fields.get("ticket", ""))

    @property
    def ticket(self) -> Callable[..., str]:
        """Return what makes tickets for this person; for a stranger they are empty."""
        return ticket.maker(self.settings, self.person) if self.person else page.no_ticket

    def tickets(self, *actions: str) -> dict[str, str]:
        """Return the tickets of actions that are about nothing in particular."""
        return {action: self.ticket(action) for action in actions}

    @property
    def notices(self) -> list[str]:
        """Return what every page of this visit says."""
        return page.notices(self.settings) + gateway.notices(self.request, self.settings)

    @property
    def frame(self) -> Frame:
        """Return what stands around every page of this visit."""
        someone = self.person
        return Frame({"name": someone.name, "admin": someone.admin,
                      "sign_out": login.elsewhere(self.settings, someone)} if someone else None,
                     self.notices, cache=self.settings.dir_state / "pages",
                     ticket=self.ticket)
