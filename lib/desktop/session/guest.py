"""The running machine of a session: QEMU, its QMP connection and its network helper."""

import logging
import os
import signal
import socket
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from desktop import process
from desktop.errors import Refusal
from desktop.machine import migration, qmp
from desktop.process import Process
from desktop.session import garage
from desktop.session.paths import Paths
from desktop.session.ports import Ports
from desktop.session.record import Record
from desktop.settings import Settings

log = logging.getLogger("guest")
START_TIME = 20.0  # seconds for QEMU to answer, and for a machine to take up a state
COPY_TIME = 12.0  # seconds of the same for a machine that can boot after all
QUIT_TIME = 3.0  # seconds for QEMU to end
STOPPED = ("paused", "postmigrate", "finish-migrate")  # by a keeper, not for want of disk
ASK_EVERY = 20.0  # seconds at least between two questions whether QEMU is there
SILENCE = 5.0  # seconds without an answer after which it is said to be silent
PICTURE_AGE = 4.0  # seconds for which one picture of the screen serves all who look
PICTURE = 16 << 20  # bytes of one at most: a guest may have a screen of any size and no pattern
FULL = 64 << 20  # bytes free, below which a disk counts as full
BANNER = b"RFB "
LOG_LIMIT = 1 << 20  # bytes; they lie in memory, in /run


class Guest:
    """QEMU and what belongs to it, as children of this process or adopted."""

    def __init__(self, paths: Paths, settings: Settings) -> None:
        self.paths = paths
        self.settings = settings
        self.qemu: Process | None = None
        self.qmp: qmp.Connection | None = None
        self.children: list[process.Child] = []
        self.ports = Ports(paths, self.command)
        self.pictured = 0.0  # when the last picture was made

    def take(self, qemu: process.Child) -> None:
        """Take what was started; raise Refusal when it has ended already."""
        self.children.append(qemu)
        self.qemu = process.identify(qemu.pid)
        if self.qemu is None:
            raise self.failure("it ended at once")
        self.qmp = qmp.Connection(self.paths.qmp)

    def connect(self, helper: Sequence[str], descriptor: int) -> Process | None:
        """Start the network helper on its end of the line; raise process.Failed."""
        child = process.start(helper, self.paths.keeper_log, [descriptor])
        os.close(descriptor)
        self.children.append(child)
        return process.identify(child.pid)

    def ready(self, incoming: Mapping[str, Any] | None = None,
              patience: float = START_TIME) -> None:
        """Wait until the machine runs and its screen answers; raise Refusal with QEMU's words.

        `incoming` is the state it goes on from, `patience` the seconds for all of it.
        """
        assert self.qmp is not None
        end = time.monotonic() + patience
        try:
            self.qmp.negotiate(patience)
            if incoming:
                self.resume(self.qmp, incoming, max(1.0, end - time.monotonic()))
            with socket.socket(socket.AF_UNIX) as screen:
                screen.settimeout(max(1.0, end - time.monotonic()))
                screen.connect(str(self.paths.vnc))
                banner = screen.recv(12)
        except (qmp.Error, OSError) as error:
            raise self.failure(str(error)) from error
        if not banner.startswith(BANNER):
            raise Refusal("The machine's screen does not answer.", 500)

    def resume(self, connection: qmp.Connection, incoming: Mapping[str, Any],
               seconds: float) -> None:
        """Have a machine go on from a state; what is its own is plugged in before it runs.

        What was saved of a parked one is of no use from the moment it runs. Raises qmp.Error or
        OSError.
        """
        migration.load(connection, Path(incoming["state"]), seconds, shared=incoming["shared"])
        self.ports.tell(incoming["word"])
        for facts in incoming["plug"]:
            connection.execute("device_add", facts)
        if saved := incoming.get("saved"):
            garage.use(Path(saved))
        connection.execute("cont")

    def adopt(self, entry: Record) -> None:
        """Take over a running machine that lost its keeper; raise qmp.Error when it is gone.

        One that was being parked goes on.
        """
        self.qemu = entry.qemu
        self.qmp = qmp.Connection(self.paths.qmp)
        self.qmp.negotiate(START_TIME)
        with suppress(qmp.Error):  # it runs on all the same
            migration.cancel(self.qmp)
        if self.qmp.execute("query-status")["status"] in STOPPED:
            self.command("cont")

    def command(self, name: str, arguments: dict[str, Any] | None = None, *,
                quiet: bool = False) -> Any:
        """Run a QMP command; return None, with a line in the log, when QEMU refuses it."""
        try:
            if self.qmp is None:
                raise qmp.Error("QEMU is gone")
            return self.qmp.execute(name, arguments)
        except qmp.Error as error:
            log.log(logging.DEBUG if quiet else logging.WARNING, "%s", error)
            return None

    def wonders(self) -> bool:
        """Ask QEMU whether it is there, now and then; tell whether it has not answered yet."""
        if self.qmp is None:
            return False
        self.qmp.ping(ASK_EVERY)
        return self.qmp.waited() is not None

    def silent(self) -> bool:
        """Tell whether QEMU leaves a question unanswered; others would only wait as well."""
        waited = self.qmp.waited() if self.qmp else None
        return waited is not None and waited >= SILENCE

    def picture(self) -> bool:
        """Have a picture of the screen, PNG, that is not too old; tell whether there is one."""
        now = time.monotonic()
        if self.silent():
            return False
        if now - self.pictured > PICTURE_AGE:
            draft = self.paths.screen.with_suffix(".new")
            done = self.command("screendump", {"filename": str(draft), "format": "png"})
            if done is None or draft.stat().st_size > PICTURE:
                draft.unlink(missing_ok=True)  # it would fill the memory behind /run
                return False
            draft.rename(self.paths.screen)
            self.pictured = now
        return True

    def room_on_disk(self) -> bool:
        """Tell whether a machine that ran out of host disk may go on."""
        facts = os.statvfs(self.settings.dir_snapshots)
        return facts.f_bavail * facts.f_frsize > FULL

    def trim_logs(self) -> None:
        """Empty logs that have grown: a guest can make QEMU complain as often as it likes."""
        for path in (self.paths.qemu_log, self.paths.keeper_log):
            with suppress(FileNotFoundError):
                if path.stat().st_size > LOG_LIMIT:
                    os.truncate(path, 0)

    def failure(self, otherwise: str) -> Refusal:
        """Return why the machine did not start, in QEMU's words, and what to do about it."""
        from desktop.host import vfio  # only when something went wrong
        words = self.last_words() or otherwise
        return Refusal(f"The machine did not start: {words.rstrip('.')}.", 500,
                       vfio.explain(self.said()) or "Tell your administrator.")

    def said(self) -> str:
        """Return what QEMU wrote."""
        try:
            return self.paths.qemu_log.read_text(errors="replace").strip()
        except OSError:
            return ""

    def last_words(self) -> str:
        """Return the last thing that QEMU wrote; its hints are on lines of their own."""
        lines = [line.strip() for line in self.said().splitlines()
                 if ": warning: " not in f": {line}"]  # about a QMP command without QEMU's name
        name = f"{Path(self.settings.qemu_exec).name}:"
        own = [number for number, line in enumerate(lines) if line.startswith(name)]
        return " ".join(lines[own[-1]:] if own else lines[-1:])

    def abandon(self) -> None:
        """Kill a QEMU that does not do what it should."""
        for child in self.children:
            child.kill()
        self.reap()
        self.children.clear()
        if self.qmp:
            self.qmp.close()

    def quit(self) -> None:
        """Have QEMU end itself and wait for that, but not for ever."""
        if self.qmp and self.qemu:
            try:
                self.qmp.execute("quit", timeout=0.1 if self.silent() else QUIT_TIME)
            except qmp.Silent:
                process.send(self.qemu, signal.SIGKILL)
            except qmp.Error:
                pass  # it may be gone before it answers
            process.wait(self.qemu, QUIT_TIME)

    def reap(self) -> None:
        """Take note of children that have ended."""
        process.reap(self.children)
