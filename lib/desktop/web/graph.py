"""Small graphs of how the host did: points for lines of SVG, and in words what they show."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from desktop.host import trend
from desktop.host.trend import HOURS, Sample
from desktop.settings import Settings

WIDTH, HEIGHT = 240, 48  # of the picture, in its own units
GAP = 300  # seconds without a sample after which a line is broken


@dataclass(frozen=True)
class Graph:
    """One value over the last HOURS: points of its lines, and what those who do not see are told.

    A line is broken where nobody looked for a while.
    """

    lines: Sequence[str]
    words: str


def all(settings: Settings, memory: int) -> Mapping[str, Graph | None]:
    """Return the graphs of a host with so much memory (MB), by their value; none at first."""
    samples = trend.read(settings)
    if len(samples) < 2:
        return dict.fromkeys(("sessions", "load", "memory", "disk"))
    disk = max(one.disk_free for one in samples)
    sessions = max(one.sessions for one in samples)
    return {
        "sessions": draw(samples, lambda one: one.sessions, max(sessions, 1), "{:.0f}"),
        "load": draw(samples, lambda one: one.load, 1, "{:.0%}"),
        "memory": draw(samples, lambda one: one.memory_used / 1024, memory / 1024, "{:.1f} GB"),
        "disk": draw(samples, lambda one: one.disk_free, max(disk, 1), "{:.0f} GB")}


def draw(samples: Sequence[Sample], value: Callable[[Sample], float], most: float,
         form: str) -> Graph:
    """Return the graph of a value between 0 and `most`; `form` says how to write it."""
    end = samples[-1].moment
    lines: list[list[str]] = []
    before = 0.0
    for one in samples:
        if one.moment - before > GAP:
            lines.append([])
        before = one.moment
        x = WIDTH * (1 - (end - one.moment) / (HOURS * 3600))
        y = HEIGHT * (1 - min(max(value(one) / most, 0), 1))
        lines[-1].append(f"{x:.1f},{y:.1f}")
    values = [value(one) for one in samples]
    hours = (end - samples[0].moment) / 3600
    return Graph([" ".join(line) for line in lines],
                 f"in the last {hours:.1f} hours between {form.format(min(values))} and "
                 f"{form.format(max(values))}")
