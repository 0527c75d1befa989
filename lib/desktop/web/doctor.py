"""Looking whether all is well, as the service itself sees it: by hand, never for a request."""

import json
import sys
from collections.abc import Iterable
from dataclasses import asdict

from desktop.commandline import Command, Line
from desktop.errors import Refusal
from desktop.finding import Finding, visible
from desktop.web.script import Errand

COMMANDS = (
    Command("check", "", "Look whether all is well; apache/install --check looks at more."),
    Command("user_try", "NAME", "Ask for a password, and say which way accepts it."),
    Command("json", "", "Print what was found as JSON."))


def asked(line: Line) -> bool:
    """Tell whether somebody wants to know how things are."""
    return line.on("check") or "user_try" in line.commands


def obey(errand: Errand) -> None:
    """Look at everything, or try a name; raise Refusal when something is not good."""
    settings, commands = errand.settings, errand.line.commands
    if len(commands.keys() - {"json"}) != 1:
        raise Refusal("Say one thing to do.", 400, "--help lists them all.")
    report = as_json if errand.line.on("json") else as_lines
    if "user_try" in commands:
        from desktop.auth import doctor  # no request needs it
        user = commands["user_try"]
        answers = report(doctor.attempt(settings, user, password()))
        if not (answers and answers[-1].good):
            raise Refusal(f"{user} would not be let in.", 401)
        return
    from desktop.web import health  # no request needs it
    if not all(finding.good for finding in report(health.look(settings))):
        raise Refusal("Not all is good.", 503)


def password() -> str:
    """Ask for a password at the terminal, unseen; else it is the first line of standard input."""
    if sys.stdin.isatty():
        from getpass import getpass  # no request needs it
        return getpass()
    return sys.stdin.readline().rstrip("\n")


def as_lines(findings: Iterable[Finding]) -> list[Finding]:
    """Print each finding when it is there, as apache/install does; return them."""
    told = []
    for finding in findings:
        print(f"{finding.name:<14}{finding.verdict:<9}{visible(finding.text)}")
        if finding.cure:
            print(f"{'':<14}{'to do':<9}{visible(finding.cure)}")
        sys.stdout.flush()
        told.append(finding)
    return told


def as_json(findings: Iterable[Finding]) -> list[Finding]:
    """Print the findings as a JSON list; return them."""
    told = list(findings)
    print(json.dumps([asdict(finding) for finding in told]))
    return told
