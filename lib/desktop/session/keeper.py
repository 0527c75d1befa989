"""The keeper: one process per session, from the start of its machine to the last file removed.

Once it has its machine (beginning) it shows the screen (display), answers the scripts (control),
and waits in one place for whatever comes next: an event of QEMU, a request, a viewer, the next
moment on its calendar.
"""

import logging
import os
import selectors
import signal
import socket
import sys
from contextlib import suppress
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

from desktop import process
from desktop.machine import qmp
from desktop.session import control, ending, extension, news, parking, record
from desktop.session.calendar import RETRY, Calendar
from desktop.session.guest import Guest
from desktop.session.paths import Paths
from desktop.session.postman import Postman
from desktop.session.record import SILENT, Record, State
from desktop.settings import Settings

if TYPE_CHECKING:
    from desktop.session.display import Display

log = logging.getLogger("keeper")


class Keeper:
    """The state of one session, changed by this process alone."""

    def __init__(self, paths: Paths, entry: Record, its_settings: Settings) -> None:
        self.paths = paths
        self.entry = entry
        self.settings = its_settings
        self.guest = Guest(paths, its_settings)
        self.selector = selectors.DefaultSelector()
        self.bell, self.button = socket.socketpair(type=socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
        self.calendar = Calendar(its_settings)
        self.postman = Postman(paths)
        self.display: Display | None = None
        self.visits = 0  # that were noted
        # Who asks before run() waits for it, or who is told to go, is heard then.
        self.requests = control.listen(paths)
        signal.set_wakeup_fd(self.button.fileno())
        signal.signal(signal.SIGTERM, lambda *_: self.stop("the server stopped it"))
        self.over = ""  # how it ended, once it has
        self.unsaved = False
        self.word = ""  # that the guest did not boot, and why

    def show(self, listener: socket.socket) -> None:
        """Let viewers in."""
        if self.settings.dir_websockify != "websockify":
            sys.path.insert(0, self.settings.dir_websockify)
        from desktop.session.display import Display  # 45 ms, once the request is answered
        self.display = Display(listener, self.paths.vnc, self.settings,
                               single=not self.entry.persistent, changed=self.ring,
                               text=lambda: news.text(self.entry, self.settings),
                               owner=self.entry.source)
        self.display.start()

    def ring(self) -> None:
        """Have the keeper look around; from any thread. Signals do so by themselves."""
        with suppress(BlockingIOError):  # it has not yet heard the last one
            self.button.send(b"!")

    def run(self, listener: socket.socket) -> None:
        """Wait for what comes, until the session is over and nothing of it is left."""
        assert self.guest.qmp and self.guest.qemu
        self.show(listener)
        self.guest.ports.plug(self.word)
        death = os.pidfd_open(self.guest.qemu.pid)
        for source, act in ((self.guest.qmp, self.hear), (self.bell, self.look),
                            (death, self.mourn),
                            (self.requests, lambda: control.answer(self.requests, self.decide))):
            self.selector.register(source, selectors.EVENT_READ, act)
        while not self.over:
            pause = RETRY if self.unsaved or self.guest.wonders() else self.calendar.pause(
                self.entry)
            for key, _ in self.selector.select(pause):
                key.data()
            if self.calendar.retry_is_due() and self.guest.room_on_disk():
                self.calendar.retry = None
                self.guest.command("cont")
            self.hear()  # events may have come with the answers to commands
            self.note_silence()
            self.over = self.over or self.calendar.over(self.entry)
            if not self.over and self.calendar.parking_is_due(self.entry):
                self.park()
            if self.calendar.notice_is_due(self.entry):
                self.update(**self.postman.send(self.entry))
            if self.unsaved:
                self.update()
            self.guest.trim_logs()
        self.finish(self.over)

    # What comes

    def hear(self) -> None:
        """Act on what QEMU reports."""
        if self.guest.qmp is None:
            return
        try:
            events = self.guest.qmp.take()
        except qmp.Error:
            self.selector.unregister(self.guest.qmp)
            self.guest.qmp = None  # its death is seen apart
            return
        for event in events:
            facts = event.get("data", {})
            match event["event"]:
                case "SHUTDOWN" if facts.get("guest"):
                    self.over = self.over or "shut down inside"
                case "BLOCK_IO_ERROR" if facts.get("nospace"):
                    self.calendar.retry = process.boottime() + RETRY
                    self.update(state=State.PAUSED, reason="disk full")
                case "STOP" if self.entry.state is State.RUNNING:
                    self.update(state=State.PAUSED, reason=self.entry.reason)
                case "VSERPORT_CHANGE":
                    self.guest.ports.changed(facts["id"], facts["open"])
                case "RESUME" if self.entry.state is State.PAUSED:
                    self.update(state=State.RUNNING, reason="")

    def note_silence(self) -> None:
        """Have the record say whether QEMU answers; a guest that stands still is no reason."""
        silent = self.guest.silent()
        if silent != (self.entry.reason == SILENT):
            self.update(reason=SILENT if silent else "disk full" if self.calendar.retry else "")

    def mourn(self) -> None:
        """QEMU is gone."""
        self.hear()
        words = self.guest.last_words()
        self.over = self.over or (f"QEMU ended: {words}" if words else "QEMU ended")

    def look(self) -> None:
        """Note who looks on."""
        self.bell.recv(4096)
        if self.display is None:
            return
        count, visits = len(self.display.viewers()), self.display.visits
        if visits != self.visits:
            self.visits = visits
            self.calendar.note_viewers(1)  # who may have left again
        self.calendar.note_viewers(count)
        if count != self.entry.viewers:
            stays = self.entry.reason.startswith(parking.STAYS)
            self.update(viewers=count, reason="" if count and stays else self.entry.reason)

    def decide(self, do: str, facts: dict[str, Any]) -> dict[str, Any]:
        """Answer a request on the control socket."""
        match do:
            case "status":
                viewers = [one.facts() for one in self.display.viewers()] if self.display else []
                return {"ok": True, "record": asdict(self.entry), "viewers": viewers}
            case "stop":
                self.stop(str(facts.get("how", "stopped")), bool(facts.get("polite")))
            case "extend":
                given, changes = extension.grant(self.entry, facts)
                self.update(**changes)
                return {"ok": True, "seconds": given}
            case "message":
                self.update(**news.message(facts))
                return {"ok": True, "viewers": self.entry.viewers}
            case "write":
                self.update()
            case "screen":
                return {"ok": self.guest.picture()}
            case _:
                return {"ok": False, "problem": f"{do!r} is not known"}
        return {"ok": True}

    def stop(self, how: str, polite: bool = False) -> None:
        """End the session, at once or after the guest had time to shut itself down."""
        if polite and self.entry.state is State.RUNNING:
            self.update(state=State.STOPPING, reason=how)
            self.guest.command("system_powerdown")
            self.calendar.powerdown = process.boottime() + ending.POLITE, how
        else:
            self.over = self.over or how
            self.ring()

    def park(self) -> None:
        """Save the machine and let go of it, or note why that cannot be."""
        try:
            parking.park(self.settings, self.guest, self.entry, self.paths)
        except parking.Stays as problem:
            log.info("%s is not parked: %s", self.entry.name, problem)
            self.calendar.put_off_parking()
            self.hear()  # that it stood still and goes on, which leaves no reason
            self.update(reason=f"{parking.STAYS}{problem}")
        else:
            self.over = news.PARKED

    # The record

    def update(self, **changes: Any) -> None:
        """Change the record. One that cannot be written is tried again; the machine goes on."""
        self.entry = replace(self.entry, **changes)
        try:
            record.write(self.paths.directory, self.entry)
            self.unsaved = False
        except OSError as error:
            if not self.unsaved:
                log.error("the record is not written: %s", error)
            self.unsaved = True
        if self.display:
            self.display.tell()

    def finish(self, how: str) -> None:
        """End what still runs, and remove all that is the session's."""
        self.update(state=State.STOPPING, reason=how)
        log.info("%s ends: %s", self.entry.name, how)
        if self.display:
            self.display.close(how)
        self.guest.quit()
        self.postman.close()
        ending.finish(self.settings, self.paths, self.entry, how)
        self.guest.reap()
