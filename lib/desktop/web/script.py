"""A script of cgi-bin: what it takes, and its two stories, for a request and for a terminal."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field

from desktop.commandline import Command, Line
from desktop.settings import Settings
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
class Script:
    """One script of cgi-bin.

    Attributes:
        name, about: for --help and the log.
        commands: what it takes by hand, besides the settings.
        as_caller: those commands that root does as root; the rest is done as the service does.
        query, fields: the names that a GET and a POST may carry.
        web, by_hand: the two stories.
        data: whether a GET is answered as JSON whatever is wanted.
    """

    name: str
    about: str
    web: Callable[[Visit], Answer]
    by_hand: Callable[[Errand], None]
    commands: Sequence[Command] = ()
    as_caller: Collection[str] = field(default=frozenset())
    query: Collection[str] = ()
    fields: Collection[str] = ()
    data: bool = False
