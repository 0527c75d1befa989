"""What a step of the installer says: one line, ok or changed, and what is left for a person to do.

A step returns a Result or raises Problem, which ends the run; everything before it stays done and
the next run goes on from there.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Result:
    """The outcome of a step; `todo` is a sentence for the person, or nothing."""

    changed: bool
    text: str
    todo: str = ""


class Problem(Exception):
    """The run cannot go on: what is wrong, and what to do about it."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


def begin(name: str) -> None:
    """Name the step that is under way; long ones leave the person looking at this."""
    print(f"{name:<14}", end="", flush=True)


def end(result: Result) -> None:
    """Complete the line of the step."""
    print(f"{'changed' if result.changed else 'ok':<9}{result.text}")
    if result.todo:
        print(f"{'':<14}{'to do':<9}{result.todo}", flush=True)


def found(name: str, verdict: str, text: str, cure: str) -> None:
    """Say what was found of one thing, and what to do where it could be better."""
    begin(name)
    print(f"{verdict:<9}{text}")
    if cure:
        print(f"{'':<14}{'to do':<9}{cure}", flush=True)


def would(name: str, lines: list[str]) -> None:
    """Say what a step would do."""
    for first, line in enumerate(lines or [""]):
        print(f"{'' if first else name:<14}{'would' if line else 'nothing':<9}{line}")


def fail(problem: Problem) -> None:
    """Complete the line of a step that ends the run."""
    first, *rest = str(problem).splitlines() or [""]
    print(f"{'failed':<9}{first}")
    for line in rest:
        print(f"{'':<23}{line}")
    if problem.hint:
        print(f"{'':<14}{'to do':<9}{problem.hint}", flush=True)


def farewell(address: str, warning: str) -> None:
    """Say what the person does next, and what they must know."""
    print(f"\nOpen {address} in a browser.")
    if warning:
        print(f"\n    {warning}", flush=True)


def edited(names: list[str]) -> str:
    """Say what a person does about files that are kept, if any: the new version lies beside."""
    return f"edited here and kept; compare with the .new beside: {listing(names)}" if names else ""


def listing(names: list[str], most: int = 6) -> str:
    """Return some names as a phrase, cut short when they are many."""
    shown = ", ".join(names[:most])
    return shown if len(names) <= most else f"{shown} and {len(names) - most} more"
