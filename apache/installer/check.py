"""What apache/install --check looks at: one line each, good or what to do. Nothing is changed."""

from collections.abc import Iterator
from dataclasses import dataclass

import speed
from ledger import Ledger


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at; `cure` is what to do where it is not good."""

    name: str
    good: bool
    text: str
    cure: str = ""


def check(known: Ledger) -> Iterator[Finding]:
    """Look at everything, in the order in which it depends on each other."""
    kvm = speed.kvm()
    yield Finding("KVM", not kvm.todo, kvm.text, kvm.todo)
