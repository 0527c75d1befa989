"""Other programs: run them to their end, keep them as children, or let them go; and name them.

The only importer of subprocess. Command lines are lists, never a shell's text. A process is known
by its number *and* its start, because numbers are used again.
"""

import os
import select
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import NoReturn

ENVIRONMENT = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
               "LANG": "C.UTF-8"}

Child = subprocess.Popen[bytes]


class Failed(Exception):
    """A program that did not do its work; the text ends with its own last words."""

    def __init__(self, program: str, problem: str, said: str = "") -> None:
        last = said.strip().splitlines()[-1:]
        super().__init__(": ".join([f"{program} {problem}", *last]))


@dataclass(frozen=True)
class Process:
    """A running program: its pid, and its start in clock ticks since boot (proc(5), field 22)."""

    pid: int
    started: int


def run(argv: Sequence[str], *, timeout: float = 10) -> str:
    """Run a program to its end and return what it printed on standard output.

    Raises Failed when it cannot start, ends with another status than 0, or takes longer than
    `timeout` seconds (it is killed then).
    """
    try:
        done = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              timeout=timeout, env=ENVIRONMENT, umask=0o077, errors="replace")
    except OSError as error:
        raise Failed(argv[0], f"cannot be started ({error.strerror})") from error
    except subprocess.TimeoutExpired as error:
        raise Failed(argv[0], f"did not finish in {timeout:g} s") from error
    if done.returncode:
        raise Failed(argv[0], f"ended with status {done.returncode}", done.stderr)
    return done.stdout


def tell(argv: Sequence[str], words: str, *, seconds: float) -> int:
    """Run a program that reads a few words on its standard input; return its exit status.

    Its own words go nowhere, and what it started ends with it. Raises Failed when it cannot
    start, or takes longer.
    """
    try:
        child = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
                                 stderr=subprocess.DEVNULL, env=ENVIRONMENT, cwd="/", umask=0o077,
                                 process_group=0)
    except OSError as error:
        raise Failed(argv[0], f"cannot be started ({error.strerror})") from error
    assert child.stdin
    with suppress(BrokenPipeError), child.stdin as pipe:  # it may end without having read them
        pipe.write(words.encode())
    finish(child, seconds)
    if child.returncode == -signal.SIGKILL:
        raise Failed(argv[0], f"did not finish in {seconds:g} s")
    return child.returncode


def start(argv: Sequence[str], log: Path, descriptors: Sequence[int] = (),
          environment: Mapping[str, str] | None = None) -> Child:
    """Start a child in the foreground, its words appended to `log`; it keeps `descriptors`.

    It leads a process group of its own. Raises Failed when it cannot be started.
    """
    with log.open("ab") as words:
        try:
            return subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=words, stderr=words,
                                    env={**ENVIRONMENT, **(environment or {})}, cwd="/",
                                    umask=0o077, process_group=0, pass_fds=tuple(descriptors))
        except OSError as error:
            raise Failed(argv[0], f"cannot be started ({error.strerror})") from error


def finish(child: Child, seconds: float) -> bool:
    """Wait for a child to end well, at most so long; whatever is left of its group is killed."""
    end = os.pidfd_open(child.pid)
    in_time = bool(select.select([end], [], [], seconds)[0])
    os.close(end)
    os.killpg(child.pid, signal.SIGKILL)  # before it is waited for: the number is still its own
    return child.wait() == 0 and in_time


def reap(children: Sequence[Child]) -> None:
    """Take note of the children that have ended, waiting for each a second at most."""
    for child in children:
        try:
            child.wait(1)
        except subprocess.TimeoutExpired:
            pass


def detach(argv: Sequence[str], log: Path, environment: Mapping[str, str],
           descriptors: Sequence[int]) -> int:
    """Start a program that outlives this one, in a session of its own; return its pid.

    Nothing of the caller's is left to it but `descriptors`: Apache waits for a request until
    every holder of its pipes has closed them.
    """
    with log.open("ab") as words:
        child = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=words, stderr=words,
                                 env={**ENVIRONMENT, **environment}, cwd="/", umask=0o077,
                                 start_new_session=True, pass_fds=tuple(descriptors))
    child.returncode = 0  # nobody waits for it, and Popen need not complain
    return child.pid


def become(argv: Sequence[str]) -> NoReturn:
    """Have another program go on in the place of this one, with all that it has."""
    os.execv(argv[0], list(argv))


def identify(pid: int) -> Process | None:
    """Return the process that has this pid now, or None when there is none or it is a zombie."""
    try:
        state, *rest = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (OSError, ValueError):
        return None
    return None if state in "ZX" else Process(pid, int(rest[18]))


def alive(process: Process | None) -> bool:
    """Tell whether this very process still runs."""
    return process is not None and identify(process.pid) == process


def used(process: Process | None) -> tuple[float, int] | None:
    """Return CPU seconds and MB of memory that a process has used; None when it is gone."""
    if process is None or not alive(process):
        return None
    try:
        times = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
        pages = Path(f"/proc/{process.pid}/statm").read_text().split()
    except OSError:
        return None
    return ((int(times[11]) + int(times[12])) / os.sysconf("SC_CLK_TCK"),
            int(pages[1]) * os.sysconf("SC_PAGE_SIZE") >> 20)


def age(process: Process) -> float:
    """Return the seconds since a process was started."""
    return boottime() - process.started / os.sysconf("SC_CLK_TCK")


def send(process: Process, number: signal.Signals) -> bool:
    """Signal this very process, never another one that got its pid; False when it is gone."""
    try:
        handle = os.pidfd_open(process.pid)
    except ProcessLookupError:
        return False
    try:
        if identify(process.pid) != process:
            return False
        signal.pidfd_send_signal(handle, number)
        return True
    except ProcessLookupError:
        return False
    finally:
        os.close(handle)


def wait(process: Process, seconds: float) -> bool:
    """Wait until this very process has ended, at most so long; tell whether it has."""
    try:
        handle = os.pidfd_open(process.pid)
    except ProcessLookupError:
        return True
    try:
        return (identify(process.pid) != process
                or bool(select.select([handle], [], [], seconds)[0]))
    finally:
        os.close(handle)


@cache
def boot_id() -> str:
    """Return the identity of this boot of the host; no recorded pid outlives it."""
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()


def boottime() -> float:
    """Return seconds since boot, suspend included; unlike the wall clock it never jumps."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)
