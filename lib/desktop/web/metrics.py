"""How the service does, as Prometheus reads it (text format 0.0.4), for named addresses.

Figures of the server and counts; nothing of any person.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from desktop import whereabouts
from desktop.errors import Refusal
from desktop.session import housekeeping
from desktop.session.record import Record
from desktop.web import server
from desktop.web.page import Answer
from desktop.web.visit import Visit

KIND = "text/plain; version=0.0.4; charset=utf-8"
MB, GB = 1 << 20, 10 ** 9  # bytes
GAUGES = (
    ("cpus", "CPUs of the server.", "cpus", 1),
    ("load_ratio", "Share of all CPUs in use.", "load", 1),
    ("memory_bytes", "Memory of the server.", "memory", MB),
    ("memory_available_bytes", "Memory available now.", "available", MB),
    ("memory_promised_bytes", "Memory promised to sessions.", "promised", MB),
    ("disk_free_bytes", "Disk that sessions may still fill.", "disk_free", GB),
    ("sessions_max", "Most sessions at once; 0: no limit.", "max_sessions", 1))


def answer(visit: Visit, form: str) -> Answer:
    """Return the figures to an address of monitor_metrics_from; raise Refusal to others (403)."""
    if form != "prometheus":
        raise Refusal(f"format = {form!r} is not prometheus.")
    settings = visit.settings
    if not whereabouts.among(visit.request.source, settings.monitor_metrics_from,
                             "monitor_metrics_from"):
        raise Refusal("Figures are not for this address.", 403,
                      "The administrator names it in monitor_metrics_from.")
    entries = housekeeping.sweep(settings)
    text = "".join(f"{line}\n" for line in lines(server.facts(settings, entries, ()), entries))
    return Answer(200, KIND, text.encode())


def lines(facts: Mapping[str, Any], entries: Sequence[Record]) -> Iterator[str]:
    """Yield the lines of the answer."""
    for name, meaning, fact, unit in GAUGES:
        yield from head(name, meaning)
        yield f"remote_desktop_{name} {facts[fact] * unit:.10g}"
    yield from head("viewers", "People who look on.")
    yield f"remote_desktop_viewers {sum(entry.viewers for entry in entries)}"
    yield from head("sessions", "Sessions by machine and state.")
    counts = Counter((entry.machine, str(entry.state)) for entry in entries)
    for (machine, state), count in sorted(counts.items()):
        yield f'remote_desktop_sessions{{machine="{escape(machine)}",state="{state}"}} {count}'


def head(name: str, meaning: str) -> Iterator[str]:
    """Yield the two lines that say what a figure is."""
    yield f"# HELP remote_desktop_{name} {meaning}"
    yield f"# TYPE remote_desktop_{name} gauge"


def escape(text: str) -> str:
    """Return a label's value as it is written between quotes."""
    return text.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
