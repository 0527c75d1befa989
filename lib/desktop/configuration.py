"""Where the settings of a run come from: the file of `name = value` lines, the command line.

Each is read strictly, by the one table in settings.py. Nothing here looks at a request.
"""

import os
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from desktop import literal
from desktop.errors import Refusal
from desktop.settings import INSTALLED_FILE, ROOT, TABLE, Settings, nearest, spell


def load(environ: Mapping[str, str], overrides: Mapping[str, str] | None = None) -> Settings:
    """Return the settings of this run: defaults, then the file, then the command line's.

    The file is the one REMOTE_DESKTOP_INI names, else the installed one. By hand, without a file
    that can be read, the defaults suit a checkout and the person's own directories.

    Raises Refusal for a file that cannot be read, an unknown name or a wrong value.
    """
    named = environ.get("REMOTE_DESKTOP_INI")
    path = Path(named) if named else INSTALLED_FILE
    if named or "GATEWAY_INTERFACE" in environ or os.access(path, os.R_OK):
        settings = read(path)
    else:
        settings = by_hand(environ)
    return change(settings, overrides or {}, "the command line")


def by_hand(environ: Mapping[str, str]) -> Settings:
    """Return defaults for a person with a checkout, or who may not read the settings file."""
    home = Path(environ.get("HOME") or "/nonexistent")
    cache = Path(environ.get("XDG_CACHE_HOME") or home / ".cache") / "remote-desktop"
    runtime = Path(environ.get("XDG_RUNTIME_DIR") or "/tmp") / f"remote-desktop-{os.getuid()}"
    usual = Settings()
    machines = usual.dir_machines if ROOT == usual.dir_service else ROOT / "machines"
    return Settings(dir_service=ROOT, dir_html=ROOT / "html", dir_machines=machines,
                    dir_snapshots=cache / "snapshots", dir_templates=cache / "templates",
                    dir_parked=cache / "parked", dir_cfg=runtime,
                    dir_state=cache / "state", dir_log=cache / "log")


def read(path: Path) -> Settings:
    """Read a settings file; raise Refusal naming the line that is wrong."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeError) as error:
        raise Refusal(f"The settings file {path} cannot be read: "
                      f"{getattr(error, 'strerror', None) or 'it is not UTF-8'}.", 500,
                      "REMOTE_DESKTOP_INI names another one.") from error
    try:
        return Settings(**{name: parse(name, value, where)
                           for name, value, where in literal.lines(text, str(path))})
    except ValueError as error:
        raise Refusal(f"{error}.", 500) from error


def mistakes(path: Path) -> list[Refusal]:
    """Return all that is wrong in a settings file, each with the line; for who updates a site."""
    found = []
    try:
        for name, value, where in literal.lines(path.read_text(encoding="utf-8"), str(path)):
            try:
                parse(name, value, where)
            except Refusal as problem:
                found.append(problem)
    except ValueError as error:  # nothing after it can be told
        found.append(Refusal(f"{error}.", 500))
    return found


def change(settings: Settings, values: Mapping[str, str], where: str) -> Settings:
    """Return `settings` with some replaced by the given texts; `where` is said in a refusal."""
    return replace(settings, **{name: parse(name, text, where) for name, text in values.items()})


def parse(name: str, text: str, where: str) -> Any:
    """Turn the text of one setting into its value, or raise Refusal."""
    if name not in TABLE:
        raise Refusal(f"{where}: unknown setting {name!r}.", 500, nearest(name, TABLE))
    entry = TABLE[name]
    rules = entry.metadata
    try:
        value = PARSERS[entry.type](text)
        literal.check(value, rules)
    except ValueError as error:
        raise Refusal(f"{where}: {name} = {text!r} is not {error}.", 500,
                      nearest(text, rules["choices"])) from error
    return value


def directory(text: str) -> Path:
    """Return an absolute path; relative ones start where the command was typed."""
    if not text:
        raise ValueError("a path")
    return Path(os.path.abspath(os.path.expanduser(text)))


PARSERS: Mapping[Any, Callable[[str], Any]] = {
    bool: literal.truth, int: literal.integer, float: literal.decimal, str: str, Path: directory,
    tuple[str, ...]: literal.words}


def write(settings: Settings, path: Path) -> None:
    """Write what differs from the defaults, for `read` to read back; but no password."""
    lines = [f"{name} = {spell(getattr(settings, name))}\n" for name, entry in TABLE.items()
             if getattr(settings, name) != entry.default and not (
                 entry.metadata["secret"] and not getattr(settings, name).startswith("/"))]
    path.write_text("".join(lines), encoding="utf-8")
