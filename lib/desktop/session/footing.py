"""What the disk of a session stands on: an image and perhaps a template, as they were."""

import logging

from desktop.machine import template
from desktop.session import sessions
from desktop.session.record import Record
from desktop.settings import Settings

log = logging.getLogger("footing")
CHANGED = "its image was changed, and its disk may be damaged"
LOST = "the template that it started from is gone or damaged"


def trouble(settings: Settings, entry: Record) -> str:
    """Return why a session could not be woken, or nothing; the log is told details."""
    if sessions.altered(settings, [entry]):
        return CHANGED
    if entry.template:
        if problem := template.read(settings.dir_templates / entry.template).problem:
            log.error("%s: the template %s: %s", entry.name, entry.template, problem)
            return LOST
    return ""
