"""A record to begin with."""

import socket
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from desktop import process
from desktop.session import record
from desktop.session.paths import Paths
from desktop.session.record import Record, State

Maker = Callable[..., Paths]


def sample(**facts: Any) -> Record:
    """Return a running session of this host and boot."""
    return replace(Record(
        session=record.new_id(), name="tiny-abcd", state=State.RUNNING, owner="ann",
        machine="tiny.iso", title="Tiny", cpu=1, memory=256, disk=1.0, video="virtio",
        persistent=True, start=1e9, deadline=0.0, boot=process.boot_id(),
        host=socket.gethostname(), launcher="detach", endpoint="/x"), **facts)
