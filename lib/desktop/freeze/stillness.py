"""When a machine that boots is ready: its screen stands still and its CPUs have nothing to do.

Both, for some seconds, after something was to be seen: a logo may stand for long while the machine
works, and a machine may wait for its disk with the screen still black.
"""

from dataclasses import dataclass

STILL = 12.0  # seconds: longer than a boot menu waits
IDLE = 0.3  # of one CPU, used by all of the machine's together
BLINKING = 0.04  # of the rows of a screen: a cursor, a clock

Picture = tuple[int, ...]  # a number for each row


@dataclass(frozen=True)
class Look:
    """A machine at one moment, in seconds: its screen, and the CPUs it has used since the last."""

    at: float
    picture: Picture
    busy: float


def picture(ppm: bytes) -> Picture:
    """Return the rows of a picture as QEMU dumps it (PPM, P6, 8 bits a colour)."""
    start = 0
    fields: list[bytes] = []
    while len(fields) < 4:
        end = start
        while ppm[end:end + 1] not in (b" ", b"\n"):
            end += 1
        fields.append(ppm[start:end])
        start = end + 1
    row = 3 * int(fields[1])
    return tuple(hash(ppm[place:place + row]) for place in range(start, len(ppm), row))


def alike(one: Picture, other: Picture) -> bool:
    """Tell whether two pictures are the same but for something that blinks."""
    if len(one) != len(other):
        return False
    changed = sum(a != b for a, b in zip(one, other))
    return changed <= BLINKING * len(one)


class Stillness:
    """What was seen of a machine so far."""

    def __init__(self) -> None:
        self.first: Picture | None = None
        self.changed = False
        self.before: Look | None = None
        self.since = 0.0  # when it began to be still

    def seconds(self, look: Look) -> float:
        """Return for how long the machine has been still by now."""
        if self.first is None:
            self.first = look.picture
        self.changed = self.changed or not alike(self.first, look.picture)
        calm = (self.changed and len(set(look.picture)) > 1 and look.busy < IDLE
                and self.before is not None and alike(self.before.picture, look.picture))
        if not calm:
            self.since = look.at
        self.before = look
        return look.at - self.since
