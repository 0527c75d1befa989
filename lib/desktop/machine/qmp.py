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


class Connection:
    """A negotiated QMP connection. `events` holds what QEMU reported and nobody took yet."""

    def __init__(self, path: Path) -> None:
        """Connect; QEMU may still be starting behind an already listening socket."""
        self.socket = socket.socket(socket.AF_UNIX)
        self.events: deque[dict[str, Any]] = deque()
        self._rest = b""
        self._number = 0  # of the last command
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
            self.socket.sendall(message[sent:])
        except OSError as error:
            raise Error(f"QEMU is gone ({error})") from error
        while True:
            answer = self._read(deadline)
            if "event" in answer:
                self.events.append(answer)
            elif answer.get("id") != self._number:
                continue  # the answer to a command that was given up
            elif "return" in answer:
                return answer["return"]
            else:
                raise Error(f"{command}: {answer.get('error', {}).get('desc')}")

    def take(self) -> list[dict[str, Any]]:
        """Return the events that have come, without waiting; raise Error when QEMU is gone."""
        while (message := self._read(None)) is not None:
            if "event" in message:  # not the late answer to a command that was given up
                self.events.append(message)
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
                raise Error("QEMU does not answer") from error
            except OSError as error:
                raise Error(f"QEMU is gone ({error.strerror})") from error
            if not chunk:
                raise Error("QEMU is gone")
            self._rest += chunk
        line, _, self._rest = self._rest.partition(b"\n")
        return json.loads(line)
