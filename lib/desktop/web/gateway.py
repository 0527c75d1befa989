"""Where browsers reach the service: every address that is handed out is built here.

Also who may send a form: a page of another origin may not (RFC 6454), or it would act with the
cookie of whoever looks at it.
"""

import re
from dataclasses import dataclass
from urllib.parse import quote

from desktop import origin
from desktop.errors import Refusal
from desktop.settings import Settings
from desktop.web.request import HOST, Request

LOOPBACK = ("localhost", "127.0.0.1", "[::1]")
PORTS = {"http": 80, "https": 443}
ORIGIN = re.compile(rf"(https?)://({HOST.pattern})")
PUBLIC = re.compile(rf"(?:(https?)://)?({HOST.pattern})((?:/[A-Za-z0-9._~-]+)*)/?")


@dataclass(frozen=True)
class Place:
    """An origin, and the path of the service in it: empty, or such as /desktop."""

    scheme: str
    host: str  # without the port; an IPv6 address in brackets
    port: int
    base: str

    @property
    def address(self) -> str:
        """Return the address of the service's directory, without the port that is usual."""
        port = "" if self.port == PORTS[self.scheme] else f":{self.port}"
        return f"{self.scheme}://{self.host}{port}{self.base}/"


def place(request: Request, settings: Settings) -> Place:
    """Return where the service is reached: server_name when set, else as this browser says.

    That is the Origin of what it sends (check_origin has seen it): a proxy that ends TLS may not
    say so. Else the Host.
    """
    if settings.server_name:
        return public(settings, request.scheme, request.base)
    match = ORIGIN.fullmatch(request.origin or "")
    scheme, netloc = match.groups() if match else (request.scheme, request.host)
    return parse(scheme, netloc, request.base)


def public(settings: Settings, scheme: str = "https", base: str = "/desktop") -> Place:
    """Return where server_name says that the service is; raise Refusal (500) if nowhere.

    `scheme` and `base` are those of who asks, for what it does not say.
    """
    match = PUBLIC.fullmatch(settings.server_name)
    if not match:
        raise Refusal(f"server_name = {settings.server_name} is not an address.", 500,
                      "Write it as https://desktop.example.org.")
    return parse(match[1] or scheme, match[2], match[3] or base)


def secret(request: Request, settings: Settings) -> bool:
    """Tell whether TLS keeps what is sent from whoever is between, as far as can be known."""
    return ("https" in (request.scheme, (request.origin or "").partition(":")[0])
            or settings.server_name.startswith("https://") and not tunnelled(request))


def notices(request: Request, settings: Settings) -> list[str]:
    """Return what is to be said of how a browser comes here."""
    if secret(request, settings) or tunnelled(request):
        return []
    if request.doubted:
        return [f"This page came through {request.doubted}. If that is a proxy of this site and "
                "adds TLS, its administrator has it send X-Forwarded-Proto: https and sets "
                f"trusted_proxies = {request.doubted}."]
    return ["This page came without TLS: whoever is on the network between can read passwords and "
            "screens."]


def tunnelled(request: Request) -> bool:
    """Tell whether the browser came to itself without TLS: by a tunnel, or on this server."""
    return (request.scheme == "http" and not request.doubted
            and parse("http", request.host, "").host in LOOPBACK)


def parse(scheme: str, netloc: str, base: str) -> Place:
    """Return the place of a host with or without a port."""
    host, colon, port = netloc.lower().rpartition(":")
    if not colon or netloc.endswith("]"):
        host, port = netloc.lower(), ""
    number = int(port or PORTS[scheme])
    if not 0 < number < 65536:
        raise Refusal("The port of the Host is not one.")
    return Place(scheme, host, number, base)


def check_origin(request: Request, settings: Settings, known: bool) -> None:
    """Refuse a form that a page of another origin sent.

    `known`: the browser says by itself who sends it, so that every page could make it do so. An
    Origin without TLS is foreign to a page with it: whoever sits on the wire made it.
    """
    if request.method != "POST":
        return
    problem = ""
    if request.origin not in (None, "null"):
        match = ORIGIN.fullmatch(request.origin or "")
        if not match:
            problem = "Its Origin header is not an origin."
        elif (match[1], request.scheme) == ("http", "https"):
            problem = "It comes from a page without TLS."
    problem = problem or origin.problem(settings, request.origin, request.host, known)
    if problem:
        raise Refusal(f"The request is refused. {problem}", 403,
                      "Open the form from this server itself.")


def viewer(base: str, host: str, port: int, path: str, token: str = "", *,
           wait: bool = False) -> str:
    """Return the address of the viewer with its settings in the fragment: it stays in the browser.

    `base` is the address of the service, absolute or relative, empty or ending in a slash. With
    `wait` the viewer connects when the person says so. The words are those of noVNC's own page,
    which can be had at novnc/vnc.html with the same fragment.
    """
    facts = {"host": host, "port": str(port), "path": path, "autoconnect": "true",
             "resize": "remote", "reconnect": "true"}
    if wait:
        facts |= {"autoconnect": "false", "wait": "1"}
    if token:
        facts["password"] = token
    words = "&".join(f"{name}={quote(value, safe='/')}" for name, value in facts.items())
    return f"{base}view.html#{words}"


def session_path(where: Place, session: str) -> str:
    """Return the path of a session's websocket, as noVNC takes it: without the first slash."""
    return f"{where.base}/session/{session}/websockify".lstrip("/")


def link(where: Place, session: str, token: str = "", *, wait: bool = False) -> str:
    """Return the relative link from a page of the service to a session's screen; see viewer."""
    return viewer("", where.host, where.port, session_path(where, session), token, wait=wait)


def address(where: Place, session: str, token: str = "", *, wait: bool = False) -> str:
    """Return the absolute address of a session's screen; see viewer."""
    return where.address + link(where, session, token, wait=wait)


def websocket(where: Place, session: str) -> str:
    """Return the address of a session's websocket."""
    return f"{where.address.replace('http', 'ws', 1)}session/{session}/websockify"
