"""One viewer's connection: a request, the opening of RFB, then bytes both ways.

Built on websockify's handler, which also serves the viewer's files to sessions started by hand.
"""

import logging
import os
import select
import socket
import sys
import time
import warnings
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from desktop import origin, whereabouts
from desktop.session import news, rfb
from desktop.session.peers import HEARTBEAT, Browser, Qemu, dial
from desktop.session.tries import Refused

sys.modules.setdefault("numpy", None)  # type: ignore[arg-type]  # 13 MB, to unmask tiny messages
with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # about numpy
    from websockify.websocket import WebSocketWantWriteError
    from websockify.websocketproxy import ProxyRequestHandler
    from websockify.websocketserver import WebSocketRequestHandlerMixIn

if TYPE_CHECKING:
    from desktop.session.display import Display, Viewer

log = logging.getLogger("connection")

OPENING_TIME = 180.0  # seconds to type the token
OPENING_LIMIT = 4096  # bytes a viewer may have on the way before the token is seen
MESSAGE_LIMIT = 2 << 20  # and after: QEMU takes pasted texts of 1 MB (ui/vnc.c)
CHUNK = 65536
TEXT = 1  # opcode (RFC 6455, 5.2)
LAST_WORDS = 2.0  # seconds


class Socket(WebSocketRequestHandlerMixIn.SocketClass):  # type: ignore[misc]
    """A websocket on which RFB goes in binary frames and, for pages that know them, news in text.
    """

    def select_subprotocol(self, protocols: list[str]) -> str:
        """Return the best that the page offered, spelled as it did; nothing when it has none."""
        offered = {protocol.strip(): protocol for protocol in protocols}
        return offered.get(news.PROTOCOL) or offered.get("binary", "")


class Connection(ProxyRequestHandler):  # type: ignore[misc]
    """What websockify does for a connection, with our checks before anybody is let in."""

    SocketClass = Socket
    server: "Display"
    timeout = 10  # seconds for the request itself
    server_version = "remote-desktop"
    sys_version = ""

    def setup(self) -> None:
        """Note when the viewer was last heard, and how much it may send."""
        super().setup()
        self.plain = self.request
        self.heard = time.monotonic()
        self.limit = OPENING_LIMIT

    def source(self) -> str:
        """Return where the viewer is; Apache appends whom it heard to what they have sent."""
        if self.server.direct:
            return str(self.client_address[0])
        said = ",".join(self.headers.get_all("X-Forwarded-For", []))
        before, _, nearest = said.rpartition(",")
        return whereabouts.client(nearest.strip(), before, self.server.settings.trusted_proxies)

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
            self.send_error(403, "Not from this origin", reason)
            return False
        return True

    def translate_path(self, path: str) -> str:
        """Return the file at an address: noVNC below /novnc/ beside our pages, as with Apache."""
        settings, of_novnc = self.server.settings, path.startswith("/novnc/")
        self.directory = str(settings.dir_novnc if of_novnc else settings.dir_html)
        return str(super().translate_path(path.removeprefix("/novnc") if of_novnc else path))

    def new_websocket_client(self) -> None:
        """Let the viewer in when QEMU accepts the token, and pass bytes both ways."""
        self.plain.settimeout(0)
        with dial(self.server.vnc) as target:
            browser = Browser(self, time.monotonic() + OPENING_TIME)
            try:
                rfb.open_connection(browser, Qemu(target), self.server.tries, self.source())
            except Refused as reason:
                log.warning("a viewer at %s was refused: %s", self.source(), reason)
                raise self.CClose(1008, "Refused") from reason
            target.sendall(browser.rest)
            target.settimeout(0)
            self.limit = MESSAGE_LIMIT
            viewer = self.server.admit(self.plain, self.source())
            try:
                self.pass_on(target, viewer)
            finally:
                self.server.dismiss(viewer)

    def pass_on(self, target: socket.socket, viewer: "Viewer") -> None:
        """Pass bytes both ways; whoever does not read what came is not heard until they do.

        websockify's own reads on, and keeps in memory all that a viewer asks for and never takes.
        """
        up, waiting, due, beat = b"", False, True, time.monotonic() + HEARTBEAT
        while not viewer.farewell:
            if due and not waiting:
                due = self.send_news()
            if (left := beat - time.monotonic()) <= 0:
                beat += HEARTBEAT
                self.send_ping()
                due = True
                continue
            heard = [viewer.bell] + [self.request] * (not up) + [target] * (not waiting)
            told = [target] * bool(up) + [self.request] * waiting
            ready, free, _ = select.select(heard, told, [], left)
            if viewer.bell in ready:
                os.eventfd_read(viewer.bell)
                due = True
            if self.request in free:
                waiting = self.send_frames()
            if self.request in ready:
                bufs, closed = self.recv_frames()
                up = b"".join(bufs)
                if closed:
                    target.settimeout(10)
                    target.sendall(up)
                    raise self.CClose(closed["code"], closed["reason"])
            if up:
                with suppress(BlockingIOError):
                    up = up[target.send(up):]
            if target in ready:
                data = target.recv(CHUNK)
                if not data:
                    break
                waiting = self.send_frames([data])
        raise self.CClose(*await_farewell(viewer))

    def send_news(self) -> bool:
        """Send the news to a page that understands them; False: it is done."""
        if self.request.protocol.strip() == news.PROTOCOL:
            with suppress(WebSocketWantWriteError):  # the rest goes before the next message
                self.request._sendmsg(TEXT, self.server.text().encode())
        return False

    def recv_frames(self) -> Any:
        """Return what the viewer sent; it is alive, and must not fill our memory."""
        self.heard = time.monotonic()
        bufs, closed = super().recv_frames()
        if len(self.request._recv_buffer) + len(self.request._partial_msg) > self.limit:
            raise ConnectionError("a message is too long")
        return bufs, closed

    def send_ping(self, data: bytes = b"") -> None:
        """Keep proxies from cutting a quiet connection; give up on a viewer long silent."""
        if time.monotonic() - self.heard > 3 * HEARTBEAT:
            raise ConnectionError("the viewer is silent")
        if self.request._previous_sendmsg is None:  # else it has not even read what was sent
            try:
                super().send_ping(data)
            except WebSocketWantWriteError:  # the rest goes before the next message
                self.request._previous_sendmsg = None

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing for every connection."""


def await_farewell(viewer: "Viewer") -> tuple[int, str]:
    """Return the code and the reason to close with; QEMU is gone before the keeper knows why."""
    deadline = time.monotonic() + LAST_WORDS
    while not viewer.farewell and (left := deadline - time.monotonic()) > 0:
        if select.select([viewer.bell], [], [], left)[0]:
            os.eventfd_read(viewer.bell)
    return viewer.farewell or (1000, "Target closed")
