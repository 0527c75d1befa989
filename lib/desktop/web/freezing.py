"""Freezing machines on the page of the machines: what is frozen, how far one is, what to do.

For administrators alone; what they do is a line in the log.
"""

import logging
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from desktop.errors import Refusal
from desktop.freeze import draft, failure, shelf
from desktop.freeze.shelf import Item
from desktop.settings import Settings
from desktop.web import access, card, form, page
from desktop.web.login import Person
from desktop.web.page import Answer
from desktop.web.visit import Visit

log = logging.getLogger("freezing")
CHOICES = ("machine", "cpu", "memory", "video")
PAGE = "monitor?machines=1"


def facts(settings: Settings) -> dict[str, Any]:
    """Return what is frozen, and what is being frozen or failed to be."""
    now = progress(settings)  # first: what ends meanwhile is among the templates
    return {"templates": [row(one) for one in shelf.items(settings)], **now}


def row(one: Item) -> dict[str, Any]:
    """Return what there is to say of a template; sizes are MB, `seconds` what freezing took."""
    about = one.template.manifest
    return {"template": one.template.name, "title": one.title,
            "machine": one.machine,
            "cpu": about.cpu if about else 0, "memory": about.memory if about else 0,
            "video": about.video if about else "",
            "size": shelf.size(one.template), "sessions": one.sessions, "stale": one.stale,
            "superseded": one.stale == shelf.SUPERSEDED,
            "rests": one.rests, "trouble": one.trouble, "failed": card.moment(one.failed),
            "made": card.moment(about.made if about else 0),
            "seconds": round(about.seconds) if about else 0}


def progress(settings: Settings) -> dict[str, Any]:
    """Return what is being frozen, and how it failed last; None for what is not."""
    now, before = draft.seen(settings), failure.seen(settings)
    return {"freezing": {**shown(now), "since": card.moment(now.since),
                         "screen": screen(settings).exists()} if now else None,
            "failure": {**shown(before), "at": card.moment(before.at)} if before else None}


def shown(one: draft.Progress | failure.Failure) -> dict[str, Any]:
    """Return what is told of either."""
    return {name: value for name, value in asdict(one).items() if name not in ("by", "at")}


def screen(settings: Settings) -> Path:
    """Return where the picture of the machine is that is being frozen."""
    return settings.dir_templates / draft.NAME / draft.SCREEN


def answer(visit: Visit, person: Person, wanted: str) -> Answer:
    """Return how far a machine is that is being frozen, or its `screen`, to an administrator."""
    access.must_be_admin(person)
    if wanted not in ("1", "screen"):
        raise Refusal(f"freezing = {wanted!r} is not one of 1, screen.")
    if wanted == "screen":
        try:
            return page.png(screen(visit.settings).read_bytes())
        except OSError:
            raise Refusal("There is no picture of the screen yet.", 404) from None
    return page.data(200, progress(visit.settings)) if visit.request.json else page.see(PAGE)


def freeze(visit: Visit) -> Answer:
    """Begin to freeze a machine; nobody waits for it."""
    fields = visit.request.fields
    name = fields.get("machine", "")
    allow(visit, "freeze", name)
    if not name:
        raise Refusal("No machine is named.", 400, "Say which to freeze.")
    wish = form.wish({word: fields[word] for word in CHOICES if fields.get(word)})
    from desktop.freeze import detached  # 10 ms, which no other request needs
    detached.start(visit.settings, wish)
    note(visit, f"freezes {name}, {wish.cpu or 'usual'} CPU, {wish.memory or 'usual'} MB")
    return done(visit)


def hasten(visit: Visit) -> Answer:
    """Say that the machine which boots is ready."""
    allow(visit, "hasten")
    found = draft.hasten(visit.settings)
    note(visit, f"says that {found.machine} is ready to be frozen")
    return done(visit)


def cancel(visit: Visit) -> Answer:
    """End the freezing; nothing is left of it."""
    allow(visit, "cancel")
    found = draft.cancel(visit.settings)
    note(visit, f"cancels the freezing of {found.machine}")
    return done(visit)


def discard(visit: Visit) -> Answer:
    """Remove a template that no session uses."""
    name = visit.request.fields.get("template", "")
    allow(visit, "discard", name)
    shelf.remove_one(visit.settings, name)
    note(visit, f"removes the template {name}")
    return done(visit)


def allow(visit: Visit, action: str, about: str = "") -> None:
    """Raise Refusal unless this is an administrator, who means it."""
    access.must_be_admin(visit.must())
    visit.meant(action, about)


def note(visit: Visit, words: str) -> None:
    """Log who does what, from where."""
    log.info("%s %s, from %s", visit.must().name, words, visit.request.source)


def done(visit: Visit) -> Answer:
    """Answer what was done: the page goes on, a program gets what is there now."""
    return page.done(visit.request.json, progress(visit.settings), PAGE)


ACTIONS: Mapping[str, Callable[[Visit], Answer]] = {
    "freeze": freeze, "hasten": hasten, "cancel": cancel, "discard": discard}
