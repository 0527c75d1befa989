"""A connection to QEMU's control socket, QMP (QEMU documentation, qmp-spec).

Small on purpose: the keeper waits for events and for its viewers in one place, which the asyncio
library `qemu.qmp` would not fit, and a fifth of the time a start may take is its import.
"""

import json
import socket
import time
from collections import deque
from collections.abc import Sequence
from pathlib import Path
from typing import Any


class Error(Exception):
    """QEMU refused a command, or did not answer in time, or is gone."""


class Silent(Error):
    """QEMU did not answer in time."""


class Connection:
    """A negotiated QMP connection. `events` holds what QEMU reported and nobody took yet."""

    def __init__(self, path: Path) -> None:
        """Connect; QEMU may still be starting behind an already listening socket."""
        self.socket = socket.socket(socket.AF_UNIX)
        self.events: deque[dict[str, Any]] = deque()
        self._rest = b""
        self._number = 0  # of the last command
        self._open: tuple[int, float] | None = None  # one without an answer, and since when
        self._pinged = time.monotonic()
        try:
            self.socket.connect(str(path))
        except OSError as error:
            self.socket.close()
            raise Error(f"no QMP at {path.name} ({error.strerror})") from error

    def negotiate(self, timeout: float) -> None:
        """Wait for QEMU's greeting, at most `timeout` seconds, and take up commands.

        What happens while QEMU takes the connection is reported to it before the greeting, as if
        the last client were still there (QEMU 7.2).
        """
        deadline = time.monotonic() + timeout
        while "QMP" not in (message := self._read(deadline)):
            if "event" not in message:
                raise Error("no QMP greeting")
            self.events.append(message)
        self.execute("qmp_capabilities")

    def execute(self, command: str, arguments: dict[str, Any] | None = None,
                timeout: float = 5, descriptors: Sequence[int] = ()) -> Any:
        """Run a command and return what it answers; raise Error with QEMU's own words.

        QEMU gets copies of the `descriptors`, for getfd.
        """
        deadline = time.monotonic() + timeout
        self._number += 1
        request = {"execute": command, "arguments": arguments or {}, "id": self._number}
        try:
            self.socket.settimeout(timeout)
            message = json.dumps(request).encode() + b"\n"
            sent = socket.send_fds(self.socket, [message], descriptors)
            if rest := message[sent:]:  # sending nothing fails when QEMU has quit already
                self.socket.sendall(rest)
        except OSError as error:
            raise Error(f"QEMU is gone ({error})") from error
        while True:
            try:
                answer = self._read(deadline)
            except Silent:
                self._open = self._open or (self._number, deadline - timeout)
                raise
            if "event" in answer:
                self.events.append(answer)
            elif answer.get("id") != self._number:
                continue  # the answer to a command that was given up
            elif "return" in answer:
                return answer["return"]
            else:
                raise Error(f"{command}: {answer.get('error', {}).get('desc')}")

    def ping(self, every: float) -> None:
        """Ask QEMU for its state, when it was not asked for so many seconds; wait for nothing."""
        now = time.monotonic()
        if self._open or now - self._pinged < every:
            return
        self._pinged = now
        self._number += 1
        self._open = self._number, now
        try:
            self.socket.settimeout(0)
            self.socket.sendall(json.dumps({"execute": "query-status",
                                            "id": self._number}).encode() + b"\n")
        except OSError:
            pass  # it has not even read what it was asked before, or is gone, which is seen apart

    def waited(self) -> float | None:
        """Return the seconds since which an answer is due; None: none is."""
        return time.monotonic() - self._open[1] if self._open else None

    def take(self) -> list[dict[str, Any]]:
        """Return the events that have come, without waiting; raise Error when QEMU is gone.

        What it reported last is returned before that.
        """
        try:
            while (message := self._read(None)) is not None:
                if "event" in message:  # not the late answer to a command that was given up
                    self.events.append(message)
        except Error:
            if not self.events:
                raise
        taken = list(self.events)
        self.events.clear()
        return taken

    def fileno(self) -> int:
        """Return the descriptor to wait on for events."""
        return self.socket.fileno()

    def close(self) -> None:
        """Leave QEMU alone."""
        self.socket.close()

    def _read(self, deadline: float | None) -> Any:
        """Return the next message; with no deadline None when none is complete yet."""
        while b"\n" not in self._rest:
            try:
                self.socket.settimeout(max(0.001, deadline - time.monotonic()) if deadline else 0)
                chunk = self.socket.recv(65536)
            except BlockingIOError:
                return None
            except TimeoutError as error:
                raise Silent("QEMU does not answer") from error
            except OSError as error:
                raise Error(f"QEMU is gone ({error.strerror})") from error
            if not chunk:
                raise Error("QEMU is gone")
            self._rest += chunk
        line, _, self._rest = self._rest.partition(b"\n")
        message = json.loads(line)
        if self._open and message.get("id", 0) >= self._open[0]:
            self._open = None
        return message
