"""What was used, by whom, for how long and how it ended: one JSON line per session.

Lines go after `history_days`; names and addresses in them are replaced after
`history_anonymise_days`, by words that are the same for the same person and lead back to nobody.
"""

import json
import logging
import os
import re
import secrets
import time
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any

from desktop.session import lock
from desktop.session.record import Record
from desktop.settings import Settings

log = logging.getLogger("history")
RECENT = 256 << 10  # bytes of the file's end in which a form is looked for
DAY = 86400  # seconds
HIDDEN = re.compile("person-[0-9a-f]{10}")  # the words for people


@dataclass(frozen=True)
class Ended:
    """A session that is over. Memory is MB, start and end are Unix time."""

    session: str
    name: str
    owner: str
    method: str
    source: str
    machine: str
    cpu: int
    memory: int
    gpu: int
    persistent: bool
    start: float
    end: float
    how: str

    @property
    def hours(self) -> float:
        """Return how long it ran; a clock that was set back makes nothing of it."""
        return max(0.0, self.end - self.start) / 3600


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
        with lock.holding(settings.dir_log / "history.lock"):
            handle = os.open(path(settings), os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o640)
            try:
                os.write(handle, json.dumps(line).encode() + b"\n")
            finally:
                os.close(handle)
    except OSError as error:
        log.error("the history of %s is not written: %s", entry.session, error)


def knows(settings: Settings, owner: str, form: str) -> bool:
    """Tell whether this form of this person started a session that is over already."""
    return any((line.get("owner"), line.get("form")) == (owner, form)
               for line in lines(settings, RECENT, form))


def read(settings: Settings, owner: str | None = None, last: int | None = None) -> list[Ended]:
    """Return what is over, the latest first: of one owner, or with None of everybody.

    With `last` only what stands in so many bytes at the end of the file. What no line of ours
    says is left out.
    """
    found = []
    for line in lines(settings, last, owner or ""):
        if owner is None or line.get("owner") == owner:
            try:
                found.append(Ended(
                    session=str(line["session"]), name=str(line["name"]),
                    owner=str(line["owner"]), method=str(line["method"]),
                    source=str(line["source"]), machine=str(line["machine"]),
                    cpu=int(line["cpu"]), memory=int(line["memory"]), gpu=len(line["gpu"]),
                    persistent=bool(line["persistent"]), start=float(line["start"]),
                    end=float(line["end"]), how=str(line["how"])))
            except (LookupError, TypeError, ValueError):
                continue
    return found


def lines(settings: Settings, last: int | None, word: str) -> Iterator[dict[str, Any]]:
    """Yield the lines that contain a word, the latest first; those that are no JSON are not."""
    try:
        with open(path(settings), "rb") as file:
            if last is not None:
                file.seek(max(0, os.fstat(file.fileno()).st_size - last))
            texts = file.read().decode(errors="replace").splitlines()
    except OSError:
        return
    written = json.dumps(word)[1:-1]  # as it stands in the file
    for text in reversed(texts):
        if written in text:
            try:
                line = json.loads(text)
            except ValueError:
                continue  # the first may be a part, the last the victim of a full disk
            if isinstance(line, dict):
                yield line


def tidy(settings: Settings) -> None:
    """Drop what is too old and hide who it was in what is old, once a day."""
    stamp = settings.dir_state / "history.tidied"
    if not (settings.history_days or settings.history_anonymise_days) or (
            stamp.exists() and 0 <= time.time() - stamp.stat().st_mtime < DAY):
        return
    try:
        stamp.touch(mode=0o600)
        with lock.holding(settings.dir_log / "history.lock"):
            rewrite(settings)
    except OSError as error:
        log.error("the history is not tidied: %s", error)


def rewrite(settings: Settings) -> None:
    """Write the file anew as far as lines have become old; the caller holds its lock."""
    try:
        before = path(settings).read_text(encoding="utf-8", errors="replace").splitlines()
    except FileNotFoundError:
        return
    after = list(filter(None, (age(settings, text) for text in before)))
    if after == before:
        return
    draft = path(settings).with_suffix(".new")
    with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o640), "w",
              encoding="utf-8") as file:
        file.writelines(f"{text}\n" for text in after)
        file.flush()
        os.fsync(file.fileno())
    draft.rename(path(settings))


def age(settings: Settings, text: str) -> str:
    """Return a line as it may still be kept, or nothing; what is no line of ours goes."""
    try:
        line = json.loads(text)
        days = (time.time() - float(line["end"])) / DAY
        owner = str(line["owner"])
    except (LookupError, TypeError, ValueError):
        return ""
    if settings.history_days and days > settings.history_days:
        return ""
    hide = settings.history_anonymise_days and days > settings.history_anonymise_days
    if not hide or HIDDEN.fullmatch(owner):
        return text
    return json.dumps(line | {"owner": word(settings, owner), "source": "", "form": ""})


def word(settings: Settings, owner: str) -> str:
    """Return the word that stands for a person; without the key beside it, nobody can tell."""
    file = settings.dir_state / "history.key"
    if not file.exists():
        handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        os.write(handle, secrets.token_bytes(32))
        os.close(handle)
    mark = blake2b(owner.encode(), key=file.read_bytes(), digest_size=5)
    return f"person-{mark.hexdigest()}"
