"""A person's browser, without the browser: HTTP with cookies and Origin, and the screens.

In: the address of the server. Out: replies with status, headers, text and JSON; for a session
that was started, a `Desktop` to look at and to type into.
"""

import json
import re
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPMessage, HTTPSConnection
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from service import websocket
from service.rfb import Viewer
from service.websocket import Address

STEERING = ("stop", "shutdown", "restart", "extend", "message", "wake")
Fields = Mapping[str, Any] | Iterable[tuple[str, Any]]


@dataclass(frozen=True)
class Reply:
    """What the server answered."""

    status: int
    headers: HTTPMessage
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    def __str__(self) -> str:
        return f"{self.status}: {' '.join(re.sub('<[^>]*>', ' ', self.text).split())[:600]}"


class Person:
    """Somebody with a browser, signed in or not."""

    def __init__(self, address: Address, name: str = "", password: str = "") -> None:
        self.address = address
        self.scheme = "https" if address.trust else "http"
        self.name = name
        self.password = password
        self.host = f"{address[0]}:{address[1]}"
        self.timeout = 30.0
        self.cookies: dict[str, str] = {}
        self.tickets: dict[tuple[str, str, str], str] = {}

    @property
    def origin(self) -> str:
        """Return the origin of the pages this person looks at."""
        return f"{self.scheme}://{self.host}"

    def ask(self, method: str, path: str, body: bytes = b"", /, **headers: str | None) -> Reply:
        """Send one request to /desktop/; headers by name with _ for -, None leaves one out."""
        sent = {"Host": self.host, "Accept": "text/html",
                "Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items()),
                "Origin": self.origin if method == "POST" else ""}
        sent |= {name.replace("_", "-"): value or "" for name, value in headers.items()}
        connection = HTTPConnection(*self.address, timeout=self.timeout) \
            if not self.address.trust else HTTPSConnection(
                *self.address, timeout=self.timeout, context=self.address.trust)
        try:
            connection.putrequest(method, path if path.startswith("/") else f"/desktop/{path}",
                                  skip_host=True, skip_accept_encoding=True)
            for name, value in sent.items():
                if value:
                    connection.putheader(name, value.encode("latin-1"))
            if (body or method == "POST") and "Content-Length" not in sent:
                connection.putheader("Content-Length", str(len(body)))
            connection.endheaders(body)
            answer = connection.getresponse()
            reply = Reply(answer.status, answer.headers, answer.read())
        finally:
            connection.close()
        for line in reply.headers.get_all("Set-Cookie", []):
            for name, morsel in SimpleCookie(line).items():
                self.cookies[name] = morsel.value
                if morsel["max-age"] == "0" or not morsel.value:
                    del self.cookies[name]
        return reply

    def get(self, path: str, **headers: str | None) -> Reply:
        """Open a page."""
        return self.ask("GET", path, **headers)

    def post(self, path: str, fields: Fields, **headers: str | None) -> Reply:
        """Send a form; it carries the ticket of the page it stands in, unless it has its own."""
        pairs: list[tuple[str, Any]] = list(
            fields.items() if isinstance(fields, Mapping) else fields)
        known = dict(pairs)
        if self.cookies and not known.keys() & {"ticket", "user", "password"}:
            pairs += [("ticket", found)] if (found := self.ticket(path, known)) else []
        return self.ask("POST", path, urlencode(pairs).encode(), **{
            "Content_Type": "application/x-www-form-urlencoded", **headers})

    def ticket(self, path: str, fields: Mapping[str, Any]) -> str:
        """Return the ticket in the page where this form stands, or nothing."""
        action = fields.get("action", path)
        key = (str(self.cookies), str(action), str(fields.get("session", "")))
        if action in STEERING and key not in self.tickets:
            self.tickets |= {(key[0], name, one["session"]): word
                             for one in self.facts("monitor").get("sessions", ())
                             for name, word in one["tickets"].items()}
        elif path == "admin" and key not in self.tickets:
            found = re.search(rf'name="action" value="{re.escape(str(action))}">\s*<input '
                              'type="hidden" name="ticket" value="([^"]+)"',
                              self.get("admin").text)
            self.tickets[key] = found[1] if found else ""
        elif key not in self.tickets:
            self.tickets |= {(key[0], name, ""): word
                             for name, word in self.facts("create").get("tickets", {}).items()}
        return self.tickets.get(key, "")

    def facts(self, path: str) -> dict[str, Any]:
        """Return what a script of ours is told, or nothing when the server is out of order."""
        try:
            found = self.get(path, Accept="application/json").json
        except ValueError:
            found = None
        return found if isinstance(found, dict) else {}

    def sign_in(self) -> Reply:
        """Sign in with the name and password that this person has."""
        return self.post("monitor", {"action": "signin", "user": self.name,
                                     "password": self.password})

    def try_create(self, without: Iterable[str] = (), **fields: Any) -> Reply:
        """Send the form of a newly opened page, as JSON is wanted; `without` some fields."""
        filled = {"machine": "empty.raw", "memory": "32", "persistent": "1", "terms": "1",
                  "form": secrets.token_urlsafe(16), **fields}
        return self.post("create", {name: value for name, value in filled.items()
                                    if name not in without}, Accept="application/json")

    def create(self, **fields: Any) -> "Desktop":
        """Start a machine; a persistent one with nothing on it but firmware, unless said."""
        reply = self.try_create(**fields)
        assert reply.status == 201, str(reply)
        return Desktop(self, reply.json)

    def stop(self, session: str) -> Reply:
        """Press a session's Stop button."""
        return self.post("monitor", {"action": "stop", "session": session},
                         Accept="application/json")

    def sessions(self) -> list[dict[str, Any]]:
        """Return what the monitor lists for this person."""
        reply = self.get("monitor", Accept="application/json")
        assert reply.status == 200, str(reply)
        listed: list[dict[str, Any]] = reply.json["sessions"]
        return listed


class Desktop:
    """A session somebody started, from where they sit."""

    def __init__(self, person: Person, facts: Mapping[str, Any]) -> None:
        self.person = person
        self.facts = facts
        self.id: str = facts["session"]
        self.token: str | None = facts["token"]

    def connect(self, **headers: str) -> websocket.WebSocket:
        """Open the websocket as the viewer's page does."""
        person = self.person
        return websocket.connect(person.address, f"/desktop/session/{self.id}/websockify", {
            "Host": person.host, "Origin": person.origin, **headers})

    def view(self, password: str | None = None, shared: bool = True) -> Viewer:
        """Look at the screen, with the token (or another one)."""
        stream = self.connect()
        try:
            return Viewer(stream, password or self.token, shared)
        except BaseException:
            stream.close()
            raise

    def stop(self) -> Reply:
        """Stop it."""
        return self.person.stop(self.id)

    def link(self) -> tuple[str, dict[str, str]]:
        """Return the viewer's address without fragment, and what the fragment says."""
        parts = urlsplit(self.facts["url"])
        return parts._replace(fragment="").geturl(), {
            name: values[0] for name, values in parse_qs(parts.fragment).items()}
