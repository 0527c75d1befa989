"""What comes back from the form."""

from collections.abc import Callable, Mapping
from typing import TypeVar

from desktop import literal
from desktop.errors import Refusal
from desktop.session.wish import Wish
from desktop.settings import VIDEO

CHOICES = ("machine", "cpu", "memory", "video", "gpu", "persistent", "lifetime")
FIELDS = ("user", "password", *CHOICES, "terms", "form", "ticket")
Value = TypeVar("Value")


def wish(fields: Mapping[str, str]) -> Wish:
    """Return what the form asks for; an absent field takes its default, a wrong one is refused."""
    video = fields.get("video")
    if video is not None and video not in VIDEO:
        raise Refusal(f"video = {video!r} is not one of {', '.join(VIDEO)}.")
    if fields.get("machine") == "":
        raise Refusal("machine is empty.", 400, "Choose a machine, or leave the field out.")
    return Wish(machine=fields.get("machine"), video=video, form=fields.get("form", ""),
                cpu=read(fields, "cpu", literal.integer),
                memory=read(fields, "memory", literal.integer),
                lifetime=read(fields, "lifetime", literal.integer),
                gpu=read(fields, "gpu", literal.truth),
                persistent=read(fields, "persistent", literal.truth))


def read(fields: Mapping[str, str], name: str, parse: Callable[[str], Value]) -> Value | None:
    """Return the value of a field, None when it is absent; raise Refusal for a wrong one."""
    if name not in fields:
        return None
    try:
        return parse(fields[name])
    except ValueError as error:
        raise Refusal(f"{name} = {fields[name]!r} is not {error}.") from error


def check_terms(fields: Mapping[str, str]) -> None:
    """Raise Refusal unless the terms of use were accepted."""
    if not read(fields, "terms", literal.truth):
        raise Refusal("The terms of use are not accepted.", 400, "Tick them in the form.")
