"""The programs and pages in /usr/share, the settings and rights around them."""

import compileall
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import checkout
import system
from ledger import Ledger, checksum, keep
from places import DIRECTORIES, ETC, FILES, HTPASSWD, LIB, LOG, PYTHON, RUN, SETTINGS, SHARE, TREE
from report import Problem, Result, edited, listing

PROGRAMS = ("lib", "cgi-bin", "machines")
TOOLS = ("fetch", "freeze", "import", "list")  # of machines, where images may lie as well


def programs(ledger: Ledger) -> Result:
    """Install PROGRAMS, lib byte-compiled; what is no longer shipped goes.

    Each file is replaced at once, so a request or keeper that starts meanwhile reads whole files.
    """
    changed = []
    for path, content in installed_programs():
        ledger.files[str(path)] = checksum(content)
        if system.write(path, content, 0o755 if is_script(path) else 0o644):
            changed.append(path.name)
    for path in no_longer_shipped(ledger):
        path.unlink(missing_ok=True)
        del ledger.files[str(path)]
        changed.append(path.name)
    compile_all()
    ledger.save()
    return Result(bool(changed), f"{SHARE}/{{{','.join(PROGRAMS)}}}{count(changed)}")


def pages(ledger: Ledger) -> Result:
    """Install html, except over what the site edited: there the new version lies beside."""
    outcomes = {path: keep(ledger, path, source.read_bytes(), 0o644, "root")
                for source, path in shipped("html")}
    ledger.save()
    return result(f"{SHARE}/html", outcomes)


def settings(ledger: Ledger) -> Result:
    """Install the settings and the small files around the service, edited ones kept."""
    ledger.made = sorted({*ledger.made, *(str(folder) for file in FILES
                                          for folder in file.path.parents if not folder.exists())})
    ledger.save()
    outcomes = {file.path: keep(ledger, file.path, (TREE / "apache" / file.source).read_bytes(),
                                file.mode, file.group) for file in FILES}
    ledger.save()
    return result("/etc", outcomes)


def result(what: str, outcomes: dict[Path, str]) -> Result:
    """Sum up files that the site may edit."""
    changed = [path.name for path, outcome in outcomes.items() if outcome == "changed"]
    kept = [str(path) for path, outcome in outcomes.items() if outcome == "edited"]
    return Result(bool(changed), f"{what}{count(changed)}", edited(kept))


def count(changed: list[str]) -> str:
    """Return a phrase about the files that changed: their names while they are few."""
    if len(changed) > 6:
        return f": {len(changed)} files"
    return f": {listing(changed)}" if changed else ""


def readable() -> Result:
    """Refuse when the site's settings have names or values that this version does not know.

    Before anything is changed: with such a file every request would be refused.
    """
    if not SETTINGS.exists():
        return Result(False, "as they come")
    wrong = checkout.mistakes(SETTINGS)
    if wrong:
        raise Problem("\n".join(("this version does not take them; nothing was changed.", *wrong)),
                      f"Mend {SETTINGS} and run apache/install again.")
    return Result(False, f"{SETTINGS} can be read")


def directories(ledger: Ledger) -> Result:
    """Make the directories and set their rights; let the web server use KVM."""
    changed = [str(place.path) for place in DIRECTORIES
               if system.directory(place.path, place.mode, place.user, place.group)]
    if not HTPASSWD.exists() and system.write(HTPASSWD, b"", 0o640, system.WEB):
        changed.append(str(HTPASSWD))
    if system.works("getent", "group", "kvm") and "kvm" not in system.groups():
        ledger.kvm = True
        ledger.save()
        system.run("gpasswd", "--add", system.WEB, "kvm")
        changed.append("www-data into group kvm")
    return Result(bool(changed), f"{ETC}, {LIB}, {RUN}, {LOG}{count(changed)}")


def shipped(folder: str) -> Iterator[tuple[Path, Path]]:
    """Yield each file of a folder of the checkout, and its place on the server."""
    for source in sorted((TREE / folder).rglob("*")):
        hidden = any(part == "__pycache__" or part.startswith(".")
                     for part in source.relative_to(TREE).parts)
        other = folder == "machines" and source.name not in TOOLS
        if source.is_file() and not hidden and not other and source.suffix != ".pyc":
            yield source, SHARE / source.relative_to(TREE)


def installed_programs() -> Iterator[tuple[Path, bytes]]:
    """Yield each program's place on the server and what is in it there."""
    for folder in PROGRAMS:
        for source, path in shipped(folder):
            content = source.read_bytes()
            yield path, for_venv(content) if is_script(path) else content


def is_script(path: Path) -> bool:
    """Tell whether a program is one that Apache runs, or an administrator."""
    return path.parent == SHARE / "machines" or (path.parent.name == "cgi-bin"
                                                 and path.suffix == ".py")


def no_longer_shipped(ledger: Ledger) -> list[Path]:
    """Return the programs that an older version had."""
    now = {path for folder in PROGRAMS for _, path in shipped(folder)}
    return [path for path in map(Path, ledger.files) if path not in now
            and any(path.is_relative_to(SHARE / folder) for folder in PROGRAMS)]


def for_venv(script: bytes) -> bytes:
    """Return a script whose first line names the environment's Python, isolated (-I)."""
    first, _, rest = script.partition(b"\n")
    if not first.startswith(b"#!"):
        raise Problem(f"a script of cgi-bin begins with {first[:40]!r}, not with #!")
    return b"#!%s -I\n%s" % (os.fsencode(PYTHON), rest)


def compile_all() -> None:
    """Compile lib ahead, since the web server may not; forget what has no source any more."""
    for cache in (SHARE / "lib").rglob("__pycache__"):
        for compiled in cache.iterdir():
            if not (cache.parent / f"{compiled.name.partition('.')[0]}.py").exists():
                compiled.unlink()
        if not any(cache.iterdir()):
            shutil.rmtree(cache)
    if not compileall.compile_dir(SHARE / "lib", quiet=1):
        raise Problem("the library cannot be compiled.")
