"""A program of the site's own: what it is told, and what becomes of its answer."""

import os
import time
from dataclasses import replace
from pathlib import Path

import pytest

from desktop.auth import chain, custom
from desktop.auth.credentials import Credentials
from desktop.errors import Refusal
from desktop.settings import Settings


def program(tmp_path: Path, text: str) -> str:
    """Make a program of the site."""
    path = tmp_path / "check user; echo"
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return str(path)


def accepts(settings: Settings, user: str = "ada", password: str = "x") -> bool:
    """Tell whether the chain lets somebody in."""
    return chain.check(settings, Credentials(user, password, "192.0.2.7")).accepted


@pytest.mark.parametrize(("user", "password"), [
    ("ada", "$(touch x) `id` ; & | \\ ' \" *"), ("ü", "ü \u2028"), ("-n", "-e \\n"),
    ("a@b.example", "x" * 1024)])
def test_it_is_told_two_lines_and_nothing_else(settings: Settings, tmp_path: Path, user: str,
                                               password: str) -> None:
    told = tmp_path / "told"
    path = program(tmp_path, f"cat > {told}\necho $# >> {told}\nenv >> {told}\necho out\n"
                             "echo err >&2")
    verdict = custom.check(replace(settings, check_user_custom=path),
                           Credentials(user, password, "192.0.2.7"))
    assert (verdict.accepted, verdict.name) == (True, user)
    lines = told.read_bytes().decode().split("\n")
    assert lines[:3] == [user, password, "0"]
    assert {line.partition("=")[0] for line in lines[3:] if line} <= {
        "PATH", "LANG", "PWD", "SHLVL", "_"}


@pytest.mark.parametrize(("text", "accepted"), [
    ("exit 0", True), ("exit 1", False), ("exit 77", False), ("read user; [ $user = ada ]", True),
    ("kill -TERM $$", False), ("exec true", True)])
def test_status_0_accepts(settings: Settings, tmp_path: Path, text: str, accepted: bool) -> None:
    ours = replace(settings, check_user_with_htpasswd=False,
                   check_user_custom=program(tmp_path, text))
    assert accepts(ours) == accepted


@pytest.mark.parametrize("path", ["/nonexistent", "/etc/passwd", "true", "./check", "/",
                                  "true; x"])
def test_what_is_no_program_lets_nobody_in(settings: Settings, path: str) -> None:
    with pytest.raises(Refusal) as problem:
        accepts(replace(settings, check_user_custom=path))
    assert problem.value.status == 503 and path not in str(problem.value)


def test_it_has_its_time_and_its_children_end_with_it(
        settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(custom, "PATIENCE", 0.5)
    path = program(tmp_path, f"sleep 600 & echo $! > {tmp_path}/pid\nwait")
    before = time.monotonic()
    with pytest.raises(Refusal, match="cannot be checked now"):
        accepts(replace(settings, check_user_custom=path))
    assert time.monotonic() - before < 5
    child = int((tmp_path / "pid").read_text())
    with pytest.raises(ProcessLookupError):
        for _ in range(100):
            os.kill(child, 0)
            if "Z" in Path(f"/proc/{child}/stat").read_text().rpartition(")")[2][:3]:
                raise ProcessLookupError
            time.sleep(0.05)


def test_one_more_way_in(settings: Settings, tmp_path: Path) -> None:
    yes, no = (replace(settings, check_user_custom=program(tmp_path, "read u; [ $u = eve ]")),
               settings)
    assert list(chain.methods(yes)) == ["htpasswd", "custom"]
    assert accepts(yes, "eve") and not accepts(no, "eve")
    assert accepts(yes, "ada", "ada-secret") and not accepts(yes, "ada", "wrong")


def test_it_may_refuse_whom_another_way_accepted(settings: Settings, tmp_path: Path) -> None:
    ours = replace(settings, check_user_custom_mode="and",
                   check_user_custom=program(tmp_path, "read u; [ $u = ada ]"))
    assert list(chain.methods(ours)) == ["htpasswd"]
    assert accepts(ours, "ada", "ada-secret")
    assert not accepts(ours, "bob", "bob-secret") and not accepts(ours, "ada", "wrong")
    alone = replace(ours, check_user_with_htpasswd=False)
    assert not chain.methods(alone) and not accepts(alone, "ada", "ada-secret")


def test_a_sign_in_ends_with_the_program(settings: Settings) -> None:
    ours = replace(settings, check_user_custom="/usr/bin/true")
    assert chain.standing(ours, "custom", "eve")
    assert chain.standing(settings, "custom", "eve") is None
    assert chain.standing(ours, "custom", "eve") != chain.standing(
        replace(ours, check_user_custom="/usr/bin/false"), "custom", "eve")
