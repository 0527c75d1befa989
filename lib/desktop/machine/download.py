"""A file from the web, written into a part that is resumed where the last run was cut.

In: an address and the part. Out: a complete part, checked by the caller. Speaks http and https,
goes through the proxy that http_proxy, https_proxy and no_proxy name, follows redirects to http
and https alone. A part is resumed by Range with If-Range (RFC 9110, 13.1.5 and 14.2): a server
that does not know ranges, or has another file by now, sends the whole, and the part begins anew.
"""

import re
import ssl
import time
from collections.abc import Callable, Iterator
from http.client import HTTPException, HTTPResponse
from urllib import request
from urllib.error import URLError
from urllib.parse import urljoin

from desktop import __version__
from desktop.errors import Refusal
from desktop.machine import descriptor
from desktop.machine.part import Part
from desktop.machine.progress import Progress, amount

BLOCK = 1 << 20
LOOK = 64 << 20  # bytes between two looks at the disk
SILENCE = 60  # seconds
PAUSES = (1, 2, 4, 8)  # seconds, before a connection that was cut is tried again
REDIRECTS = (301, 302, 303, 307, 308)
MOST_REDIRECTS = 10
PASSING = (408, 429, 500, 502, 503, 504)  # what a server may get over in a moment
GO_ON = "Run this again: it goes on from there."

Room = Callable[[int], None]  # raises Refusal when so many bytes do not fit on the disk


class Cut(Exception):
    """The connection did not last; the text says why."""


def download(url: str, into: Part, room: Room, progress: Progress) -> None:
    """Complete a part; a connection that is cut is made again while that leads on.

    Raises Refusal: 502 when the server cannot be reached or does not have it, or it is cut again
    and again; whatever `room` raises.
    """
    pauses: Iterator[int] = iter(())
    while True:
        before = into.size()
        try:
            return attempt(url, into, room, progress)
        except Cut as cut:
            if into.size() > before:
                pauses = iter(PAUSES)
            pause = next(pauses, None)
            if pause is None:
                there = f" {amount(into.size())} are there." if into.size() else ""
                raise Refusal(f"{url} cannot be fetched: {cut}.{there}", 502,
                              GO_ON if there else "") from cut
            progress.say(f"{cut}; going on from {amount(into.size())} in {pause} s")
            time.sleep(pause)


def attempt(url: str, into: Part, room: Room, progress: Progress) -> None:
    """Fetch what is missing over one connection; raise Cut when it is not all."""
    mark, have = into.mark(url), into.size()
    wanted = {"Range": f"bytes={have}-", "If-Range": mark} if mark and have else {}
    with ask(url, wanted) as answer:
        if answer.status == 416:  # the same file, and nothing behind what is there
            return
        start, total = extent(answer)
        if start not in (0, have):
            raise Cut("the server sends another part than the one asked for")
        if not start:
            into.begin(url, identity(answer))
        room(total - start if total else 0)
        copy(answer, into, start, total, room, progress)


def copy(answer: HTTPResponse, into: Part, start: int, total: int | None, room: Room,
         progress: Progress) -> None:
    """Append the body of an answer to the part; raise Cut when it ends early."""
    done = into.file.seek(start)
    seen = done
    for block in blocks(answer):
        if total is not None and done + len(block) > total:
            raise Cut("the server sent more than it said")
        into.file.write(block)
        done += len(block)
        progress.show(done, total)
        if done - seen > LOOK:
            room(0)
            seen = done
    into.sync()
    if total is not None and done < total:
        raise Cut("the connection was cut")


def blocks(answer: HTTPResponse) -> Iterator[bytes]:
    """Yield what comes, as it comes; raise Cut when the connection breaks."""
    try:
        while block := answer.read1(BLOCK):
            yield block
    except (OSError, HTTPException) as error:
        raise Cut(f"the connection was cut ({reason(error)})") from error


def extent(answer: HTTPResponse) -> tuple[int, int | None]:
    """Return where an answer's bytes belong, and how long the whole file is, None when in chunks.

    Raises Cut when neither is said: then nobody could tell whether all has come.
    """
    if answer.status == 200 and answer.chunked:
        return 0, None
    said = (answer.headers.get("Content-Length") if answer.status == 200
            else answer.headers.get("Content-Range"))
    found = re.fullmatch(r"(?:bytes (?:\*|([0-9]{1,18})-[0-9]{1,18})/)?([0-9]{1,18})", said or "")
    if not found:
        raise Cut("the server does not say how long the file is")
    return int(found[1] or 0), int(found[2])


def identity(answer: HTTPResponse) -> str:
    """Return what If-Range can tell this version of a file by, or nothing.

    A weak ETag cannot (RFC 9110, 13.1.5). A date may, and the checksum has the last word.
    """
    etag = answer.headers.get("ETag", "")
    return etag if etag.startswith('"') else answer.headers.get("Last-Modified", "")


def ask(url: str, wanted: dict[str, str]) -> HTTPResponse:
    """Send a request, follow where it is redirected to, and return the answer.

    It is 200, 206, or 416 (Range Not Satisfiable) where a range was wanted.

    Raises Refusal for what will not get better by itself, Cut for what may.
    """
    headers = {"User-Agent": f"remote-desktop/{__version__}", "Accept-Encoding": "identity"}
    for _ in range(MOST_REDIRECTS):
        answer = once(request.Request(url, headers=headers | wanted))
        if answer.status in (200, 206) or answer.status == 416 and wanted:
            return answer
        with answer:
            url = elsewhere(url, answer)
    raise Refusal(f"{url} cannot be fetched: it is redirected again and again.", 502)


def once(question: request.Request) -> HTTPResponse:
    """Return the answer to one request, whatever it is; no errors, no redirects are made of it.

    The usual opener would follow a redirect to ftp:, and read a page of any length before it does.
    """
    opener = request.OpenerDirector()
    for handler in (request.ProxyHandler(), request.HTTPHandler(), request.HTTPSHandler(),
                    request.UnknownHandler()):
        opener.add_handler(handler)
    try:
        answer: HTTPResponse = opener.open(question, timeout=SILENCE)
        return answer
    except (OSError, HTTPException, ValueError) as error:
        cause = error.reason if isinstance(error, URLError) else error
        if isinstance(cause, ssl.SSLCertVerificationError):
            raise Refusal(f"{question.full_url} cannot be fetched: its certificate is not trusted "
                          f"({cause.verify_message}).", 502) from error
        raise Cut(f"the server cannot be reached ({reason(cause)})") from error


def elsewhere(url: str, answer: HTTPResponse) -> str:
    """Return where an answer redirects to; raise Refusal or Cut for any other that is no file."""
    if answer.status not in REDIRECTS:
        words = f"the server answers {answer.status} {answer.reason}"
        if answer.status in PASSING:
            raise Cut(words)
        raise Refusal(f"{url} cannot be fetched: {words}.", 502)
    target = urljoin(url, answer.headers.get("Location", ""))
    try:
        return descriptor.address(target)
    except ValueError as problem:
        raise Refusal(f"{url} is redirected to {target[:200]!r}, which is not {problem}.",
                      502) from problem


def reason(error: object) -> str:
    """Return what is wrong with a connection, in the system's words."""
    return str(getattr(error, "strerror", None) or error or type(error).__name__)
