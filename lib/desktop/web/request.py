"""One request, as Apache hands it to a CGI script (RFC 3875): read once, strictly, into a record.

Out comes a frozen Request or a Refusal; what is unclear is refused, never guessed. The script says
which fields it knows. HTTP_PROXY is not looked at: anybody could send it. Whether to believe
REMOTE_USER is not said here.
"""

import os
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import BinaryIO

from desktop import settings, whereabouts
from desktop.errors import Refusal
from desktop.literal import CONTROL
from desktop.web import body, proxy

ALLOWED = "GET, HEAD, POST"  # the header Allow of an answer 405 (RFC 9110, 15.5.6)
MOST_CHARACTERS = 1024  # of one value
HOST = re.compile(r"(?:[A-Za-z0-9](?:[A-Za-z0-9._-]{0,252})|\[[0-9A-Fa-f:.]{2,45}\])"
                  r"(?::[0-9]{1,5})?")
SCRIPT = re.compile(r"(?:/[A-Za-z0-9._~-]+)+")


@dataclass(frozen=True, kw_only=True)
class Request:
    """What a browser or a program asked."""

    method: str  # GET or POST; a HEAD is a GET whose body Apache leaves out
    query: Mapping[str, str]  # of a GET; a POST has none
    fields: Mapping[str, str]  # of a POST, whatever its encoding
    cookies: Mapping[str, str]  # by name; of two with one name the first, the browser's nearer one
    json: bool  # the answer is wanted as JSON rather than HTML
    html: bool  # HTML is named among what is wanted: a browser shows the answer to a person
    host: str  # name and port as the browser said, such as desktop.example.org:8443
    scheme: str  # http or https, as it left the browser
    origin: str | None  # where the page lives that sent this; "null" when the browser hides it
    source: str  # address of the client
    doubted: str  # address of a proxy before which there may have been TLS: it is not believed
    remote_user: str  # what Apache says who it is: never from a header
    script: str  # path of the script, such as /desktop/create

    @property
    def base(self) -> str:
        """Return the path the service lives under, such as /desktop."""
        return self.script.rpartition("/")[0]


def read(environ: Mapping[str, str], stream: BinaryIO, *, query: Collection[str] = (),
         fields: Collection[str] = (), many: Collection[str] = (),
         proxies: Collection[str] = ()) -> Request:
    """Read the request; `query` and `fields` are the names that a GET and a POST may carry.

    Those of `many` may be there several times: their values become words of one.
    `proxies` are the addresses and networks whose X-Forwarded-For and -Proto are believed.

    What follows the script's name in the address (PATH_INFO) must be empty. Raises Refusal: 400
    for what is malformed, 404 for such an address, 405, 413 for a body above 64 KiB, 415 for
    one of another kind.
    """
    method = environ.get("REQUEST_METHOD", "")
    method = "GET" if method == "HEAD" else method
    if method not in ("GET", "POST"):
        raise Refusal("This address does not answer to that method.", 405,
                      f"It answers to {ALLOWED}.")
    if environ.get("PATH_INFO"):
        raise Refusal("There is nothing at this address.", 404)
    words = environ.get("QUERY_STRING", "")
    if method == "POST" and words:
        raise Refusal("Fields of a form belong into its body, not into the address.")
    posted = body.read(environ, stream, many) if method == "POST" else []
    return Request(
        method=method, query=sort(body.urlencoded(os.fsencode(words)), query),
        fields=sort(posted, fields, many), cookies=cookies(environ.get("HTTP_COOKIE", "")),
        json=wants_json(environ), html="text/html" in environ.get("HTTP_ACCEPT", ""),
        host=host(environ), scheme=proxy.scheme(environ, proxies),
        origin=environ.get("HTTP_ORIGIN"), doubted=proxy.doubted(environ, proxies),
        source=whereabouts.client(environ.get("REMOTE_ADDR", ""),
                                  environ.get("HTTP_X_FORWARDED_FOR", ""), proxies),
        remote_user=environ.get("REMOTE_USER", ""), script=script(environ))


def sort(pairs: Iterable[tuple[str, str]], known: Collection[str],
         many: Collection[str] = ()) -> dict[str, str]:
    """Return the fields by name; refuse what is unknown, there twice, too long or unprintable.

    Those of `many` are as long as the body may be, and their values words of one.
    """
    found: dict[str, str] = {}
    for name, value in pairs:
        if name not in known:
            raise Refusal(f"There is no field {body.shown(name)} here.", 400,
                          settings.nearest(name[:64], known))
        if name in found and name not in many:
            raise Refusal(f"{name} is there twice.")
        if len(value) > MOST_CHARACTERS and name not in many:
            raise Refusal(f"{name} is too long.")
        if CONTROL.search(value):
            raise Refusal(f"{name} contains control characters.")
        found[name] = f"{found[name]} {value}" if name in found else value
    return found


def cookies(header: str) -> dict[str, str]:
    """Return the cookies by name; those of other programs may look like anything."""
    found: dict[str, str] = {}
    for pair in header[:8192].split(";"):
        name, equals, value = pair.strip().partition("=")
        if equals:
            found.setdefault(name, value)
    return found


def wants_json(environ: Mapping[str, str]) -> bool:
    """Tell whether JSON is preferred to HTML (RFC 9110, 12.5.1)."""
    weights = {}
    for entry in environ.get("HTTP_ACCEPT", "").split(","):
        media, *parameters = (part.strip().lower() for part in entry.split(";"))
        weight = next((word[2:] for word in parameters if word.startswith("q=")), "1")
        weights[media] = float(weight) if re.fullmatch(r"[01](\.[0-9]{0,3})?", weight) else 0
    html = weights.get("text/html", 0)
    if environ.get("CONTENT_TYPE", "").startswith("application/json") and not html:
        return True  # a program that says what it sends and not what it wants, as curl does
    wanted = weights.get("application/json", 0)
    return wanted > 0 and wanted >= html


def host(environ: Mapping[str, str]) -> str:
    """Return the Host the browser named; raise Refusal for one that no browser sends."""
    named = environ.get("HTTP_HOST")
    if named is None:  # HTTP/1.0; then Apache's own name
        named = f"{environ.get('SERVER_NAME', 'localhost')}:{environ.get('SERVER_PORT', '80')}"
    if not HOST.fullmatch(named):
        raise Refusal("The Host of the request is not a host name.")
    return named.lower()


def script(environ: Mapping[str, str]) -> str:
    """Return the path of the script; it becomes part of cookies and addresses."""
    path = environ.get("SCRIPT_NAME", "")
    if not SCRIPT.fullmatch(path):
        raise Refusal("There is nothing at this address.", 404)
    return path


def drain(stream: BinaryIO) -> None:
    """Read what is left of a refused body: mod_cgid cuts the answer short otherwise.

    Apache lets no more than LimitRequestBody through; beyond this the answer may be cut.
    """
    stream.read(256 << 10)
