"""Who may do what to whose session: the one place where this is decided."""

import logging

from desktop.errors import Refusal
from desktop.session import sessions
from desktop.session.record import Corrupt, Record
from desktop.settings import Settings
from desktop.web.login import Person

log = logging.getLogger("access")


def find(settings: Settings, word: str, person: Person, *, admins: bool = False) -> Record:
    """Return the session with this id, if it is this person's.

    With `admins` an administrator finds everybody's. Raises Refusal (404), the same for a session
    of somebody else and for one there never was.
    """
    unknown = Refusal("There is no such session of yours.", 404, "It may have ended.")
    try:
        entry = sessions.read(settings, word)
    except (OSError, Corrupt):
        raise unknown from None
    if entry.owner != person.name and not (admins and person.admin):
        raise unknown
    return entry


def seen(settings: Settings, word: str, person: Person) -> Record:
    """Return the session whose screen somebody may see: one's own, or as the site allows."""
    return find(settings, word, person, admins=shows(settings))


def shows(settings: Settings) -> bool:
    """Tell whether administrators see the screens of others."""
    return settings.monitor_thumbnails == "admin"


def note(person: Person, action: str, entry: Record, source: str) -> None:
    """Log what somebody does to a session of another."""
    if person.name != entry.owner:
        log.info("%s: %s %s of %s, from %s", person.name, action, entry.name, entry.owner, source)


def must_be_admin(person: Person) -> None:
    """Raise Refusal (403) for anybody who is no administrator."""
    if not person.admin:
        raise Refusal("Only administrators may do that.", 403)
