"""Runs a script's other story: an errand of somebody at a terminal, or of a timer.

It ends or raises Refusal, which becomes a line on standard error. Anything else is a bug: people
get an incident number, the log the traceback. What an administrator does is a line in the log
before it is done.
"""

import logging
import os
import pwd
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import NoReturn

from desktop import commandline, configuration
from desktop import log as logs
from desktop import process
from desktop.commandline import Answered
from desktop.errors import Refusal
from desktop.settings import ROOT, Settings
from desktop.web.script import BUG, DONE, REFUSED, Errand, Script, Tool, end

log = logging.getLogger("by hand")


def run(script: Tool) -> NoReturn:
    """Run a script to its end and exit."""
    if "GATEWAY_INTERFACE" in os.environ:
        sys.exit(f"{script.name} is for a terminal, not for requests.")
    end(lambda: obey(script, os.environ, sys.argv[1:]))


def obey(script: Tool, environ: Mapping[str, str], arguments: Sequence[str]) -> int:
    """Do one errand of somebody at a terminal."""
    logs.set_up(script.name)
    try:
        line = commandline.parse(arguments, script.commands, script.about)
        errand = Errand(line, configuration.load(environ, line.settings), user_name())
        hand_over(script, errand.settings, arguments)
        who = errand.user + by_sudo()
        if not set(line.commands) & set(script.as_caller):
            become_service(errand.settings)
        write_log(script.name, errand.settings)
        if script.routine is not None and set(line.commands) - set(script.routine):
            log.info("%s: %s, by hand", who, " ".join(
                f"{name}={value}" for name, value in line.commands.items()))
        script.by_hand(errand)
    except Answered as answer:
        print(answer)
    except Refusal as problem:
        print(problem, file=sys.stderr)
        return REFUSED
    except BrokenPipeError:
        raise
    except Exception:
        print(f"Something went wrong that should not; the log knows it as {logs.incident()}.",
              file=sys.stderr)
        return BUG
    return DONE


def hand_over(script: Tool, settings: Settings, arguments: Sequence[str]) -> None:
    """Have the installed tool do it, where root types that of a checkout.

    That one has its packages, and can be read by the service, whom root becomes.
    """
    installed = settings.dir_service / "machines" / script.name
    if (os.geteuid() == 0 and not isinstance(script, Script) and os.access(installed, os.X_OK)
            and not os.path.samefile(settings.dir_service, ROOT)):
        process.become([str(installed), *arguments])


def user_name() -> str:
    """Return the name of who runs this."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return str(os.getuid())


def by_sudo() -> str:
    """Return who became root by sudo to do this, as far as sudo says, in brackets."""
    name = os.environ.get("SUDO_USER", "") if os.getuid() == 0 else ""
    return f" ({name})" if name else ""


def become_service(settings: Settings) -> None:
    """Let root act as the owner of the sessions, so that the service can look after them too."""
    try:
        owner = settings.dir_cfg.stat()
    except OSError:
        return
    if os.geteuid() != 0 or owner.st_uid == 0:
        return
    try:
        account = pwd.getpwuid(owner.st_uid)
        os.initgroups(account.pw_name, account.pw_gid)
        os.setgid(account.pw_gid)
        os.environ["HOME"] = account.pw_dir
    except KeyError:  # an owner without a name
        os.setgroups([])
        os.setgid(owner.st_gid)
    os.setuid(owner.st_uid)


def write_log(name: str, settings: Settings) -> None:
    """Send the log to a file, where there can be one: at a terminal it is in the way.

    Root opens it with the rights of whom the directory belongs to: a link may lie in wait.
    """
    try:
        settings.dir_log.mkdir(mode=0o750, parents=True, exist_ok=True)
        facts = settings.dir_log.stat()
        if os.geteuid() not in (0, facts.st_uid):
            return
        with rights_of(facts):
            handle = os.open(settings.dir_log / "by-hand.log", os.O_WRONLY | os.O_APPEND
                             | os.O_CREAT | os.O_NONBLOCK, 0o600)
        logs.set_up(name, open(handle, "a", encoding="utf-8"))
    except OSError:
        pass


@contextmanager
def rights_of(facts: os.stat_result) -> Iterator[None]:
    """Have root be the owner of a directory for a moment."""
    before = os.geteuid(), os.getegid()
    try:
        if before[0] == 0:
            os.setegid(facts.st_gid)
            os.seteuid(facts.st_uid)
        yield
    finally:
        if before[0] == 0:
            os.seteuid(before[0])
            os.setegid(before[1])
