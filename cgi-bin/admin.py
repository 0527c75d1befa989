#!/usr/bin/env python3
"""Administration: maintenance, machines, the end of sessions; by hand also accounts and checks."""

import os
import sys

sys.path[:1] = [os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "lib")]

from desktop import maintenance
from desktop.auth import accounts
from desktop.commandline import Command
from desktop.errors import Refusal
from desktop.freeze import upkeep
from desktop.session import aside, housekeeping
from desktop.web import actions, doctor, edge, steering, views
from desktop.web.page import Answer
from desktop.web.script import Errand, Script
from desktop.web.visit import Visit

COMMANDS = (
    Command("session_stop", "SESSION", "Stop one, by id, name or record; or an unusable record."),
    Command("session_purge", "", "Stop all sessions and remove every left-over."),
    Command("service_maintenance", "TEXT", "No new sessions, and why; 0: new ones again."),
    Command("housekeeping", "", "Look after sessions and templates, once; for a timer."),
    *steering.COMMANDS, *doctor.COMMANDS, *accounts.COMMANDS)
ACCOUNTS = [command.name for command in accounts.COMMANDS]


def web(visit: Visit) -> Answer:
    """Ask what to do; purge, stop one session, maintain, hide a machine, freeze one."""
    if visit.request.method == "POST":
        return actions.do(visit, actions.ADMIN)
    return views.administration(visit)


def by_hand(errand: Errand) -> None:
    """Do the one thing that was asked."""
    settings, commands = errand.settings, errand.line.commands
    for others in (doctor, steering):
        if others.asked(errand.line):
            return others.obey(errand)
    if len(commands) != 1:
        raise Refusal("Say one thing to do.", 400, "--help lists them all.")
    [(name, value)] = commands.items()
    match name:
        case "session_stop":
            aside.stop(settings, value)
        case "session_purge" if errand.line.on(name):
            print(f"{housekeeping.purge(settings)} sessions stopped.")
        case "housekeeping" if errand.line.on(name):
            upkeep.each_minute(settings)
        case "service_maintenance":
            print("on" if maintenance.change(settings, value) else "off")
        case _ if name in ACCOUNTS:
            sys.stdout.writelines(f"{words}\n" for words in accounts.obey(settings, name, value))
        case _:
            raise Refusal(f"--{name}={value} asks for nothing.")


SCRIPT = Script(
    name="admin", about="Administer sessions and accounts.", web=web, by_hand=by_hand,
    commands=COMMANDS, as_caller=ACCOUNTS, routine=("housekeeping", "check", "json"),
    many=("session",), fields=(
        "action", "session", "confirm", "text", "machine", "aside", "cpu", "memory", "video",
        "template", "user", "password", "ticket"))

if __name__ == "__main__":
    edge.run(SCRIPT)
