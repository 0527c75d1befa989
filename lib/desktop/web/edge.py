"""Runs a script: as a CGI program when GATEWAY_INTERFACE is set, else for somebody at a terminal.

Its story for the web ends or raises Refusal, which becomes a page or JSON. Anything else is a bug:
people get an incident number, the log the traceback.
"""

import logging
import os
import sys
from collections.abc import Mapping
from typing import BinaryIO, NoReturn

from desktop import configuration
from desktop import log as logs
from desktop.errors import Refusal
from desktop.web import entrance, gateway, login, page
from desktop.web import request as requests
from desktop.web.page import Frame
from desktop.web.script import BUG, DONE, Script, end
from desktop.web.visit import Visit

log = logging.getLogger("edge")


def run(script: Script) -> NoReturn:
    """Run a script to its end and exit."""
    if "GATEWAY_INTERFACE" not in os.environ:
        from desktop.web import terminal  # no request needs it
        terminal.run(script)
    # Apache passes words of the query as arguments (RFC 3875, 4.4): they are not read.
    end(lambda: serve(script, os.environ, sys.stdin.buffer, sys.stdout.buffer))


def serve(script: Script, environ: Mapping[str, str], body: BinaryIO, out: BinaryIO) -> int:
    """Answer one request."""
    logs.set_up(script.name)
    wants_json = requests.wants_json(environ) or (
        script.data and environ.get("REQUEST_METHOD") != "POST")
    frame, visit, status = Frame(), None, DONE
    try:
        current = configuration.load(environ)
        frame = Frame(notices=page.notices(current))
        request = requests.read(environ, body, query=script.query, fields=script.fields,
                                many=script.many, proxies=current.trusted_proxies)
        gateway.check_origin(request, current, login.by_itself(request, current))
        visit = Visit(request, current)
        answer = script.web(visit)
    except Refusal as problem:
        log.info("%s: %s", problem.status, problem)
        if visit and not wants_json and entrance.asks(visit, problem):
            answer = entrance.again(visit, problem)
        else:
            answer = page.refusal(problem, visit.frame if visit else frame, wants_json)
        if problem.status == 405:
            answer = answer.plus("Allow", requests.ALLOWED)
    except Exception:
        status = BUG
        answer = page.refusal(Refusal("Something went wrong that should not.", 500), frame,
                              wants_json, logs.incident())
    if visit and visit.person:  # also when refused: nobody types a password twice
        answer = answer.plus("Set-Cookie", visit.person.cookie)
    requests.drain(body)
    page.write(answer, out)
    return status
