"""The keeper's own socket: one JSON line each way, for the scripts of this service.

`ask` is the scripts' side, `answer` the keeper's. Requests name what to do: status, stop, extend,
message, screen, write; the answer has `ok`, and `problem` when it is false.
"""

import json
import socket
from collections.abc import Callable
from typing import Any

from desktop.errors import Refusal
from desktop.session.paths import Paths

Answer = dict[str, Any]
LINE = 64 << 10  # bytes, at most


class Silent(Exception):
    """The keeper is not there, or hangs."""


def ask(paths: Paths, do: str, *, timeout: float = 5, **facts: Any) -> Answer:
    """Ask a session's keeper to do something; raise Silent when no answer comes in time."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(timeout)
        try:
            connection.connect(str(paths.control))
            connection.sendall(json.dumps({"do": do, **facts}).encode() + b"\n")
            line = read_line(connection)
        except OSError as error:
            raise Silent(f"the keeper of {paths.session} does not answer") from error
    try:
        answer: Answer = json.loads(line)
    except ValueError as error:
        raise Silent(f"the keeper of {paths.session} answers {line!r}") from error
    return answer


def must_answer(paths: Paths, do: str, otherwise: str, **facts: Any) -> Answer:
    """Ask a keeper for somebody who waits; raise Refusal (503), `otherwise`, when it is silent."""
    try:
        return ask(paths, do, **facts)
    except Silent as problem:
        raise Refusal(f"{otherwise}: {problem}.", 503, "Try again in a minute.", 60) from problem


def listen(paths: Paths) -> socket.socket:
    """Return the keeper's listening socket; one a dead keeper left is replaced."""
    paths.control.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(paths.control))
    listener.listen(16)
    return listener


def answer(listener: socket.socket, decide: Callable[[str, Answer], Answer]) -> None:
    """Take one request and answer what `decide` says; a bad one harms nobody.

    The keeper waits for nobody: a program of ours sends its line at once or is left.
    """
    connection, _ = listener.accept()
    with connection:
        connection.settimeout(1)
        try:
            facts = json.loads(read_line(connection))
            reply = decide(str(facts.pop("do")), facts)
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            reply = {"ok": False, "problem": f"not understood ({error!r})"}
        try:
            connection.sendall(json.dumps(reply).encode() + b"\n")
        except OSError:
            pass  # it did not wait


def read_line(connection: socket.socket) -> bytes:
    """Return one line without its end."""
    line = b""
    while not line.endswith(b"\n"):
        chunk = connection.recv(4096)
        if not chunk or len(line) > LINE:
            raise ConnectionError("no whole line")
        line += chunk
    return line.rstrip()
