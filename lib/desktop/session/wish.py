"""What somebody asks for."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What somebody asks for; None takes the default. Memory is MB, lifetime seconds.

    `form` names the form that was sent: the same one is the same session.
    """

    machine: str | None = None
    cpu: int | None = None
    memory: int | None = None
    video: str | None = None
    gpu: bool | None = None
    persistent: bool | None = None
    lifetime: int | None = None
    form: str = ""
