"""One thing that was looked at, and what is to be done where it is not well."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """What was found of one thing.

    Attributes:
        name: what was looked at, a word or two.
        text: what was found, in a line.
        good: whether the service can do with it.
        cure: what an administrator does about it, or nothing.
    """

    name: str
    text: str
    good: bool = True
    cure: str = ""

    def __str__(self) -> str:
        return f"{self.text}. {self.cure}".rstrip(" ")
