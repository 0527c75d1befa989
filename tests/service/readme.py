"""The README as the tests read it: its sections, and what stands there to be typed."""

import re

from service.installation import ROOT


def section(title: str) -> str:
    """Return a section."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    found = re.search(rf"^## {title}\n(.*?)^## ", readme, re.M | re.S)
    assert found, title
    return found[1]


def blocks(text: str) -> list[str]:
    """Return what is indented, block by block; lines that go on are joined."""
    indented = re.findall(r"(?:^ {4}.*\n)+", text, re.M)
    return [re.sub(r"(?m)^ {4}", "", block).replace("\\\n", " ") for block in indented]
