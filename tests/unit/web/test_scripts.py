"""The three scripts as programs: with a CGI environment, and by hand."""

import json
import os
import pty
import subprocess
from collections.abc import Callable
from dataclasses import replace
from email import message_from_bytes
from pathlib import Path

import pytest
from asking import FORM, environ
from test_card import SECRET, add

from desktop import configuration
from desktop.auth import chain
from desktop.auth.credentials import Credentials
from desktop.settings import ROOT, Settings

Run = Callable[..., "subprocess.CompletedProcess[bytes]"]
SCRIPTS = ("create", "monitor", "admin")


@pytest.fixture
def run(settings: Settings, tmp_path: Path) -> Run:
    """Return what runs a script with the settings of the test."""
    settings.dir_machines.mkdir(exist_ok=True)
    configuration.write(replace(settings, dir_html=ROOT / "html"), tmp_path / "desktop.ini")

    def run(name: str, *arguments: str, stdin: bytes = b"",
            **variables: str) -> "subprocess.CompletedProcess[bytes]":
        variables = {"PATH": os.environ["PATH"], "REMOTE_DESKTOP_INI": f"{tmp_path}/desktop.ini",
                     **variables}
        done = subprocess.run([ROOT / "cgi-bin" / f"{name}.py", *arguments], input=stdin,
                              capture_output=True, timeout=20, cwd="/", env=variables)
        assert b"Traceback" not in done.stdout + done.stderr, done.stderr.decode()
        return done
    return run


def status(done: "subprocess.CompletedProcess[bytes]") -> int:
    """Return the status of an answer."""
    assert done.returncode == 0
    return int(message_from_bytes(done.stdout)["Status"][:3])


def lets_in(settings: Settings, user: str, password: str) -> bool:
    """Tell whether somebody can sign in."""
    return chain.check(settings, Credentials(user, password, "")).accepted


def test_words_of_the_query_are_no_arguments(run: Run) -> None:
    done = run("create", "--help", "--allow_unauthenticated=1", **environ())
    assert status(done) == 200 and b'"open": false' in done.stdout
    done = run("admin", "--session_purge=1", **environ(SCRIPT_NAME="/desktop/admin"))
    assert status(done) == 401


def test_a_body_that_is_too_large(run: Run) -> None:
    for length in ("1000000", "70000", None):
        variables = environ(REQUEST_METHOD="POST", CONTENT_TYPE=FORM, CONTENT_LENGTH=length)
        assert status(run("create", stdin=b"user=" + b"a" * 70000, **variables)) == 413


def test_by_hand_nothing_runs(run: Run, settings: Settings) -> None:
    done = run("monitor")
    assert done.returncode == 0 and done.stdout.startswith(b"<!doctype html>"), done.stderr
    done = run("monitor", "--json", "--service_monitor=1")
    assert json.loads(done.stdout)["sessions"] == []
    assert run("admin", "--session_purge=1").stdout == b"0 sessions stopped.\n"
    assert run("admin", "--housekeeping=1").returncode == 0
    done = run("admin", "--check")
    assert done.returncode == 1 and b"htpasswd      good     2 accounts" in done.stdout


def test_by_hand_the_whole_life(run: Run, settings: Settings) -> None:
    entry = add(settings, "bob")
    done = run("monitor", "--json")
    assert entry.name.encode() in done.stdout and SECRET.encode() not in done.stdout
    assert run("admin", f"--session_stop={entry.name}").returncode == 0
    assert not (settings.dir_cfg / entry.session).exists()
    done = run("admin", f"--session_stop={entry.name}")
    assert (done.returncode, done.stdout) == (1, b"") and entry.name.encode() in done.stderr
    entry = add(settings, "bob")
    (settings.dir_cfg / entry.session / "session.json").unlink()
    entry = add(settings, "bob")
    record = settings.dir_cfg / entry.session / "session.json"
    assert run("admin", f"--session_stop={record}").returncode == 0


@pytest.mark.parametrize("arguments", [
    (), ("--session_stop=a", "--session_purge=1"), ("--session_purge=0",), ("--user_add=",),
    ("--user_add=a:b",), ("--user_remove=eve",), ("--user_import=/none",), ("--session_stop",),
    ("--session_stop=..",), ("purge",), ("--machin=x",),
    ("--snapshot_lifetime=1e3", "--housekeeping"), ("--user_add=eve", "--user_add=fred"),
    ("--user_try=ada", "--check"), ("--user_try=",), ("--user_try",), ("--check=0",)])
def test_by_hand_refused(run: Run, settings: Settings, arguments: tuple[str, ...]) -> None:
    before = settings.file_htpasswd.read_bytes()
    done = run("admin", *arguments)
    assert done.returncode == 1 and done.stdout == b"" and done.stderr, done
    assert settings.file_htpasswd.read_bytes() == before


def test_accounts_by_hand(run: Run, settings: Settings, tmp_path: Path) -> None:
    name, password = run("admin", "--user_add=eve").stdout.decode().strip().split(",")
    assert lets_in(settings, name, password)
    (tmp_path / "class.csv").write_text("fred,freds own\ngrace\n")
    lines = run("admin", f"--user_import={tmp_path}/class.csv").stdout.decode().splitlines()
    assert [line.partition(",")[0] for line in lines] == ["grace"]
    assert lets_in(settings, "fred", "freds own")
    assert run("admin", "--user_remove=fred").returncode == 0
    assert not lets_in(settings, "fred", "freds own")
    assert lets_in(settings, "ada", "ada-secret")


def test_a_name_is_tried_by_hand(run: Run, settings: Settings) -> None:
    done = run("admin", "--user_try=ada", stdin=b"ada-secret\n")
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout == b"htpasswd      good     accepts; the name is ada, administrator\n"
    done = run("admin", "--user_try=ada", "--json", stdin=b"wrong\n")
    assert done.returncode == 1 and done.stderr == b"ada would not be let in.\n"
    assert json.loads(done.stdout) == [{"name": "htpasswd", "good": False, "cure": "", "text":
                                        "does not know this name and this password"}]
    assert not (settings.dir_state / "throttle").exists()


def test_a_password_typed_at_a_terminal_is_not_seen(run: Run, tmp_path: Path) -> None:
    pid, terminal = pty.fork()
    if not pid:
        os.execve(ROOT / "cgi-bin/admin.py", ["admin.py", "--user_try=ada"], {
            "PATH": os.environ["PATH"], "REMOTE_DESKTOP_INI": f"{tmp_path}/desktop.ini"})
    said = b""
    while b"Password: " not in said:
        said += os.read(terminal, 1000)
    os.write(terminal, b"ada-secret\n")
    try:
        while words := os.read(terminal, 1000):
            said += words
    except OSError:  # EIO: whoever was at the other end has gone
        pass
    os.close(terminal)
    assert os.waitpid(pid, 0)[1] == 0
    assert b"accepts" in said and b"ada-secret" not in said


@pytest.mark.parametrize("name", SCRIPTS)
def test_help_and_version(run: Run, name: str) -> None:
    done = run(name, "--help")
    assert done.returncode == 0 and b"--snapshot_lifetime=86400" in done.stdout
    assert run(name, "--version").stdout.startswith(b"remote-desktop ")


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_reader_that_goes_away(run: Run, name: str, tmp_path: Path) -> None:
    done = subprocess.run(f"{ROOT}/cgi-bin/{name}.py --help | head -c 1", shell=True, timeout=20,
                          capture_output=True, env={"PATH": os.environ["PATH"]})
    assert (done.returncode, len(done.stdout), done.stderr) == (0, 1, b"")


def test_scripts_are_programs_and_found_through_links(run: Run, tmp_path: Path) -> None:
    for name in SCRIPTS:
        path = ROOT / "cgi-bin" / f"{name}.py"
        assert os.access(path, os.X_OK)
        assert path.read_bytes().startswith(b"#!/usr/bin/env python3\n")
        (tmp_path / name).symlink_to(path)
        (tmp_path / "json.py").write_text("raise SystemExit('junk')\n")
        done = subprocess.run([tmp_path / name, "--version"], capture_output=True, timeout=20,
                              cwd=tmp_path, env={"PATH": os.environ["PATH"]})
        assert done.returncode == 0, done.stderr
