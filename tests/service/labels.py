"""The words on the buttons of our pages, as the pages' sources have them.

A button of the viewer is named by its id.
"""

import re
from collections.abc import Iterator
from pathlib import Path

from service.installation import ROOT

TEMPLATES = ROOT / "lib/desktop/web/templates"
PAGES = (*sorted(TEMPLATES.glob("*.html")), ROOT / "html/index.html", ROOT / "html/terms.html")
LETTERS = ("letter.html", "notice.html")  # mails
TAG = r"(?:[^>{]|\{\{.*?\}\}|\{%.*?%\})*"
BUTTON = re.compile(rf"<(button|summary)\b{TAG}>(.*?)</\1>|<a class=\"button{TAG}>(.*?)</a>", re.S)
PRESS = re.compile(r'press\(s, "\w+", "([^"]+)"\)')
EITHER = re.compile(r'\{\{ "([^"]+)" if .*? else "([^"]+)" \}\}')


def labels() -> set[str]:
    """Return the words on all buttons; what differs is *."""
    return {label for path in PAGES if path.name not in LETTERS
            for label in words(path.read_text(encoding="utf-8"))}


def words(text: str) -> Iterator[str]:
    """Yield the words on the buttons of a page or a piece of one."""
    yield from PRESS.findall(text)
    for match in BUTTON.finditer(text):
        inside = re.sub(r'<span class="hidden">.*?</span>|\{%.*?%\}', "", match[2] or match[3],
                        flags=re.S)
        for choice in (0, 1):
            label = EITHER.sub(lambda both, choice=choice: both[1 + choice], inside)
            yield " ".join(re.sub(r"\{\{.*?\}\}", "*", label).split())


def tools() -> set[str]:
    """Return the ids of the viewer's buttons."""
    return set(re.findall(r'<button\b[^>]*\bid="([^"]+)"',
                          Path(ROOT / "html/view.html").read_text(encoding="utf-8")))
