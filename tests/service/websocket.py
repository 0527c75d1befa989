"""A websocket client (RFC 6455) of our own, so that tests can also do what browsers do not.

In: where to connect and the headers to send. Out: a stream of bytes to read and write. A server
that does not switch protocols raises Refused with its HTTP status.
"""

import os
import socket
import ssl
import struct
from base64 import b64encode
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from hashlib import sha1
from pathlib import Path

SALT = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10
DIALLED: list[socket.socket] = []  # by `dial`, to be closed at the end of a test


class Address(tuple[str, int]):
    """Where to connect to by TCP; with `trust`, by TLS to a server that proves its name."""

    trust: ssl.SSLContext | None

    def __new__(cls, host: str, port: int, trust: ssl.SSLContext | None = None) -> "Address":
        made = super().__new__(cls, (host, port))
        made.trust = trust
        return made

    @property
    def origin(self) -> str:
        """Return the origin of the pages there."""
        return f"{'https' if self.trust else 'http'}://{self[0]}:{self[1]}"


class Refused(Exception):
    """The server answered with something else than 101."""

    def __init__(self, status: int, head: str, body: str) -> None:
        super().__init__(f"{status}: {body[:200]!r}")
        self.status = status
        self.head = head
        self.body = body


class Closed(ConnectionError):
    """The other side ended the connection; `code` is its reason (1000: as agreed), or 0."""

    def __init__(self, code: int = 0) -> None:
        super().__init__(f"closed by the other side ({code})")
        self.code = code


class Stream:
    """Bytes over a connected socket, buffered for reading."""

    def __init__(self, sock: socket.socket) -> None:
        self.socket = sock
        self.buffer = bytearray()

    def read(self, count: int) -> bytes:
        """Return exactly `count` bytes; raise Closed when there will not be as many."""
        while len(self.buffer) < count:
            self.more()
        taken = bytes(memoryview(self.buffer)[:count])
        del self.buffer[:count]
        return taken

    def write(self, data: bytes) -> None:
        self.socket.sendall(data)

    def more(self) -> None:
        """Wait for bytes and put them into the buffer."""
        data = self.socket.recv(1 << 18)
        if not data:
            raise Closed
        self.buffer += data

    def close(self) -> None:
        """Go away without a word, as a browser does that is killed."""
        self.socket.close()


class WebSocket(Stream):
    """The payload of websocket messages as a stream; pings are answered on the way."""

    def __init__(self, sock: socket.socket) -> None:
        super().__init__(sock)
        self.raw = Stream(sock)
        self.pings = 0

    def more(self) -> None:
        first, second = self.raw.read(2)
        length = second & 127
        if length == 126:
            length, = struct.unpack(">H", self.raw.read(2))
        elif length == 127:
            length, = struct.unpack(">Q", self.raw.read(8))
        payload = self.raw.read(length)
        if first & 15 in (0, TEXT, BINARY):
            self.buffer += payload
        elif first & 15 == PING:
            self.pings += 1
            self.send(PONG, payload)
        elif first & 15 == CLOSE:
            raise Closed(struct.unpack(">H", payload[:2])[0] if len(payload) >= 2 else 0)

    def write(self, data: bytes) -> None:
        self.send(BINARY, data)

    def send(self, kind: int, data: bytes) -> None:
        """Send one message, masked as clients must."""
        length = len(data)
        if length < 126:
            head = struct.pack(">BB", 128 | kind, 128 | length)
        else:
            head = struct.pack(">BBH", 128 | kind, 128 | 126, length)
        mask = os.urandom(4)
        self.socket.sendall(head + mask + bytes(
            byte ^ mask[place & 3] for place, byte in enumerate(data)))

    def leave(self) -> None:
        """Say goodbye, as a browser does whose tab is closed, and hang up."""
        self.send(CLOSE, struct.pack(">H", 1000))
        self.close()


def dial(address: tuple[str, int] | Path, timeout: float = 10) -> socket.socket:
    """Connect to a TCP address, with TLS where that is there, or to a unix socket."""
    unix = isinstance(address, Path)
    sock = socket.socket(socket.AF_UNIX if unix else socket.AF_INET)
    DIALLED.append(sock)
    sock.settimeout(timeout)
    sock.connect(str(address) if unix else address)
    if isinstance(address, Address) and address.trust:
        sock = address.trust.wrap_socket(sock, server_hostname=address[0])
        DIALLED.append(sock)
    return sock


@contextmanager
def hanging_up() -> Iterator[None]:
    """Close at its end all connections that were dialled in a block."""
    before = len(DIALLED)
    try:
        yield
    finally:
        while len(DIALLED) > before:
            DIALLED.pop().close()


def connect(address: tuple[str, int] | Path, resource: str, headers: Mapping[str, str],
            timeout: float = 10) -> WebSocket:
    """Shake hands for `resource`; raise Refused when the server does not want to.

    `headers` may replace those sent by default (Host and the websocket ones); an empty value
    leaves one out.
    """
    key = b64encode(os.urandom(16)).decode()
    host = "localhost" if isinstance(address, Path) else f"{address[0]}:{address[1]}"
    sent = {"Host": host, "Connection": "Upgrade", "Upgrade": "websocket",
            "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": key,
            "Sec-WebSocket-Protocol": "binary", **headers}
    lines = [f"GET {resource} HTTP/1.1",
             *(f"{name}: {value}" for name, value in sent.items() if value)]
    sock = dial(address, timeout)
    try:
        if not isinstance(address, Path):
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.sendall("\r\n".join([*lines, "", ""]).encode("latin-1"))
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            byte = sock.recv(1)
            if not byte:
                raise Refused(0, head.decode("latin-1"), "closed without an answer")
            head += byte
        status = int(head.split()[1])
        if status != 101:
            sock.settimeout(1)
            raise Refused(status, head.decode("latin-1"), rest(sock))
    except BaseException:
        sock.close()
        raise
    expected = b64encode(sha1((key + SALT).encode()).digest())
    assert expected in head, "the handshake is not answered as RFC 6455 says"
    return WebSocket(sock)


def rest(sock: socket.socket) -> str:
    """Return what else the server says before it is done or silent."""
    said = b""
    try:
        while len(said) < 65536 and (data := sock.recv(65536)):
            said += data
    except OSError:
        pass
    return said.decode("utf-8", "replace")
