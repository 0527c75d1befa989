"""What goes back to the browser: pages from templates, JSON, pictures, redirections.

The only importer of jinja2. Every answer carries the headers that keep a browser from doing more
with it than meant, and its length, so that it ends when it is sent.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from desktop import __version__, maintenance
from desktop.errors import Refusal
from desktop.settings import Settings

if TYPE_CHECKING:
    import jinja2

TEMPLATES = Path(__file__).parent / "templates"
REASONS = {200: "OK", 201: "Created", 303: "See Other", 400: "Bad Request", 401: "Unauthorized",
           403: "Forbidden", 404: "Not Found", 405: "Method Not Allowed", 409: "Conflict",
           410: "Gone", 413: "Content Too Large", 415: "Unsupported Media Type",
           429: "Too Many Requests", 500: "Internal Server Error", 503: "Service Unavailable",
           507: "Insufficient Storage"}
TITLES = {400: "That cannot be", 401: "Who are you?", 403: "Not allowed", 404: "Not found",
          409: "Not now", 410: "It is over", 413: "Too much", 429: "Please wait",
          500: "Something is wrong here", 503: "Not now", 507: "No room"}
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
                               "img-src 'self'; connect-src 'self'; form-action 'self'; "
                               "frame-ancestors 'none'; base-uri 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    # Not no-referrer: with it Chromium sends `Origin: null` with forms.
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
    "Vary": "Accept, Cookie",
}


@dataclass(frozen=True)
class Answer:
    """One answer; its headers are ours alone and never repeat what a browser sent."""

    status: int
    kind: str
    body: bytes
    headers: tuple[tuple[str, str], ...] = ()

    def plus(self, name: str, value: str) -> "Answer":
        """Return the answer with one more header, unless its value is empty."""
        return replace(self, headers=(*self.headers, (name, value))) if value else self


def no_ticket(action: str, about: str = "") -> str:
    """Return what the forms of a page for nobody carry."""
    return ""


@dataclass(frozen=True)
class Frame:
    """What every page shows around its own matter."""

    person: Mapping[str, object] | None = None  # name, admin, sign_out; None for a stranger
    notices: Sequence[str] = ()
    inline_css: str | None = None  # makes the page one self-contained file
    cache: Path | None = None  # where compiled pages are kept: 20 ms less for each
    ticket: Callable[..., str] = no_ticket  # of an action and what it is about, for forms


def environment(cache: Path | None) -> "jinja2.Environment":
    """Return the templates' environment."""
    import jinja2  # 40 ms: while QEMU starts, and not for JSON
    kept = None
    if cache:
        cache.mkdir(mode=0o700, parents=True, exist_ok=True)
        kept = jinja2.FileSystemBytecodeCache(str(cache))
    return jinja2.Environment(loader=jinja2.FileSystemLoader(TEMPLATES), autoescape=True,
                              undefined=jinja2.StrictUndefined, auto_reload=False,
                              bytecode_cache=kept)


def render(frame: Frame, template: str, title: str, refresh: int | None, /,
           **facts: Any) -> str:
    """Return the text of a page."""
    facts |= {"page": {"title": title, "refresh": refresh}, "person": frame.person,
              "notices": frame.notices, "service": {"version": __version__},
              "inline_css": frame.inline_css, "ticket": frame.ticket}
    return fill(frame.cache, template, facts)


def fill(cache: Path | None, template: str, facts: Mapping[str, Any]) -> str:
    """Return what a template makes of facts."""
    try:
        return environment(cache).get_template(template).render(facts)
    except OSError:  # the cache: a full disk, another one's directory
        return environment(None).get_template(template).render(facts)


def html(status: int, frame: Frame, template: str, title: str, /, *,
         refresh: int | None = None, **facts: Any) -> Answer:
    """Return a page; `refresh` is in seconds."""
    text = render(frame, template, title, refresh, **facts)
    return Answer(status, "text/html; charset=utf-8", text.encode())


def by_itself(settings: Settings, template: str, title: str, /, **facts: Any) -> str:
    """Return a page as one file that needs no other."""
    style = settings.dir_html / "style.css"
    try:
        css = style.read_text(encoding="utf-8")
    except OSError as error:
        raise Refusal(f"{style} cannot be read: {error.strerror}.", 500,
                      "dir_html names the directory of the static pages.") from error
    return render(Frame(notices=notices(settings), inline_css=css), template, title, None, **facts)


def data(status: int, facts: Mapping[str, Any]) -> Answer:
    """Return facts as JSON."""
    return Answer(status, "application/json", json.dumps(facts).encode() + b"\n")


def attachment(name: str, kind: str, text: str) -> Answer:
    """Return a text to be saved under a name."""
    return Answer(200, kind, text.encode(), (
        ("Content-Disposition", f'attachment; filename="{name}"'),))


def png(picture: bytes) -> Answer:
    """Return a picture."""
    return Answer(200, "image/png", picture)


def see(address: str) -> Answer:
    """Send the browser to another page of ours (RFC 9110, 15.4.4); `address` is relative."""
    return Answer(303, "text/plain; charset=utf-8", b"", (("Location", address),))


def done(wants_json: bool, facts: Mapping[str, Any], then: str = "monitor") -> Answer:
    """Answer what was done: a browser goes on to a page of ours, a program gets the facts."""
    return data(200, facts) if wants_json else see(then)


def refusal(problem: Refusal, frame: Frame, wants_json: bool, incident: str = "") -> Answer:
    """Return the answer to what is not done."""
    facts: dict[str, Any] = {
        "status": problem.status, "message": problem.message, "hint": problem.hint,
        "incident": incident or None, "retry_after": problem.retry_after}
    if wants_json:
        answer = data(problem.status, facts)
    else:
        title = TITLES.get(problem.status, TITLES[400])
        answer = html(problem.status, frame, "refusal.html", title, back="./", **facts)
    answer = answer.plus("Retry-After", str(problem.retry_after or ""))
    if problem.status == 401:  # RFC 9110, 11.6.1 asks for it; browsers ignore schemes unknown
        answer = answer.plus("WWW-Authenticate", 'Form realm="remote-desktop"')
    return answer


def notices(settings: Settings) -> list[str]:
    """Return what every page of the service says."""
    said = [maintenance.text(settings)]
    if settings.allow_unauthenticated:
        said.append("This service is open: everybody who reaches it may start machines.")
    return list(filter(None, said))


def warm_up(frame: Frame) -> None:
    """Import and read what the page after a start needs, while something else takes its time."""
    try:
        environment(frame.cache).get_template("session.html")
    except OSError:
        pass  # then render() does without the cache


def write(answer: Answer, stream: BinaryIO) -> None:
    """Write the answer as a CGI script does (RFC 3875, 6)."""
    headers = {"Status": f"{answer.status} {REASONS.get(answer.status, '')}".rstrip(),
               "Content-Type": answer.kind, "Content-Length": str(len(answer.body)), **HEADERS}
    lines = [f"{name}: {value}" for name, value in [*headers.items(), *answer.headers]]
    assert not any("\n" in line or "\r" in line for line in lines)
    stream.write("\r\n".join([*lines, "", ""]).encode("ascii") + answer.body)
    stream.flush()
