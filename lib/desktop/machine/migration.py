"""What QEMU knows of a machine, into a file and back, over QMP (QEMU documentation, migration).

QEMU may start no program and is told no path: it is handed the open file.
"""

import os
import time
from pathlib import Path
from typing import Any

from desktop.machine.qmp import Connection, Error

CANCEL_TIME = 10.0  # seconds
UNDER_WAY = ("setup", "active", "pre-switchover", "device", "cancelling")
BANDWIDTH = 1 << 40  # bytes per second: no limit


def save(connection: Connection, path: Path, timeout: float, *, shared: bool = False) -> None:
    """Write the state of a stopped machine into a new file, on the disk when this returns.

    `shared` leaves out memory that is in a file already. Raises qmp.Error or OSError.
    """
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        prepare(connection, shared)
        connection.execute("migrate-set-parameters", {"max-bandwidth": BANDWIDTH})
        connection.execute("getfd", {"fdname": "state"}, descriptors=[handle])
        connection.execute("migrate", {"uri": "fd:state"})
        try:
            wait(connection, timeout)
        except Error:
            cancel(connection)
            raise
        os.fsync(handle)
    finally:
        os.close(handle)


def cancel(connection: Connection) -> None:
    """Have QEMU give up what it saves, if anything: at its end it would stop the machine."""
    connection.execute("migrate_cancel")
    deadline = time.monotonic() + CANCEL_TIME
    while connection.execute("query-migrate").get("status") in UNDER_WAY:
        if time.monotonic() > deadline:
            raise Error("the state is still being saved")
        time.sleep(0.01)


def load(connection: Connection, path: Path, timeout: float, *, shared: bool = False) -> None:
    """Have a QEMU started with `-incoming defer` take up a state; the machine is stopped then.

    Raises qmp.Error, also when QEMU ended over it, or OSError.
    """
    handle = os.open(path, os.O_RDONLY)
    try:
        prepare(connection, shared)
        connection.execute("getfd", {"fdname": "state"}, descriptors=[handle])
        connection.execute("migrate-incoming", {"uri": "fd:state"})
        wait(connection, timeout)
    finally:
        os.close(handle)


def prepare(connection: Connection, shared: bool) -> None:
    """Set how memory is dealt with; by QMP, as QEMU 7.2 ignores -global for this one."""
    connection.execute("migrate-set-capabilities", {"capabilities": [
        {"capability": "x-ignore-shared", "state": shared}]})


def wait(connection: Connection, timeout: float) -> None:
    """Wait until all has been written or read."""
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        facts: dict[str, Any] = connection.execute("query-migrate",
                                                   timeout=max(1.0, deadline - time.monotonic()))
        match facts.get("status"):
            case "completed":
                return
            case "failed" | "cancelled":
                raise Error(f"the state could not be moved: {facts.get('error-desc', 'failed')}")
        time.sleep(0.002)
    raise Error("the state could not be moved in time")
