"""How an image comes among those on offer: checked, and put under its name at the very end.

Never over another one. Drafts lie in dir_machines, under names with a leading dot, which nobody
takes for machines, and are copies that nobody else can change: what was checked is what is
offered.
"""

import errno
import fcntl
import os
import shutil
import signal
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from types import FrameType

from desktop import process
from desktop.errors import Refusal
from desktop.machine import catalogue, descriptor, image
from desktop.machine.descriptor import Machine
from desktop.machine.image import Format, Unfit
from desktop.settings import Settings

BENCH = ".import-"
ENDS = (signal.SIGTERM, signal.SIGHUP)


def vacant(settings: Settings, file: Path) -> None:
    """Raise Refusal for a name that cannot be, or that a machine has.

    A machine of another format counts: it has the same descriptor.
    """
    name = file.name
    if file.parent != settings.dir_machines or name.startswith(".") or not name.isprintable():
        raise Refusal(f"{name!r} cannot be the name of a machine.", 400,
                      "Give it a --name without slashes, and without a dot at its start.")
    for other in catalogue.files(settings):
        if other.stem == file.stem:
            raise Refusal(f"{other.name} is on offer already.", 409,
                          "Give the new one another name: the sessions of an image that is "
                          "replaced break.")


def room(settings: Settings, count: int) -> None:
    """Raise Refusal (507) when `count` bytes more would leave less than host_disk_reserve."""
    free = shutil.disk_usage(settings.dir_machines).free
    if count > free - settings.host_disk_reserve * 1e9:
        raise Refusal(f"The disk of {settings.dir_machines} is too full: {count / 1e9:.2f} GB are "
                      f"to come, {free / 1e9:.2f} GB are free, and host_disk_reserve keeps "
                      f"{settings.host_disk_reserve:g} GB.", 507, "Make room first.")


def full(error: OSError) -> Refusal:
    """Return why something could not be written."""
    hint = "Make room first." if error.errno in (errno.ENOSPC, errno.EDQUOT) else ""
    return Refusal(f"It cannot be written: {error.strerror}. Nothing of it is left.", 507, hint)


def admit(draft: Path, name: str, declared: Format) -> None:
    """Raise Refusal (422) for a draft that could not be on offer, or would be a danger there."""
    try:
        image.examine(draft, declared)
    except (Unfit, process.Failed) as error:
        raise Refusal(f"{name} is refused: {error}.", 422) from error


def place(draft: Path, file: Path) -> None:
    """Put a draft on offer; raise Refusal (409) when somebody was faster.

    A link and no renaming: that would replace what is there.
    """
    os.chmod(draft, 0o644)
    with draft.open("rb") as content:
        os.fsync(content.fileno())
    try:
        os.link(draft, file)
    except FileExistsError as error:
        raise Refusal(f"{file.name} is on offer already.", 409) from error
    draft.unlink()
    directory = os.open(file.parent, os.O_RDONLY | os.O_DIRECTORY)
    os.fsync(directory)
    os.close(directory)


def offer(draft: Path, machine: Machine, facts: Mapping[str, str]) -> None:
    """Put a draft on offer with a descriptor of these lines, as typed; raise Refusal.

    A descriptor that is there already stays, and then no lines may be given.
    """
    described = describe(machine, facts)
    try:
        place(draft, machine.file)
    except BaseException:
        if described:
            described.unlink()
        raise


def describe(machine: Machine, facts: Mapping[str, str]) -> Path | None:
    """Write a descriptor; return it when there was none before."""
    path, own = machine.file.with_suffix(".ini"), machine.format
    if path.exists() and facts:
        raise Refusal(f"There is a descriptor already: {path}.", 409, "Edit that one.")
    try:
        if path.exists():
            machine = catalogue.described(machine)
        for name, text in facts.items():
            if not text.isprintable():
                raise ValueError(f"{name} = {text!r} has characters that cannot be printed")
            machine = replace(machine, **{name: descriptor.parse(name, text, "the command line")})
    except (OSError, ValueError) as error:
        raise Refusal(f"{error}.") from error
    if machine.format is not own:
        raise Refusal(f"{path} says format {machine.format}, and the image is {own}.", 409)
    if wrong := descriptor.contradiction(descriptor.settle(machine)):
        raise Refusal(f"This cannot be: {wrong}.")
    if path.exists():
        return None
    lines = {"title": machine.title, **facts}
    path.write_text("".join(f"{name} = {text}\n" for name, text in lines.items()),
                    encoding="utf-8")
    path.chmod(0o644)
    return path


@contextmanager
def bench(settings: Settings) -> Iterator[Path]:
    """Lend a directory for drafts, gone afterwards even when interrupted.

    Raises Refusal: 403 when there can be none, 507 when what is done there meets a full disk.
    """
    before = [(number, signal.signal(number, interrupt)) for number in ENDS]
    try:
        with locked(settings.dir_machines):
            clear(settings)
            directory = Path(tempfile.mkdtemp(prefix=BENCH, dir=settings.dir_machines))
            lock = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
            fcntl.flock(lock, fcntl.LOCK_EX)
    except OSError as error:
        raise Refusal(f"{settings.dir_machines} cannot be written: {error.strerror}.", 403,
                      "Machines of a server belong to root: use sudo.") from error
    try:
        yield directory
    except OSError as error:
        raise full(error) from error
    except KeyboardInterrupt as signalled:
        raise Refusal("Interrupted. Nothing of it is left.") from signalled
    finally:
        shutil.rmtree(directory, ignore_errors=True)
        os.close(lock)
        for number, handler in before:
            signal.signal(number, handler)


def interrupt(_number: int, _frame: FrameType | None) -> None:
    """Take any signal to end as the one that Control-C sends."""
    raise KeyboardInterrupt


def clear(settings: Settings) -> None:
    """Remove the benches of runs that were killed: nobody holds them any more."""
    for left in settings.dir_machines.glob(f"{BENCH}*"):
        with suppress(OSError), locked(left, fcntl.LOCK_NB):
            shutil.rmtree(left)


@contextmanager
def locked(directory: Path, how: int = 0) -> Iterator[None]:
    """Hold the lock of a directory."""
    handle = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | how)
        yield
    finally:
        os.close(handle)
