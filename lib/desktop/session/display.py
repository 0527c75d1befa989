"""The screen of a session: a websocket server in threads of the keeper, on a given socket.

Viewers come through Apache on a unix socket, or directly on 127.0.0.1 when started by hand, where
noVNC is served too. What each of them says and hears is in `connection`.
"""

import logging
import os
import socket
import socketserver
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from desktop.session import news
from desktop.session.connection import Connection
from desktop.session.peers import HEARTBEAT
from desktop.session.tries import Tries
from desktop.settings import Settings

log = logging.getLogger("display")

REASON = 123  # bytes that a close frame has for it (RFC 6455, 5.5)
STRANGERS = 16  # connections at once that have not shown the token; QEMU takes 32 in all


@dataclass(eq=False)
class Viewer:
    """Somebody who has shown the token. `source` is where from, `since` Unix time.

    `bell` wakes the connection's thread, an eventfd; `farewell` has the code and the reason with
    which it is to be closed, once it is.
    """

    source: str
    bell: int
    since: float = field(default_factory=time.time)
    farewell: tuple[int, str] | None = None

    def facts(self) -> dict[str, Any]:
        """Return what is told of a viewer."""
        return {"source": self.source, "since": self.since}

    def ring(self) -> None:
        """Have the thread look around."""
        os.eventfd_write(self.bell, 1)


class Display(socketserver.ThreadingMixIn, socketserver.TCPServer):
    """Serves the screen. `changed` is called, in any thread, when a viewer comes or goes.

    `text` returns what pages are told beside it.
    """

    daemon_threads = True
    block_on_close = False
    # Read by websockify's handler:
    token_plugin = auth_plugin = None
    heartbeat = HEARTBEAT
    file_only = True

    def __init__(self, listener: socket.socket, vnc: Path, settings: Settings, *, single: bool,
                 changed: Callable[[], None], text: Callable[[], str], owner: str = "") -> None:
        """Serve on `listener`; a `single` display lets one viewer in, the last who came.

        `owner` is the address that the session was started from.
        """
        super().__init__(("", 0), Connection, bind_and_activate=False)
        self.socket.close()
        self.socket = listener
        self.vnc = vnc
        self.settings = settings
        self.single = single
        self.changed = changed
        self.text = text
        self.direct = listener.family != socket.AF_UNIX
        self.only_upgrade = not self.direct
        self.tries = Tries(owner)
        self._lock = threading.Condition()
        self._viewers: list[Viewer] = []
        self.visits = 0  # viewers there have been, also those who left at once
        self._strangers: list[socket.socket] = []

    def start(self) -> None:
        """Serve in a thread until the process ends."""
        threading.Thread(target=self.serve_forever, args=(3600,), daemon=True).start()

    def viewers(self) -> list[Viewer]:
        """Return those who look on now."""
        with self._lock:
            return list(self._viewers)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Take a connection; with too many strangers at once, the oldest of them goes."""
        with self._lock:
            self._strangers.append(request)
            oldest = self._strangers.pop(0) if len(self._strangers) > STRANGERS else None
        if oldest:
            hang_up(oldest)
        super().process_request(request, client_address)

    def admit(self, connection: socket.socket, source: str) -> Viewer:
        """Count a connection as a viewer."""
        viewer = Viewer(source, os.eventfd(0))
        with self._lock:
            if connection in self._strangers:
                self._strangers.remove(connection)
            for other in self._viewers if self.single else ():
                other.farewell = (news.ELSEWHERE, "opened elsewhere")
                other.ring()
            self._viewers.append(viewer)
            self.visits += 1
        self.changed()
        return viewer

    def dismiss(self, viewer: Viewer) -> None:
        """Count a viewer as gone."""
        with self._lock:
            self._viewers.remove(viewer)
            os.close(viewer.bell)
            self._lock.notify_all()
        self.changed()

    def tell(self) -> None:
        """Tell all who look on what is new."""
        with self._lock:
            for viewer in self._viewers:
                viewer.ring()

    def close(self, how: str) -> None:
        """Take leave of all who look on, saying how it ended; wait for that, a second at most."""
        reason = how.encode()[:REASON].decode(errors="ignore")
        with self._lock:
            for viewer in self._viewers:
                viewer.farewell = (news.ASLEEP if how == news.PARKED else news.OVER, reason)
                viewer.ring()
            self._lock.wait_for(lambda: not self._viewers, 1)

    def shutdown_request(self, request: Any) -> None:
        """Close a connection whose thread is done."""
        with self._lock:
            if request in self._strangers:
                self._strangers.remove(request)
        super().shutdown_request(request)

    def get_request(self) -> tuple[socket.socket, tuple[str, int]]:
        """Accept a connection; those on a unix socket have no address of their own."""
        connection, address = self.socket.accept()
        return connection, address if self.direct else ("", 0)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Log what ended a connection; viewers that vanish are nothing special."""
        error = sys.exception()
        if not isinstance(error, (ConnectionError, TimeoutError)):
            log.warning("a connection ended with %r", error)


def hang_up(connection: socket.socket) -> None:
    """End a connection from another thread than its own."""
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass  # it is gone already
