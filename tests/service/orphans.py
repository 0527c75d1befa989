"""Nothing that the tests start outlives them.

The tests run in a child of the process that was asked to run them. That process adopts what they
leave behind (PR_SET_CHILD_SUBREAPER, prctl(2)): keepers, QEMUs and helpers that detached
themselves. So they can be counted, and are ended with the run even when the tests are killed.
"""

import ctypes
import os
import signal
import sys
from collections.abc import Collection
from pathlib import Path

PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36
MARK = "REMOTE_DESKTOP_TESTS_WARDEN"


def settle() -> None:
    """Go on as a child of a process that adopts orphans, once."""
    if MARK in os.environ:
        return
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0):
        raise OSError(ctypes.get_errno(), "prctl")
    sys.stdout.flush()
    sys.stderr.flush()
    child = os.fork()
    if child:
        watch(child)
    os.environ[MARK] = str(os.getppid())


def watch(child: int) -> None:
    """Wait for the tests, bury whatever dies meanwhile, end what they left, and end likewise."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda number, frame: os.kill(child, number))
    status = 1
    while True:
        try:
            pid, how = os.wait()
        except ChildProcessError:
            os._exit(status)
        if pid == child:
            status = max(os.waitstatus_to_exitcode(how), 0) if os.WIFEXITED(how) else 1
            left = descendants(os.getpid())
            for pid in left:
                print(f"left behind by the tests, ended: {pid} {command(pid)}", flush=True)
                os.kill(pid, signal.SIGKILL)
            status = status or bool(left)


def adopted() -> dict[int, str]:
    """Return what has detached itself from the tests and still runs: pids and command lines."""
    own = {os.getpid(), *descendants(os.getpid())}
    return {pid: words for pid in descendants(int(os.environ[MARK]))
            if pid not in own and (words := command(pid)) and "chrom" not in words}


def descendants(ancestor: int) -> list[int]:
    """Return the running children of a process, and theirs, and so on."""
    children: dict[int, list[int]] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, parent, *_ = path.read_text().rpartition(")")[2].split()
        except (OSError, ValueError):
            continue
        if state not in "ZX":
            children.setdefault(int(parent), []).append(int(path.parent.name))
    found, wave = [], [ancestor]
    while wave := [child for pid in wave for child in children.get(pid, ())]:
        found += wave
    return found


def command(pid: int) -> str:
    """Return the command line of a process, or nothing when there is none (any more)."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_text(errors="replace").replace("\0", " ").strip()
    except OSError:
        return ""


def keepers(session: str) -> list[int]:
    """Return the keepers of a session, from their first moment: Apache's yet, or adopted."""
    pids = [*adopted(), *descendants(os.getpid())]
    return [pid for pid in pids if " keeper " in (words := command(pid)) and session in words]


def end(pids: Collection[int]) -> None:
    """Kill processes; some may be gone by now."""
    for pid in pids:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
