"""The hands of the installer: programs it runs, files and directories it makes.

Everything that is changed on the server, but for what those programs do, is changed here. Each
verb tells whether it had to do anything, so that a second run changes nothing.
"""

import grp
import os
import pwd
import signal
import subprocess
import tempfile
from collections.abc import Collection, Mapping
from pathlib import Path

from report import Problem

WEB = "www-data"  # whom Debian's Apache runs as
CLEAN = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
         "LANG": "C.UTF-8"}


def run(*argv: str | Path, text: str = "", environment: Mapping[str, str] = CLEAN,
        user: str = "root", fine: Collection[int] = ()) -> str:
    """Run a program to its end and return what it printed; it never sees a terminal.

    A status that is `fine` is so only with an answer. Raises Problem with its last words when it
    fails.
    """
    account = pwd.getpwnam(user)
    groups = os.getgrouplist(user, account.pw_gid)
    try:
        done = subprocess.run(argv, input=text, capture_output=True, text=True, errors="replace",
                              env=environment, cwd="/", umask=0o022, user=account.pw_uid,
                              group=account.pw_gid, extra_groups=groups)
    except OSError as error:
        raise Problem(f"{argv[0]} cannot be started: {error.strerror}") from error
    if done.returncode and not (done.returncode in fine and done.stdout):
        if done.returncode == -signal.SIGINT:
            raise KeyboardInterrupt
        last = "\n".join((done.stderr.strip() or done.stdout.strip()).splitlines()[-8:])
        raise Problem(f"{argv[0]} ended with status {done.returncode}:\n{last}")
    return done.stdout


def works(*argv: str | Path, user: str = "root") -> bool:
    """Tell whether a program runs and succeeds."""
    try:
        run(*argv, user=user)
    except Problem:
        return False
    return True


def outside() -> dict[str, str]:
    """Return the caller's environment, for programs that fetch things: it may name a proxy."""
    return {**os.environ, **CLEAN, "DEBIAN_FRONTEND": "noninteractive"}


def systemd() -> bool:
    """Tell whether systemd runs this system, as sd_booted(3) does."""
    return Path("/run/systemd/system").is_dir()


def groups() -> list[str]:
    """Return the groups of the user that scripts run as."""
    return run("id", "-nG", WEB).split()


def write(path: Path, content: bytes, mode: int = 0o644, group: str = "root",
          uid: int = 0) -> bool:
    """Make `path` a file with this content, root's; a crash leaves the old one or the new."""
    gid = grp.getgrnam(group).gr_gid
    if path.is_file() and path.read_bytes() == content:
        return own(path, mode, uid, gid)
    path.parent.mkdir(parents=True, exist_ok=True)
    target = path.resolve()
    handle, draft = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            own(Path(draft), mode, uid, gid)
            file.flush()
            os.fsync(file.fileno())
        os.replace(draft, target)
    except BaseException:
        os.unlink(draft)
        raise
    return True


def directory(path: Path, mode: int = 0o755, user: str = "root", group: str = "root") -> bool:
    """Make `path` a directory with these rights; a link to one, made by the site, is kept."""
    made = not path.is_dir()
    if made:
        if path.is_symlink() or path.exists():
            raise Problem(f"{path} is in the way: it should be a directory.",
                          "Move it away, or let it point to a directory.")
        path.mkdir(mode, parents=True)
    return own(path, mode, pwd.getpwnam(user).pw_uid, grp.getgrnam(group).gr_gid) or made


def own(path: Path, mode: int, uid: int, gid: int) -> bool:
    """Give `path` these rights; tell whether it had others."""
    status = path.stat()
    strange = (status.st_uid, status.st_gid) != (uid, gid)
    if strange:
        os.chown(path, uid, gid)
    if strange or status.st_mode & 0o7777 != mode:
        path.chmod(mode)
        return True
    return False
