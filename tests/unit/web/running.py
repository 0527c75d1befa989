"""The three scripts as modules, each loaded once, and what they answer."""

import importlib.util
import io
import sys
from collections.abc import Mapping
from email import message_from_bytes
from functools import cache
from pathlib import Path

from asking import environ, post

from desktop.settings import ROOT
from desktop.web import edge
from desktop.web.edge import Script


@cache
def load(name: str) -> Script:
    """Return a script; the path it arranges for itself is put back."""
    path = sys.path[:]
    spec = importlib.util.spec_from_file_location(f"script_{name}", ROOT / f"cgi-bin/{name}.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    finally:
        sys.path[:] = path
    found = module.SCRIPT
    assert isinstance(found, Script)
    return found


def answer(ini: Path, name: str, fields: Mapping[str, str] | None = None,
           **changes: str) -> tuple[int, Mapping[str, str], str]:
    """Return status, headers and text of what a script with these settings answers."""
    changes = {"SCRIPT_NAME": f"/desktop/{name}", "REMOTE_DESKTOP_INI": str(ini), **changes}
    variables, body = (environ(**changes), io.BytesIO()) if fields is None else post(
        fields, **changes)
    out = io.BytesIO()
    assert edge.serve(load(name), variables, body, out) == 0
    head, _, text = out.getvalue().partition(b"\r\n\r\n")
    headers = message_from_bytes(head)
    return int(headers["Status"][:3]), dict(headers.items()), text.decode()
