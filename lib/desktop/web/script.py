"""A script: what it takes, and its stories, for a terminal and, in cgi-bin, for a request."""

import os
import sys
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NoReturn

from desktop.commandline import Command, Line
from desktop.settings import Settings

if TYPE_CHECKING:  # a tool does without, also where there are no packages of Python's
    from desktop.web.page import Answer
    from desktop.web.visit import Visit

DONE, REFUSED, BUG = 0, 1, 2  # exit status


@dataclass(frozen=True)
class Errand:
    """A run by hand: what was typed, and the name of who did."""

    line: Line
    settings: Settings
    user: str


@dataclass(frozen=True, kw_only=True)
class Tool:
    """A script for a terminal alone.

    Attributes:
        name, about: for --help and the log.
        commands: what it takes by hand, besides the settings.
        as_caller: those commands that root does as root; the rest is done as the service does.
        routine: those commands that are no line in the log; None: it administers nothing.
        by_hand: its story.
    """

    name: str
    about: str
    by_hand: Callable[[Errand], None]
    commands: Sequence[Command] = ()
    as_caller: Collection[str] = field(default=frozenset())
    routine: Collection[str] | None = None


@dataclass(frozen=True, kw_only=True)
class Script(Tool):
    """One script of cgi-bin.

    Attributes:
        query, fields: the names that a GET and a POST may carry.
        many: those fields that may be there several times.
        web: its story for a request.
        data: whether a GET is answered as JSON whatever is wanted.
    """

    web: "Callable[[Visit], Answer]"
    query: Collection[str] = ()
    fields: Collection[str] = ()
    many: Collection[str] = ()
    data: bool = False


def end(story: Callable[[], int]) -> NoReturn:
    """Do what a script is run for, and exit with the status that this returns."""
    try:
        status = story()
        sys.stdout.flush()
    except BrokenPipeError:  # whoever read this has gone
        status = DONE
    except KeyboardInterrupt:
        status = 130  # as shells say it
    sys.stderr.flush()
    # An answer ends with its script (Apache heeds no length a script gives), and Python would
    # first tidy up its memory, for 20 to 30 ms.
    os._exit(status)
