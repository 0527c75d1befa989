"""The boot of a machine that is to be frozen, watched until it is ready.

It says so on its serial port, in the words that its descriptor has; else the screen and the CPUs
tell; else somebody who watches.
"""

import os
import time
from base64 import b64decode
from collections.abc import Callable
from pathlib import Path

from desktop.errors import Refusal
from desktop.freeze import draft, stillness
from desktop.freeze.stillness import Look, Stillness
from desktop.machine import qmp

PATIENCE = 1800.0  # seconds for a machine to boot
PAUSE = 1.0  # seconds between two looks
CALM = 2  # looks in which a machine that said it is ready has little to do
HURRY = 20  # looks after which that no longer matters
WORDLESS = 60.0  # seconds after which it is said which word it waits for
SERIAL = 65536  # bytes that QEMU keeps of the serial port
TICKS = os.sysconf("SC_CLK_TCK")

Say = Callable[[str], None]


class Boot:
    """A machine on its way."""

    def __init__(self, connection: qmp.Connection, pid: int, place: Path, ready: str) -> None:
        self.connection = connection
        self.pid = pid
        self.place = place
        self.ready = ready
        self.said = b""
        self.told = False
        self.used = 0.0
        self.at = time.monotonic()

    def wait(self, say: Say, asked: Callable[[], bool]) -> None:
        """Return once the machine is ready; `asked` tells whether somebody says that it is.

        Raises Refusal when it never is, qmp.Error when QEMU is gone.
        """
        begin, still, calm, since = time.monotonic(), Stillness(), 0, 0
        while time.monotonic() - begin < PATIENCE:
            time.sleep(PAUSE)
            look = self.look()
            seconds = still.seconds(look)
            if asked():
                return
            if self.ready:
                told = self.listen()
                since += told
                calm = calm + 1 if told and look.busy < stillness.IDLE else 0
                if calm >= CALM or since >= HURRY:
                    return
                say(f"{'is ready, calms down' if told else 'boots'}, {look.busy:.0%} CPU"
                    + (self.advice() if not told and look.at - begin >= WORDLESS else ""))
            else:
                if seconds >= stillness.STILL:
                    return
                say(f"boots, {look.busy:.0%} CPU, still for {seconds:.0f} s")
        raise Refusal(f"The machine is not ready after {PATIENCE / 60:.0f} minutes.", 504,
                      "Press Enter when its screen shows that it is.")

    def advice(self) -> str:
        """Return what to do about a machine that does not say that it is ready."""
        return (f"; it waits for the word {self.ready!r} on the serial port: freeze it now if the "
                "picture shows that it is ready")

    def look(self) -> Look:
        """Look at screen and CPUs; the screen is there for others as a PNG."""
        dump, shown = self.place / "screen.ppm", self.place / "screen.new"
        for path, kind in ((dump, "ppm"), (shown, "png")):
            self.connection.execute("screendump", {"filename": str(path), "format": kind})
        shown.rename(self.place / draft.SCREEN)
        now, used = time.monotonic(), self.seconds()
        busy = (used - self.used) / max(now - self.at, 0.001)
        self.used, self.at = used, now
        return Look(now, stillness.picture(dump.read_bytes()), busy)

    def seconds(self) -> float:
        """Return the seconds that the machine's CPUs have worked."""
        total = 0
        for cpu in self.connection.execute("query-cpus-fast"):
            words = Path(f"/proc/{self.pid}/task/{cpu['thread-id']}/stat").read_text()
            fields = words.rpartition(")")[2].split()
            total += int(fields[11]) + int(fields[12])
        return total / TICKS

    def listen(self) -> bool:
        """Tell whether the machine has said on its serial port that it is ready.

        It may say much else, NUL and broken UTF-8 too, which end what QEMU tells as text.
        """
        self.said += b64decode(self.connection.execute(
            "ringbuf-read", {"device": "serial0", "size": SERIAL, "format": "base64"}))
        word = self.ready.encode()
        self.told = self.told or word in self.said
        self.said = self.said[-len(word):]
        return self.told
