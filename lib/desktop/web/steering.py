"""Steering a session by hand: more time for it, a message over its desktop, waking it."""

from desktop.commandline import Command, Line
from desktop.session import extension, news, sessions
from desktop.web.script import Errand

COMMANDS = (
    Command("session_extend", "SESSION", "Put off the end of one, by an hour or by --seconds=N."),
    Command("seconds", "N", "By how much."),
    Command("session_wake", "SESSION", "Have a parked one go on."),
    Command("session_message", "SESSION", "Lay --text=WORDS over the desktop of one."),
    Command("text", "WORDS", "The message."))
DETAILS = {"session_extend": "seconds", "session_message": "text", "session_wake": ""}


def asked(line: Line) -> bool:
    """Tell whether one of these is meant, and nothing else."""
    return bool(meant(line))


def meant(line: Line) -> str:
    """Return the command that is meant, or nothing."""
    for name, detail in DETAILS.items():
        if name in line.commands and not line.commands.keys() - {name, detail}:
            return name
    return ""


def obey(errand: Errand) -> None:
    """Do it and print what became of it; raise Refusal."""
    settings, commands = errand.settings, errand.line.commands
    name = meant(errand.line)
    entry = sessions.find(settings, commands[name])
    detail = commands.get(DETAILS[name], "")
    if name == "session_wake":
        from desktop.session import wake  # it reads as much as a start
        print(f"{wake.wake(settings, entry).name} goes on.")
    elif name == "session_extend":
        given = extension.extend(settings, entry, extension.wanted(detail), admin=True)
        print(f"{entry.name} has {given} seconds more.")
    else:
        viewers = news.send(settings, entry, detail, news.ADMINISTRATION)
        print(f"{entry.name} has {viewers} viewers now; who comes later sees it too.")
