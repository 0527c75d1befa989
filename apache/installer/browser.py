"""A very small browser: asks this server's Apache as a person's browser would.

One origin, cookies kept, forms posted with their Origin, a websocket opened. Standard library
only, since it is there before anything is installed.
"""

import base64
import http.client
import json
import os
import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode, urlsplit

from report import Problem

TIMEOUT = 30  # seconds
LONGEST = 1 << 20  # bytes of an answer


@dataclass(frozen=True)
class Answer:
    """What the server said."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> dict[str, Any]:
        """Return the facts of a JSON answer."""
        try:
            facts = json.loads(self.body)
        except ValueError as error:
            raise Problem(f"the answer {self.status} is not JSON: {self.body[:200]!r}") from error
        if not isinstance(facts, dict):
            raise Problem(f"the answer {self.status} is not a JSON object: {facts!r}")
        return facts


@dataclass
class Browser:
    """A visitor of one origin; the `name` they type is the address unless it is said."""

    address: str
    port: int
    tls: bool = False
    name: str = ""
    cookies: dict[str, str] = field(default_factory=dict)

    @property
    def host(self) -> str:
        """Return what browsers write in Host: the name, and the port where it is unusual."""
        name = self.name or self.address
        host = f"[{name}]" if ":" in name else name
        return host if self.port == (443 if self.tls else 80) else f"{host}:{self.port}"

    @property
    def origin(self) -> str:
        """Return the origin of the pages that this browser shows."""
        return f"{'https' if self.tls else 'http'}://{self.host}"

    def connect(self) -> socket.socket:
        """Connect to the server; on itself it need not prove its name."""
        plain = socket.create_connection((self.address, self.port), TIMEOUT)
        if not self.tls:
            return plain
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        return context.wrap_socket(plain, server_hostname=self.name or self.address)

    def get(self, path: str) -> Answer:
        """Ask for a page or its JSON; a redirection to TLS is followed, and stays so."""
        answer = self.ask("GET", path, {}, b"")
        target = urlsplit(answer.headers.get("location", ""))
        if answer.status in (301, 302, 307, 308) and target.scheme == "https" and not self.tls:
            self.tls, self.port = True, target.port or 443
            return self.ask("GET", path, {}, b"")
        return answer

    def post(self, path: str, fields: Mapping[str, str]) -> Answer:
        """Send a form."""
        return self.ask("POST", path, {"Content-Type": "application/x-www-form-urlencoded",
                                       "Origin": self.origin}, urlencode(fields).encode())

    def ask(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """Make one request and keep the cookies of the answer."""
        connection = http.client.HTTPConnection(self.address, self.port)
        try:
            connection.sock = self.connect()
            connection.request(method, path, body or None, {
                "Host": self.host, "Accept": "application/json", **headers,
                **({"Cookie": self.cookie()} if self.cookies else {})})
            reply = connection.getresponse()
            content = reply.read(LONGEST)
        except (OSError, http.client.HTTPException) as error:
            raise Problem(f"{method} {self.origin}{path}: {error!r}") from error
        finally:
            connection.close()
        for line in reply.headers.get_all("Set-Cookie") or ():
            key, _, value = line.partition(";")[0].partition("=")
            self.cookies[key] = value
        return Answer(reply.status, {key.lower(): value for key, value in reply.headers.items()},
                      content)

    def cookie(self) -> str:
        """Return the cookies as they are sent."""
        return "; ".join(f"{name}={value}" for name, value in self.cookies.items())

    def first_words(self, path: str, length: int) -> bytes:
        """Open a websocket (RFC 6455) and return its first `length` bytes of data."""
        try:
            with self.connect() as wire, wire.makefile("rb") as stream:
                wire.sendall(self.handshake(path).encode())
                status = stream.readline()
                if b" 101 " not in status:
                    raise Problem(f"the websocket {path} is answered by "
                                  f"{status.decode(errors='replace').strip() or 'nothing'}")
                while stream.readline().strip():
                    pass
                return read_frames(stream, length)
        except OSError as error:
            raise Problem(f"the websocket {path}: {error}") from error

    def handshake(self, path: str) -> str:
        """Return the request for a websocket."""
        key = base64.b64encode(os.urandom(16)).decode()
        lines = [f"GET {path} HTTP/1.1", f"Host: {self.host}", "Upgrade: websocket",
                 "Connection: Upgrade", f"Sec-WebSocket-Key: {key}", "Sec-WebSocket-Version: 13",
                 "Sec-WebSocket-Protocol: binary", f"Origin: {self.origin}"]
        if self.cookies:
            lines.append(f"Cookie: {self.cookie()}")
        return "\r\n".join([*lines, "", ""])


def read_frames(stream: Any, length: int) -> bytes:
    """Return `length` bytes of the binary frames that a server sends (unmasked, RFC 6455 5.2)."""
    data = b""
    while len(data) < length:
        head = stream.read(2)
        if len(head) < 2:
            raise Problem("the websocket ended before the screen said a word")
        size = head[1] & 0x7F
        if size > 125:
            size = int.from_bytes(stream.read(2 if size == 126 else 8), "big")
        content = stream.read(size)
        if head[0] & 0x0F in (0, 2):  # continuation, binary; pings and the like are passed over
            data += content
    return data[:length]
