"""The screen of a session: a websocket server in threads of the keeper, on a given socket.

Viewers come through Apache on a unix socket, or directly on 127.0.0.1 when started by hand, where
noVNC is served too. Built on websockify's handler; QEMU's own VNC socket is the other end.
"""

import logging
import select
import socket
import socketserver
import sys
import threading
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from desktop import origin
from desktop.session import rfb
from desktop.settings import Settings

sys.modules.setdefault("numpy", None)  # type: ignore[arg-type]  # 13 MB, to unmask tiny messages
with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # about numpy
    from websockify.websocket import WebSocketWantWriteError
    from websockify.websocketproxy import ProxyRequestHandler

log = logging.getLogger("display")

OPENING_TIME = 180.0  # seconds to send a request and type the token
HEARTBEAT = 25  # seconds; proxies cut connections that are quiet for 60
STRANGERS = 16  # connections at once that have not shown the token; QEMU takes 32 in all
MESSAGE_LIMIT = 16 << 20  # bytes of one message of a viewer: a pasted text, at most


@dataclass(eq=False)
class Viewer:
    """Somebody who has shown the token. `source` is where from, `since` Unix time."""

    source: str
    connection: socket.socket
    since: float = field(default_factory=time.time)


class Display(socketserver.ThreadingMixIn, socketserver.TCPServer):
    """Serves the screen. `changed` is called, in any thread, when a viewer comes or goes."""

    daemon_threads = True
    block_on_close = False
    # Read by websockify's handler:
    token_plugin = auth_plugin = None
    heartbeat = HEARTBEAT
    file_only = True

    def __init__(self, listener: socket.socket, vnc: Path, settings: Settings, single: bool,
                 changed: Callable[[], None]) -> None:
        """Serve on `listener`; a `single` display lets one viewer in, the last who came."""
        super().__init__(("", 0), Connection, bind_and_activate=False)
        self.socket.close()
        self.socket = listener
        self.vnc = vnc
        self.settings = settings
        self.single = single
        self.changed = changed
        self.direct = listener.family != socket.AF_UNIX
        self.only_upgrade = not self.direct
        self.tries = rfb.Tries()
        self._lock = threading.Lock()
        self._viewers: list[Viewer] = []
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
        viewer = Viewer(source, connection)
        with self._lock:
            if connection in self._strangers:
                self._strangers.remove(connection)
            replaced = list(self._viewers) if self.single else []
            self._viewers.append(viewer)
        for other in replaced:
            hang_up(other.connection)
        self.changed()
        return viewer

    def dismiss(self, viewer: Viewer) -> None:
        """Count a viewer as gone."""
        with self._lock:
            self._viewers.remove(viewer)
        self.changed()

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


class Connection(ProxyRequestHandler):  # type: ignore[misc]
    """One connection: a request, then the opening of RFB, then bytes both ways."""

    server: Display
    timeout = 10  # seconds for the request itself
    server_version = "remote-desktop"
    sys_version = ""

    def setup(self) -> None:
        """Serve files from noVNC alone."""
        super().setup()
        self.directory = str(self.server.settings.dir_novnc)
        self.plain = self.request
        self.heard = time.monotonic()

    def source(self) -> str:
        """Return where the viewer is; Apache appends that to what the viewer may have sent."""
        if self.server.direct:
            return str(self.client_address[0])
        return str(self.headers.get("X-Forwarded-For", "")).rpartition(",")[2].strip()

    def parse_request(self) -> bool:
        """Refuse what does not come from a page of ours, whatever it asks for."""
        if not super().parse_request():
            return False
        host = self.headers.get("Host", "")
        upgrade = "upgrade" in self.headers
        if self.server.direct and host.rpartition(":")[0] not in ("127.0.0.1", "localhost"):
            self.send_error(403, "This address is not 127.0.0.1")  # a name rebound to loopback
            return False
        reason = origin.problem(self.server.settings, self.headers.get("Origin"), host,
                                "Cookie" in self.headers and not self.server.direct)
        if upgrade and reason:
            log.warning("a websocket was refused: %s", reason)
            self.send_error(403, "Not from this origin")
            return False
        return True

    def new_websocket_client(self) -> None:
        """Let the viewer in when QEMU accepts the token, and pass bytes both ways."""
        self.plain.settimeout(0)
        target = socket.socket(socket.AF_UNIX)
        with target:
            target.settimeout(10)
            target.connect(str(self.server.vnc))
            browser = Browser(self, time.monotonic() + OPENING_TIME)
            try:
                rfb.open_connection(browser, Qemu(target), self.server.tries, self.source())
            except rfb.Refused as reason:
                log.warning("a viewer at %s was refused: %s", self.source(), reason)
                raise self.CClose(1008, "Refused") from reason
            target.sendall(browser.rest)
            target.settimeout(None)
            viewer = self.server.admit(self.plain, self.source())
            try:
                self.do_proxy(target)
            finally:
                self.server.dismiss(viewer)

    def recv_frames(self) -> Any:
        """Return what the viewer sent; it is alive, and must not fill our memory."""
        self.heard = time.monotonic()
        bufs, closed = super().recv_frames()
        if len(self.request._recv_buffer) + len(self.request._partial_msg) > MESSAGE_LIMIT:
            raise ConnectionError("a message is too long")
        return bufs, closed

    def send_ping(self, data: bytes = b"") -> None:
        """Keep proxies from cutting a quiet connection; give up on a viewer long silent."""
        if time.monotonic() - self.heard > 3 * HEARTBEAT:
            raise ConnectionError("the viewer is silent")
        try:
            super().send_ping(data)
        except WebSocketWantWriteError:
            pass  # it has not even read what was sent before

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing for every connection."""


class Browser:
    """The viewer's side of the opening."""

    def __init__(self, connection: Connection, deadline: float) -> None:
        self.connection = connection
        self.deadline = deadline
        self.rest = b""

    def read(self, size: int) -> bytes:
        """Return exactly `size` bytes, pinging while the person types the token."""
        while len(self.rest) < size:
            left = self.deadline - time.monotonic()
            if left <= 0:
                raise TimeoutError("no token was given")
            if not select.select([self.connection.request], [], [], min(left, HEARTBEAT))[0]:
                self.connection.send_ping()
                continue
            bufs, closed = self.connection.recv_frames()
            if closed:
                raise ConnectionError("the viewer left")
            self.rest += b"".join(bufs)
            if len(self.rest) > 4096:
                raise ConnectionError("the viewer talks too much")
        data, self.rest = self.rest[:size], self.rest[size:]
        return data

    def write(self, data: bytes) -> None:
        """Send all of it; the opening is small and fits any buffer."""
        self.connection.send_frames([data])


class Qemu:
    """QEMU's side of the opening."""

    def __init__(self, target: socket.socket) -> None:
        self.target = target

    def read(self, size: int) -> bytes:
        """Return exactly `size` bytes."""
        data = b""
        while len(data) < size:
            chunk = self.target.recv(size - len(data))
            if not chunk:
                raise ConnectionError("QEMU closed the connection")
            data += chunk
        return data

    def write(self, data: bytes) -> None:
        """Send all of it."""
        self.target.sendall(data)


def hang_up(connection: socket.socket) -> None:
    """End a connection from another thread than its own."""
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass  # it is gone already
