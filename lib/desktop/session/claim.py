"""From what somebody wishes to a session that is theirs: settled, checked and promised.

The promise is made under one lock for the whole service, so that any number of requests at once
share out exactly what there is.
"""

import os
import re
import secrets
import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from desktop import configuration, process
from desktop.errors import Refusal
from desktop.host import capacity, gpu, volumes
from desktop.host.capacity import Promise
from desktop.host.volumes import Volume
from desktop.launch import detach
from desktop.machine import catalogue, emulator, qemu, template
from desktop.machine.descriptor import Machine
from desktop.machine.template import Template
from desktop.machine.wiring import Hardware
from desktop.session import ending, extension, garage, lock, record, sessions
from desktop.session.paths import Paths
from desktop.session.record import MAILED, Record, State
from desktop.session.wish import Wish
from desktop.settings import Settings

TOKEN_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"  # none that look alike
TOKEN_LENGTH = 8  # all that VNC authentication looks at
Number = TypeVar("Number", int, float)
FOR_EVER = 10 * 366 * 86400  # seconds: the longest lifetime where there is no limit


@dataclass(frozen=True, kw_only=True)
class Choice:
    """What somebody gets, if there is room. Memory is MB, disk GB, lifetime seconds (0: any).

    With a `template` it starts at once. `volumes` are the directories that it is offered.
    """

    machine: Machine
    cpu: int
    memory: int
    disk: float
    video: str
    gpu: bool
    persistent: bool
    lifetime: int
    accel: str
    volumes: tuple[Volume, ...]
    template: Template | None = None


@dataclass(frozen=True, kw_only=True)
class Claim:
    """A session that exists and is promised; `lock` and `answer` are descriptors held on it."""

    record: Record
    paths: Paths
    lock: int
    answer: int


@dataclass(frozen=True)
class Limits:
    """What may be chosen for a machine, (default, most), and the disk it has; MB, disk GB."""

    cpu: tuple[int, int]
    memory: tuple[int, int]
    disk: float


def limits(settings: Settings, machine: Machine) -> Limits:
    """Return what may be chosen; without the descriptor's word, up to what the host has."""
    cpu = least(machine.cpu or settings.snapshot_alloc_cpu, machine.cpu_max)
    memory = least(machine.memory or settings.snapshot_alloc_mem, machine.memory_max)
    installed = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") >> 20
    return Limits((cpu, machine.cpu_max or max(cpu, os.cpu_count() or 1)),
                  (memory, machine.memory_max or max(memory, installed)),
                  least(machine.disk or settings.snapshot_alloc_disk, machine.disk_max))


def least(default: Number, most: Number | None) -> Number:
    """Return a default that a descriptor may cap."""
    return default if most is None else min(default, most)


def settle(settings: Settings, wish: Wish, owner: str, admin: bool) -> Choice:
    """Return what a wish comes to; raise Refusal for what cannot be had on this host."""
    machine = catalogue.find(settings, settings.machine if wish.machine is None else wish.machine,
                             owner, admin)
    may = limits(settings, machine)
    if wish.persistent and not settings.service_allow_persistent:
        raise Refusal("Persistent sessions are not offered here.", 403,
                      "Choose a single-shot session.")
    longest = settings.snapshot_lifetime
    choice = Choice(
        machine=machine, cpu=within("cpu", wish.cpu, 1, *may.cpu),
        memory=within("memory", wish.memory, 16, *may.memory), disk=may.disk,
        video=wish.video or machine.video or settings.qemu_video, gpu=bool(wish.gpu),
        persistent=bool(wish.persistent),
        lifetime=within("lifetime", wish.lifetime, min(longest, 1), longest, longest or FOR_EVER),
        accel=emulator.accelerator(settings).name, volumes=tuple(volumes.find(settings)))
    qemu.check(hardware(settings, choice))
    fits = not choice.gpu and len(choice.volumes) <= template.VOLUMES
    return replace(choice, template=template.find(
        settings, hardware(settings, choice, template=True), choice.disk) if fits else None)


def hardware(settings: Settings, choice: Choice, *, template: bool = False) -> Hardware:
    """Return what a guest sees of a choice; as a `template` is made, if that is wanted."""
    return Hardware(machine=choice.machine, cpu=choice.cpu, memory=choice.memory,
                    video=choice.video, accel=choice.accel, gpu=choice.gpu,
                    about=emulator.about(settings), template=template)


def within(name: str, value: int | None, least: int, default: int, most: int) -> int:
    """Return the value, or the default for none; raise Refusal outside the bounds."""
    if value is None:
        return default
    if not least <= value <= most:
        raise Refusal(f"{name} = {value} is not between {least} and {most}.")
    return value


def make(settings: Settings, choice: Choice, owner: str, *, paths: Paths, form: str, source: str,
         method: str, mail: str, endpoint: str) -> Claim | Record:
    """Promise a session, or return the one that this form has started already.

    `paths` is where it will be, `endpoint` where it is shown. Raises Refusal when there is no
    room.
    """
    with sessions.promising(settings):
        entries = sessions.all(settings)
        for entry in entries:
            if form and (entry.owner, entry.form) == (owner, form):
                return entry
        check_unchanged(settings, entries, choice.machine.name)
        if method == MAILED:
            check_mailed(settings, entries)
        check_room(settings, entries, Promise(owner, choice.cpu, choice.memory, choice.disk),
                   waits=method != MAILED)
        cards = gpu.free_one(gpu.find(settings), taken(entries)).group if choice.gpu else ()
        below = template.still(choice.template)  # templates are removed under this lock
        name = f"{slug(choice.machine.name)}-{paths.session[:4]}"
        deadline = process.boottime() + choice.lifetime if choice.lifetime else 0.0
        return write(paths, Record(
            session=paths.session, name=name, state=State.CLAIMED, owner=owner,
            machine=choice.machine.name, title=choice.machine.title, cpu=choice.cpu,
            memory=choice.memory, disk=choice.disk, video=choice.video, gpu=cards,
            persistent=choice.persistent, start=time.time(),
            deadline=deadline, boot=process.boot_id(),
            noticed=deadline if choice.lifetime <= settings.warn_before_end else 0.0,
            host=detach.host(), launcher=detach.NAME, endpoint=endpoint, form=form,
            source=source, method=method, mail=mail, accel=choice.accel,
            master=choice.machine.stamp,
            template=below.name if below else ""), settings)


def again(settings: Settings, entry: Record, paths: Paths, saved: Paths) -> Claim:
    """Promise a parked session again what it had; raise Refusal when there is no room."""
    with sessions.promising(settings):
        others = [one for one in sessions.all(settings) if one.session != entry.session]
        check_room(settings, others,
                   Promise(entry.owner, entry.cpu, entry.memory, entry.disk))
        left = max(1.0, garage.left(entry)) if entry.until else 0.0
        return write(paths, replace(
            entry, state=State.CLAIMED, boot=process.boot_id(), host=detach.host(),
            launcher=detach.NAME, until=0.0, deadline=left and process.boottime() + left), saved)


def check_unchanged(settings: Settings, entries: Sequence[Record], machine: str) -> None:
    """Refuse a machine whose image is not what it was when sessions of it began that run yet."""
    if sessions.altered(settings, [entry for entry in entries if entry.machine == machine
                                   and entry.state is not State.PARKED]):
        raise Refusal(f"{machine} was changed while sessions of it are running.", 409,
                      "It can be had again when they have ended; choose another one.")


def check_mailed(settings: Settings, entries: Sequence[Record]) -> None:
    """Refuse more machines for strangers than their share: they must not fill the server."""
    most = settings.email_max_instance_nb
    if most and sum(entry.method == MAILED for entry in entries) >= most:
        raise capacity.full("All places for machines that are mailed are taken.")


def check_room(settings: Settings, entries: Sequence[Record], wish: Promise, *,
               waits: bool = True) -> None:
    """Raise Refusal when there is no room; who could have had it on an empty server waits.

    But for strangers, who would keep everybody from more time.
    """
    host = capacity.measure(settings)
    try:
        capacity.check(settings, host, [promise(entry) for entry in entries], wish)
    except Refusal as refusal:
        if waits and refusal.status == 503 and capacity.possible(settings, host, wish):
            extension.note_refusal(settings)
        raise


def promise(entry: Record) -> Promise:
    """Return what a session holds; a parked one only its disk, and a place of its owner's."""
    if entry.state is State.PARKED:
        return Promise(entry.owner, 0, 0, entry.disk, parked=True)
    return Promise(entry.owner, entry.cpu, entry.memory, entry.disk)


def taken(entries: Sequence[Record]) -> set[str]:
    """Return the addresses of the GPUs that sessions have."""
    return {address for entry in entries for address in entry.gpu}


def write(paths: Paths, entry: Record, like: Settings | Paths) -> Claim:
    """Make the directory of a session, locked before anybody can see it under its name.

    With the settings of a new one, or with what was saved of a parked one.
    """
    draft = Paths(paths.directory.with_name(".claim"))
    ending.remove(draft.directory)  # of a request that was killed
    draft.directory.mkdir(mode=0o700)
    held, answer = lock.take(draft.lock, wait=True), lock.take(draft.answer, wait=True)
    assert held is not None and answer is not None
    draft.token.touch(mode=0o600)
    if isinstance(like, Paths):
        for source, target in ((like.token, draft.token), (like.settings, draft.settings),
                               (like.volumes, draft.volumes)):
            shutil.copyfile(source, target)
    else:
        draft.token.write_text("".join(secrets.choice(TOKEN_LETTERS)
                                       for _ in range(TOKEN_LENGTH)))
        configuration.write(like, draft.settings)
    record.write(draft.directory, entry)
    draft.directory.rename(paths.directory)
    return Claim(record=entry, paths=paths, lock=held, answer=answer)


def slug(name: str) -> str:
    """Return the part of a machine's name that is easy to read and type."""
    return re.sub(r"[^a-z0-9]+", "-", name.rpartition(".")[0].lower()).strip("-")[:20] or "machine"
