"""The three scripts as modules, each loaded once."""

import importlib.util
import sys
from functools import cache

from desktop.settings import ROOT
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
