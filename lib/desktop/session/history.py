"""What was used, by whom, for how long and how it ended: one JSON line per session."""

import json
import logging
import os
import time
from pathlib import Path

from desktop.session.record import Record
from desktop.settings import Settings

log = logging.getLogger("history")
RECENT = 256 << 10  # bytes of the file's end in which a form is looked for


def path(settings: Settings) -> Path:
    """Return where the history is."""
    return settings.dir_log / "history.jsonl"


def add(settings: Settings, entry: Record, how: str) -> None:
    """Append the line of a session that is over; a full disk costs the line, nothing else."""
    line = {"session": entry.session, "name": entry.name, "owner": entry.owner,
            "method": entry.method, "source": entry.source, "machine": entry.machine,
            "cpu": entry.cpu, "memory": entry.memory, "gpu": list(entry.gpu),
            "persistent": entry.persistent, "start": round(entry.start, 3),
            "end": round(time.time(), 3), "how": how, "form": entry.form}
    try:
        settings.dir_log.mkdir(mode=0o750, parents=True, exist_ok=True)
        handle = os.open(path(settings), os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o640)
        try:
            os.write(handle, json.dumps(line).encode() + b"\n")
        finally:
            os.close(handle)
    except OSError as error:
        log.error("the history of %s is not written: %s", entry.session, error)


def knows(settings: Settings, owner: str, form: str) -> bool:
    """Tell whether this form of this person started a session that is over already."""
    try:
        with open(path(settings), "rb") as file:
            file.seek(max(0, os.fstat(file.fileno()).st_size - RECENT))
            lines = file.read().decode(errors="replace").splitlines()
    except OSError:
        return False
    for text in reversed(lines):
        if form in text:
            try:
                line = json.loads(text)
            except ValueError:
                continue  # the first line may be a part
            if (line.get("owner"), line.get("form")) == (owner, form):
                return True
    return False
