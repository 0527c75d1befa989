"""Runs a script: as a CGI program when GATEWAY_INTERFACE is set, else by hand.

A script tells its story to the end or raises Refusal, which becomes a page, JSON, or a line on
standard error. Anything else is a bug: people get an incident number, the log the traceback.
"""

import logging
import os
import sys
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import BinaryIO

from desktop import commandline
from desktop import log as logs
from desktop import settings
from desktop.commandline import Answered, Command, Line
from desktop.errors import Refusal
from desktop.settings import Settings
from desktop.web import gateway, login, page
from desktop.web import request as requests
from desktop.web.login import Person
from desktop.web.page import Answer, Frame
from desktop.web.request import Request

DONE, REFUSED, BUG = 0, 1, 2  # exit status
log = logging.getLogger("edge")


class Visit:
    """A request being answered, and who sends it, once that is asked."""

    def __init__(self, request: Request, settings: Settings) -> None:
        self.request = request
        self.settings = settings
        self.place = gateway.place(request, settings)
        self.person: Person | None = None

    def who(self) -> Person | None:
        """Return who sends the request, None for a stranger; see login.who."""
        self.person = login.who(self.request, self.settings)
        return self.person

    def must(self) -> Person:
        """Return who sends the request; raise Refusal (401) for a stranger."""
        person = self.person or self.who()
        if not person:
            raise Refusal("Please say who you are.", 401, "Enter your name and your password.")
        return person

    @property
    def frame(self) -> Frame:
        """Return what stands around every page of this visit."""
        someone = self.person
        return Frame({"name": someone.name, "admin": someone.admin} if someone else None,
                     page.notices(self.settings), cache=self.settings.dir_state / "pages")


@dataclass(frozen=True)
class Errand:
    """A run by hand: what was typed, and the name of who did."""

    line: Line
    settings: Settings
    user: str


@dataclass(frozen=True, kw_only=True)
class Script:
    """One script of cgi-bin.

    Attributes:
        name, about: for --help and the log.
        commands: what it takes by hand, besides the settings.
        as_caller: those commands that root does as root; the rest is done as the service does.
        query, fields: the names that a GET and a POST may carry.
        web, by_hand: the two stories.
        data: whether a GET is answered as JSON whatever is wanted.
    """

    name: str
    about: str
    web: Callable[[Visit], Answer]
    by_hand: Callable[[Errand], None]
    commands: Sequence[Command] = ()
    as_caller: Collection[str] = field(default=frozenset())
    query: Collection[str] = ()
    fields: Collection[str] = ()
    data: bool = False


def run(script: Script) -> None:
    """Run a script to its end and exit."""
    try:
        if "GATEWAY_INTERFACE" in os.environ:
            # Apache passes words of the query as arguments (RFC 3875, 4.4): they are not read.
            status = serve(script, os.environ, sys.stdin.buffer, sys.stdout.buffer)
        else:
            status = obey(script, os.environ, sys.argv[1:])
        sys.stdout.flush()
    except BrokenPipeError:  # whoever read this has gone
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        status = DONE
    except KeyboardInterrupt:
        status = 130  # as shells say it
    sys.exit(status)


def serve(script: Script, environ: Mapping[str, str], body: BinaryIO, out: BinaryIO) -> int:
    """Answer one request."""
    logs.set_up(script.name)
    wants_json = requests.wants_json(environ) or (
        script.data and environ.get("REQUEST_METHOD") != "POST")
    frame, visit, status = Frame(), None, DONE
    try:
        current = settings.load(environ)
        frame = Frame(notices=page.notices(current))
        request = requests.read(environ, body, query=script.query, fields=script.fields)
        gateway.check_origin(request, current, login.COOKIE)
        visit = Visit(request, current)
        answer = script.web(visit)
    except Refusal as problem:
        log.info("%s: %s", problem.status, problem)
        answer = page.refusal(problem, visit.frame if visit else frame, wants_json)
        if problem.status == 405:
            answer = answer.plus("Allow", requests.ALLOWED)
    except Exception:
        status = BUG
        answer = page.refusal(Refusal("Something went wrong that should not.", 500), frame,
                              wants_json, incident())
    if visit and visit.person:  # also when refused: nobody types a password twice
        answer = answer.plus("Set-Cookie", visit.person.cookie)
    requests.drain(body)
    page.write(answer, out)
    return status


def obey(script: Script, environ: Mapping[str, str], arguments: Sequence[str]) -> int:
    """Do one errand of somebody at a terminal."""
    logs.set_up(script.name)
    try:
        line = commandline.parse(arguments, script.commands, script.about)
        errand = Errand(line, settings.load(environ, line.settings), user_name())
        if not set(line.commands) & set(script.as_caller):
            become_service(errand.settings)
        write_log(script.name, errand.settings)
        script.by_hand(errand)
    except Answered as answer:
        print(answer)
    except Refusal as problem:
        print(problem, file=sys.stderr)
        return REFUSED
    except BrokenPipeError:
        raise
    except Exception:
        print(f"Something went wrong that should not; the log knows it as {incident()}.",
              file=sys.stderr)
        return BUG
    return DONE


def incident() -> str:
    """Log the exception that is being handled; return the number it can be found under."""
    number = os.urandom(3).hex()
    log.exception("incident %s", number)
    return number


def user_name() -> str:
    """Return the name of who runs this."""
    import pwd  # by hand only
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return str(os.getuid())


def become_service(settings: Settings) -> None:
    """Let root act as the owner of the sessions, so that the service can look after them too."""
    try:
        owner = settings.dir_cfg.stat()
    except OSError:
        return
    if os.geteuid() != 0 or owner.st_uid == 0:
        return
    import pwd
    try:
        account = pwd.getpwuid(owner.st_uid)
        os.initgroups(account.pw_name, account.pw_gid)
        os.setgid(account.pw_gid)
        os.environ["HOME"] = account.pw_dir
    except KeyError:  # an owner without a name
        os.setgroups([])
        os.setgid(owner.st_gid)
    os.setuid(owner.st_uid)


def write_log(name: str, settings: Settings) -> None:
    """Send the log to a file, where there can be one: at a terminal it is in the way.

    Root leaves the directory of another user alone, where a link may lie in wait.
    """
    try:
        settings.dir_log.mkdir(mode=0o750, parents=True, exist_ok=True)
        if settings.dir_log.stat().st_uid == os.geteuid():
            logs.set_up(name, open(settings.dir_log / "by-hand.log", "a", encoding="utf-8",
                                   opener=lambda path, flags: os.open(path, flags, 0o600)))
    except OSError:
        pass
