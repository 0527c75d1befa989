"""What the timer does each minute: for sessions, and for templates, which hardly anybody needs."""

import logging
import os
from contextlib import suppress
from pathlib import Path

from desktop.errors import Refusal
from desktop.freeze import shelf
from desktop.machine import template
from desktop.session import housekeeping
from desktop.settings import Settings

log = logging.getLogger("upkeep")
STEP = 128 << 10  # bytes that any disk reads ahead when it is asked to; more is cut off


def each_minute(settings: Settings) -> None:
    """Look after sessions; remove templates that nobody needs any more, and keep others hot."""
    housekeeping.each_minute(settings)
    try:
        shelf.tidy(settings)
        if settings.templates_keep_hot:
            keep_hot(settings)
    except (OSError, Refusal) as problem:
        log.warning("templates are left alone: %s", problem)


def keep_hot(settings: Settings) -> None:
    """Have the memory of templates read ahead, so that copies find it in the page cache."""
    for one in template.all(settings):
        for path in (one.memory, one.state, one.layer) if not one.problem else ():
            read_ahead(path)


def read_ahead(path: Path) -> None:
    """Have the disk read a file, but for its holes, while nobody waits."""
    with path.open("rb") as file, suppress(OSError):  # behind the last byte that is no hole
        number, end = file.fileno(), 0
        while True:
            begin = os.lseek(number, end, os.SEEK_DATA)
            end = os.lseek(number, begin, os.SEEK_HOLE)
            for place in range(begin, end, STEP):
                os.posix_fadvise(number, place, STEP, os.POSIX_FADV_WILLNEED)
