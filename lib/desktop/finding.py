"""One thing that was looked at, and what is to be done where it is not well."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """What was found of one thing.

    Attributes:
        name: what was looked at, a word or two.
        text: what was found, in a line.
        good: whether the service can do with it.
        cure: what an administrator does about it, or could do, or nothing.
    """

    name: str
    text: str
    good: bool = True
    cure: str = ""

    @property
    def verdict(self) -> str:
        """Return it in a word: a note where something could be better, and need not."""
        return "BAD" if not self.good else "note" if self.cure else "good"

    def __str__(self) -> str:
        return f"{self.text}. {self.cure}".rstrip(" ")


def visible(text: str) -> str:
    """Return a text that moves no cursor: servers that are asked put words of theirs into it."""
    return "".join(letter if letter.isprintable() else "?" for letter in text)
