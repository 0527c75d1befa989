"""How far something is: a bar where somebody watches, a line each tenth of the way otherwise."""

import time
from typing import TextIO

BAR = 30  # characters
REDRAW = 0.1  # seconds
LINE = 100_000_000  # bytes between lines when nobody knows how many there will be


class Progress:
    """The way of one file; bytes go in, words come out."""

    def __init__(self, name: str, out: TextIO) -> None:
        self.name = name
        self.out = out
        self.watched = out.isatty()
        self.shown = -1
        self.drawn = 0.0

    def show(self, done: int, total: int | None) -> None:
        """Say that `done` bytes are there, of `total` or of nobody knows how many."""
        if self.watched:
            complete = done == total
            if complete or time.monotonic() - self.drawn > REDRAW:
                self.drawn = time.monotonic()
                self.write(f"\r{bar(done, total)} {self.name} {words(done, total)}\033[K")
        else:
            step = 10 * done // total if total else done // LINE
            if step != self.shown:
                self.shown = step
                self.write(f"{self.name}: {words(done, total)}\n")

    def say(self, text: str) -> None:
        """Say something else in between."""
        self.end()
        self.write(f"{text}\n")

    def end(self) -> None:
        """Leave the bar as it is and go to the next line."""
        if self.watched and self.drawn:
            self.write("\n")
            self.drawn = 0.0

    def write(self, text: str) -> None:
        """Write at once."""
        self.out.write(text)
        self.out.flush()


def bar(done: int, total: int | None) -> str:
    """Return a bar that is full when all is done."""
    full = BAR * done // total if total else 0
    return f"[{'#' * full}{'.' * (BAR - full)}]"


def words(done: int, total: int | None) -> str:
    """Return how much is there, in words."""
    if total is None:
        return amount(done)
    return f"{100 * done // total if total else 100:3d} % of {amount(total)}"


def amount(count: int) -> str:
    """Return a number of bytes as people say it; 10^9 bytes are a GB."""
    for unit, name in ((10**9, "GB"), (10**6, "MB"), (10**3, "kB")):
        if count >= unit:
            return f"{count / unit:.1f} {name}"
    return f"{count} bytes"
