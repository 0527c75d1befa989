"""How a keeper begins: its machine is started, resumed or taken over, and kept to the end."""

import logging
import os
import socket
from collections.abc import Sequence

from desktop import configuration
from desktop import log as logs
from desktop import process
from desktop.errors import Refusal
from desktop.launch import detach
from desktop.machine import qmp, setback
from desktop.session import ending, garage, listening, record
from desktop.session.guest import COPY_TIME, START_TIME
from desktop.session.keeper import Keeper
from desktop.session.paths import Paths
from desktop.session.ports import AGENT, COPIED, WOKEN
from desktop.session.record import LOST, State
from desktop.session.spawn import First

log = logging.getLogger("keeper")
CUT_OFF = "it has no network"


def keep(paths: Paths, line: socket.socket, first: First) -> int:
    """Keep a session; return the exit status."""
    logs.set_up("keeper")
    keeper = Keeper(paths, record.read(paths.directory), configuration.read(paths.settings))
    try:
        if first.problem:
            raise first.problem
        if first.qemu:
            start(keeper, first, first.qemu)
            connect(keeper, first.commands.get("network"))
        else:
            adopt(keeper)
    except (Refusal, process.Failed, qmp.Error, OSError) as reason:
        log.error("%s could not be started: %s", keeper.entry.name, reason)
        keeper.finish(f"failed: {reason}")
        detach.tell_problem(line, reason)
        return 1
    detach.tell(line, {"ready": True})
    forget(keeper)
    keeper.run(socket.socket(fileno=detach.NUMBERS["listener"]) if first.qemu
               else listening.again(keeper.entry, paths))
    return 0


def start(keeper: Keeper, first: First, qemu: process.Child) -> None:
    """Wait until the machine answers; raise Refusal or process.Failed when it does not.

    A copy of a template that does not answer is booted instead.
    """
    try:
        take(keeper, qemu)
        keeper.guest.ready(first.incoming, COPY_TIME if "boot" in first.commands else START_TIME)
        keeper.word = first.incoming["word"] if first.incoming else ""
        if keeper.word == WOKEN:
            keeper.calendar.met = True  # somebody wanted it back
    except Refusal as problem:
        if "boot" not in first.commands:
            raise
        log.error("%s boots, its template failed: %s", keeper.entry.name, problem)
        setback.note(keeper.settings.dir_templates / keeper.entry.template, problem.message)
        keeper.guest.abandon()
        keeper.update(template="", boot_reason=problem.message)
        take(keeper, first.start("boot"))
        keeper.guest.ready()
    first.release()


def take(keeper: Keeper, qemu: process.Child) -> None:
    """Take a QEMU that was just started."""
    keeper.guest.take(qemu)
    keeper.update(state=State.STARTING, keeper=process.identify(os.getpid()),
                  qemu=keeper.guest.qemu)


def connect(keeper: Keeper, helper: Sequence[str] | None) -> None:
    """Start the network helper, if any. The session runs, and is adopted, from then on.

    It takes 100 ms to be there, which nobody waits for.
    """
    try:
        descriptor = detach.NUMBERS["helper"]
        network = keeper.guest.connect(helper, descriptor) if helper else None
        keeper.update(state=State.RUNNING, network=network)
    except process.Failed as problem:
        log.error("%s has no network: %s", keeper.entry.name, problem)
        keeper.update(state=State.RUNNING, reason=CUT_OFF)


def adopt(keeper: Keeper) -> None:
    """Take over a running machine whose keeper was killed."""
    keeper.guest.adopt(keeper.entry)
    keeper.calendar.resume(keeper.entry)
    if keeper.entry.template and AGENT not in keeper.guest.ports.there():
        keeper.word = COPIED  # it had not come to that
    state, reason = keeper.entry.state, keeper.entry.reason or LOST
    if state is State.STARTING:  # it was being woken
        from desktop.host import network
        state = State.RUNNING
        if network.kind(keeper.settings) == "passt":
            reason = f"{LOST}; {CUT_OFF}"
    keeper.update(keeper=process.identify(os.getpid()), viewers=0, state=state, reason=reason)
    log.warning("%s is kept again", keeper.entry.name)


def forget(keeper: Keeper) -> None:
    """Remove what was saved of a machine that runs, or was being saved, if anything."""
    garage.unmark(keeper.settings, keeper.entry.session)
    for path in (garage.woken, garage.draft):
        ending.remove(path(keeper.settings, keeper.entry.session))
