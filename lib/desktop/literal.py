"""Numbers and truth as people write them, read strictly.

Used for settings, descriptors and form fields alike. Python's own int() and float() also take
other scripts' digits, underscores, surrounding blanks, `nan` and `inf`; these do not.
Each function raises ValueError whose text completes "it is not ...".
"""

import re

TRUE = frozenset({"1", "on", "yes", "true"})
FALSE = frozenset({"0", "off", "no", "false"})


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
