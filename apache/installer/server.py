"""Apache: its modules, our confs and virtual host; a configuration that fails its test is undone.

What is done is noted in the ledger before it is, so that a run that is cut off hides nothing.
"""

from collections.abc import Iterable
from pathlib import Path

import before
import daemon
import ports
import sites
import system
import tls
from ledger import Ledger, checksum, keep
from places import APACHE, CONF, REDIRECT, SITE, TREE
from report import Problem, Result, edited, listing
from tls import Choice, Tls

MODULES = ("alias", "dir", "env", "headers", "mime", "proxy", "proxy_http", "proxy_wstunnel",
           "reqtimeout", "rewrite")
FOR_TLS = ("setenvif", "socache_shmcb", "ssl")  # with what ssl depends on
CONTROL = Path("/usr/sbin/apache2ctl")
ENABLED = Path("/var/lib/apache2")  # where a2enmod notes what it did
TURN = {"mod": ("a2enmod", "a2dismod"), "conf": ("a2enconf", "a2disconf"),
        "site": ("a2ensite", "a2dissite")}


def plan(ledger: Ledger, wanted: Tls) -> Result:
    """Say how people will reach the service; raises Problem, before anything is changed."""
    choice = choose(ledger, wanted)
    must_fit(choice)
    return Result(False, tls.described(choice))


def choose(ledger: Ledger, wanted: Tls) -> Choice:
    """Decide how people reach the service; see tls.choose."""
    return tls.choose(wanted, ledger.tls, sites.find() if CONTROL.exists() else [])


def must_fit(choice: Choice) -> None:
    """Raise Problem when another program has a port that Apache is to listen on from now on."""
    secure = enabled("mod", "ssl")
    running = daemon.active()
    ports.must_be_free([one for one in ports.listens()
                        if (not one.tls and not running)
                        or (one.tls and (not running if secure else bool(choice.certificate)))])


def serve(ledger: Ledger, wanted: Tls) -> Result:
    """Add the service to Apache, beside whatever it serves, and have it running.

    Raises Problem, with Apache's configuration as it was, when Apache refuses it or ends with it.
    """
    if system.systemd():
        system.run("systemctl", "daemon-reload")  # the drop-in may be new
    choice = choose(ledger, wanted)
    must_fit(choice)
    then, pending, ran = before.remember(APACHE, ENABLED), ledger.reload, daemon.active()
    known = list(ledger.modules), list(ledger.includes), dict(ledger.files)
    ledger.reload = True
    try:
        done, kept = configure(ledger, choice)
        system.run("apache2ctl", "configtest")
        done.append(daemon.start(pending or before.remember(APACHE, ENABLED) != then))
    except Problem as problem:
        before.put_back(then, APACHE, ENABLED)
        (ledger.modules, ledger.includes, ledger.files), ledger.reload = known, pending
        ledger.save()
        if ran and not daemon.active():
            daemon.command("start")
        raise Problem(f"Apache refuses the configuration; it is as it was.\n{problem}",
                      problem.hint or f"Compare {CONF.path} with your own configuration."
                      ) from problem
    ledger.reload, ledger.tls = False, choice.facts()
    ledger.save()
    todo = edited(kept), daemon.pid_file_elsewhere()
    return Result(any(done), ", ".join(filter(None, done)) or "serves /desktop/ already",
                  "; ".join(filter(None, todo)))


def configure(ledger: Ledger, choice: Choice) -> tuple[list[str], list[str]]:
    """Bring Apache's files to what was chosen; return what was done, and what the site edited."""
    if choice.kind == "self" and not all(Path(name).exists() for name in tls.SNAKEOIL):
        system.run("make-ssl-cert", "generate-default-snakeoil")
    wanted = (*MODULES, daemon.cgi(), *(FOR_TLS if choice.certificate else ()))
    missing = [name for name in wanted if not enabled("mod", name)]
    ledger.modules += [name for name in missing if name not in ledger.modules]
    files = contents(choice)
    chosen = sorted({str(host.file) for host in choice.hosts})
    left = [name for name in ledger.includes if name not in chosen]
    ledger.includes = sorted({*ledger.includes, *chosen})
    ledger.save()
    outcomes = {path: keep(ledger, path, content, CONF.mode, CONF.group)
                for path, content in files.items()}
    turned = [turn("mod", name, True) for name in missing]
    turned += [turn(*switch) for switch in switches(choice)]
    if not choice.certificate:
        turned += release(ledger, [name for name in reversed(FOR_TLS) if name in ledger.modules])
    touched = [*(f"a line in {path}" for path in sites.include(choice.hosts)),
               *(f"none in {path}" for path in sites.withdraw(map(Path, left)))]
    ledger.includes = chosen
    forget(ledger, {REDIRECT, SITE} - files.keys())
    changed = [str(path.relative_to(APACHE)) for path, outcome in outcomes.items()
               if outcome == "changed"]
    return [listing([word for word in turned if word], 4),
            listing([*changed, *touched])], [
            str(path) for path, outcome in outcomes.items() if outcome == "edited"]


def contents(choice: Choice) -> dict[Path, bytes]:
    """Return our files of Apache that this choice takes."""
    return {CONF.path: (TREE / "apache" / CONF.source).read_bytes(),
            **({REDIRECT: tls.redirect(choice)} if choice.kind != "off" else {}),
            **({SITE: tls.virtual_host(choice)} if choice.certificate else {})}


def switches(choice: Choice) -> list[tuple[str, str, bool]]:
    """Return which confs and site of ours are to be on, and which off: kind, name, on."""
    return [("conf", REDIRECT.stem, choice.kind != "off"),
            ("conf", CONF.path.stem, not choice.site),
            ("site", SITE.stem, bool(choice.certificate))]


def forget(ledger: Ledger, paths: Iterable[Path]) -> None:
    """Remove files that are no longer wanted; what the site edited stays."""
    for path in paths:
        recorded = ledger.files.pop(str(path), None)
        if recorded and path.is_file() and checksum(path.read_bytes()) == recorded:
            path.unlink()


def leave(ledger: Ledger) -> list[str]:
    """Undo in Apache what was done there, and have it read that; return what was undone.

    A module stays on when something of the site's has come to need it. Files of ours stay: see
    ledger.files. Raises Problem when Apache would refuse what is left, with all as it was.
    """
    if not CONTROL.exists():
        return []
    then = before.remember(APACHE, ENABLED)
    undone = [str(path) for path in sites.withdraw(map(Path, ledger.includes))]
    undone += filter(None, [turn("site", SITE.stem, False), turn("conf", CONF.path.stem, False),
                            turn("conf", REDIRECT.stem, False)])
    try:
        system.run("apache2ctl", "configtest")
    except Problem as problem:
        before.put_back(then, APACHE, ENABLED)
        raise Problem(f"Apache refuses its configuration without us; it is as it was.\n{problem}",
                      "Mend it until apache2ctl configtest is content.") from problem
    undone += release(ledger, [*reversed(ledger.modules)])
    ledger.modules, ledger.includes = [], []
    if undone and daemon.active():
        daemon.start(True)
    return undone


def release(ledger: Ledger, modules: Iterable[str]) -> list[str]:
    """Disable modules that were enabled here, but for those that something else has come to need.

    That is so when Apache refuses to do without, or a virtual host would be missing.
    """
    gone, hosts = [], sites.find()
    for name in modules:
        then = before.remember(APACHE, ENABLED)
        try:
            turned = turn("mod", name, False)
        except Problem:  # another module depends on it
            continue
        if system.works("apache2ctl", "configtest") and sites.find() == hosts:
            gone += [turned] if turned else []
            ledger.modules.remove(name)
        else:
            before.put_back(then, APACHE, ENABLED)
    return gone


def turn(kind: str, name: str, on: bool) -> str:
    """Enable or disable a module, conf or site; return its name when that was to be done.

    Off is as if it had never been: Debian's tools would else remember that it is not wanted.
    """
    if enabled(kind, name) == on:
        return ""
    enable, disable = TURN[kind]
    system.run(enable if on else disable, "--quiet", *([] if on else ["--purge"]), name)
    return f"{kind} {name}{'' if on else ' off'}"


def enabled(kind: str, name: str) -> bool:
    """Tell whether a module, conf or site is enabled."""
    return system.works("a2query", "-q", f"-{kind[0]}", name)
