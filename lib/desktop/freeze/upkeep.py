"""What the timer does each minute: for sessions, and for templates, which hardly anybody needs."""

import logging

from desktop.errors import Refusal
from desktop.freeze import shelf
from desktop.machine import template
from desktop.session import housekeeping
from desktop.settings import Settings

log = logging.getLogger("upkeep")


def each_minute(settings: Settings) -> None:
    """Look after sessions; remove templates that nobody needs any more, and keep others hot."""
    housekeeping.each_minute(settings)
    try:
        shelf.tidy(settings)
        if settings.templates_keep_hot:
            template.keep_hot(settings)
    except (OSError, Refusal) as problem:
        log.warning("templates are left alone: %s", problem)
