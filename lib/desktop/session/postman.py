"""Has the owner of a session told by mail that it ends, by a program of its own.

A mail server may hang, and the keeper must not: the program has a time limit, and nobody waits for
it. It is not started twice for the same end.
"""

import logging

from desktop import process
from desktop.launch import detach
from desktop.session.paths import Paths
from desktop.session.record import Record

log = logging.getLogger("postman")


class Postman:
    """Who carries the mails of one session."""

    def __init__(self, paths: Paths) -> None:
        self.paths = paths
        self.child: process.Child | None = None

    def send(self, entry: Record) -> dict[str, float]:
        """Start to send the notice; return what that changes in the record.

        It counts as told whatever comes of it: a mail that went twice would be the worse one.
        """
        self.close()
        try:
            self.child = process.start(detach.program("notice", self.paths.directory),
                                       self.paths.keeper_log, environment=detach.site())
        except process.Failed as problem:
            log.error("nobody is told of the end of %s: %s", entry.name, problem)
        return {"noticed": entry.deadline}

    def close(self) -> None:
        """End what is still on its way, and take note of what has arrived."""
        if self.child:
            process.finish(self.child, 0)
            self.child = None
