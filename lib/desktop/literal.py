"""What people write, read strictly: numbers, truth, words, and files of `name = value` lines.

Used for settings, descriptors and form fields alike. Python's own int() and float() also take
other scripts' digits, underscores, surrounding blanks, `nan` and `inf`; these do not.
What reads a value raises ValueError whose text completes "it is not ...".
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

TRUE = frozenset({"1", "on", "yes", "true"})
FALSE = frozenset({"0", "off", "no", "false"})
# What no line of text has: control characters, separators of lines, halves of characters.
CONTROL = re.compile("[\0-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


def integer(text: str) -> int:
    """Return a whole number of at most 15 digits, such as 4096 or -1."""
    if not re.fullmatch(r"-?[0-9]{1,15}", text):
        raise ValueError("a whole number")
    return int(text)


def decimal(text: str) -> float:
    """Return a number such as 0.8 or 10."""
    if not re.fullmatch(r"-?[0-9]{1,15}(\.[0-9]{1,9})?", text):
        raise ValueError("a number")
    return float(text)


def truth(text: str) -> bool:
    """Return True for 1, on, yes, true and False for 0, off, no, false."""
    word = text.lower()
    if word not in TRUE | FALSE:
        raise ValueError("1 or 0")
    return word in TRUE


def words(text: str) -> tuple[str, ...]:
    """Return the words of a list separated by commas or blanks."""
    return tuple(re.split(r"[,\s]+", text.strip(", \t"))) if text.strip(", \t") else ()


def check(value: Any, rules: Mapping[str, Any]) -> None:
    """Raise ValueError for a value that is not among the choices or beyond the bounds, if any.

    `rules` has choices, least, and most, which never stands without least; bounds are inclusive.
    """
    choices, least, most = rules["choices"], rules["least"], rules["most"]
    if choices and value not in choices:
        raise ValueError(f"one of {', '.join(choices)}")
    if least is not None and value < least or most is not None and value > most:
        raise ValueError(f"at least {least}" if most is None else f"between {least} and {most}")


def lines(text: str, file: str) -> Iterator[tuple[str, str, str]]:
    """Yield name, value and place of each `name = value` line; # and ; begin a comment.

    Raises ValueError, naming the line, for one that is no such and for a name set twice.
    """
    seen = set()
    for number, line in enumerate(text.splitlines(), 1):
        line = line.strip()
        if not line or line.startswith(("#", ";")):
            continue
        name, equals, value = (part.strip() for part in line.partition("="))
        where = f"{file} line {number}"
        if not equals:
            raise ValueError(f"{where}: expected name = value, found {line!r}")
        if name in seen:
            raise ValueError(f"{where}: {name} is set twice")
        seen.add(name)
        yield name, value, where
