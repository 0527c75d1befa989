"""How a script's errand at a terminal ends: done, refusals and bugs."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from desktop import configuration
from desktop import settings as settings_file
from desktop.commandline import Command
from desktop.errors import Refusal
from desktop.settings import ROOT, Settings
from desktop.web import terminal
from desktop.web.page import Answer
from desktop.web.script import Errand, Script, Tool
from desktop.web.visit import Visit


def nothing(errand: Errand) -> None:
    """Do nothing."""


def unasked(visit: Visit) -> Answer:
    """Fail: nobody sends a request."""
    raise AssertionError(visit)


def obey(story: Callable[[Errand], None], *arguments: str,
         commands: tuple[Command, ...] = ()) -> int:
    """Return the exit status of an errand."""
    script = Script(name="test", about="About it.", web=unasked, by_hand=story, commands=commands)
    return terminal.obey(script, {"HOME": os.environ["HOME_OF_TEST"]}, arguments)


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give the person a home of their own, and no installed service."""
    monkeypatch.setenv("HOME_OF_TEST", str(tmp_path))
    monkeypatch.setattr(configuration, "INSTALLED_FILE", tmp_path / "none")
    return tmp_path


def test_done(capsys: pytest.CaptureFixture[str]) -> None:
    assert obey(lambda errand: print(errand.user, errand.settings.machine),
                "--machine=x.iso") == 0
    out, err = capsys.readouterr()
    assert out == f"{terminal.user_name()} x.iso\n" and err == ""


def test_refused(capsys: pytest.CaptureFixture[str]) -> None:
    def refuse(errand: Errand) -> None:
        raise Refusal("No.", 404, "Try yes.")
    assert obey(refuse) == 1
    assert capsys.readouterr() == ("", "No. Try yes.\n")


def test_mistyped(capsys: pytest.CaptureFixture[str]) -> None:
    assert obey(nothing, "--machin=x") == 1
    assert "Did you mean machine?" in capsys.readouterr().err


def test_a_bug(capsys: pytest.CaptureFixture[str], home: Path) -> None:
    def fall(errand: Errand) -> None:
        raise RuntimeError("deep inside")
    assert obey(fall) == 2
    out, err = capsys.readouterr()
    assert out == "" and "Traceback" not in err and "deep inside" not in err
    number = err.split()[-1].strip(".")
    log = (home / ".cache/remote-desktop/log/by-hand.log").read_text()
    assert f"incident {number}" in log and "deep inside" in log


def test_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert obey(nothing, "--help") == 0
    out = capsys.readouterr().out
    assert "About it." in out
    assert all(f"--{name}=" in out for name in settings_file.TABLE)
    assert obey(nothing, "--version") == 0


def test_somebody_without_a_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "getuid", lambda: 4294967000)
    assert terminal.user_name() == "4294967000"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
@pytest.mark.parametrize(("uid", "home"), [(33, "/var/www"), (54321, "/root")])
def test_root_does_as_the_service_does(settings: Settings, monkeypatch: pytest.MonkeyPatch,
                                       uid: int, home: str) -> None:
    groups = sorted(os.getgrouplist("www-data", 33)) if uid == 33 else []
    monkeypatch.setenv("HOME", "/root")
    settings.dir_cfg.mkdir()
    os.chown(settings.dir_cfg, uid, uid)
    told, tell = os.pipe()
    if not os.fork():
        terminal.become_service(settings)
        os.write(tell, json.dumps([os.getresuid(), os.getresgid(), sorted(os.getgroups()),
                                   os.environ["HOME"]]).encode())
        os._exit(0)
    os.wait()
    assert json.loads(os.read(told, 1000)) == [
        [uid] * 3, [uid] * 3, groups, home]
    for descriptor in (told, tell):
        os.close(descriptor)


def test_nobody_else_becomes_anybody(settings: Settings, tmp_path: Path) -> None:
    before = os.getresuid()
    settings.dir_cfg.mkdir()
    terminal.become_service(settings)
    terminal.become_service(replace(settings, dir_cfg=tmp_path / "none"))
    assert os.getresuid() == before and sys.stdout


def test_a_tool_answers_no_requests(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GATEWAY_INTERFACE", "CGI/1.1")
    monkeypatch.setattr("sys.argv", ["import", "/etc/passwd"])

    def never(errand: Errand) -> None:
        raise AssertionError(errand)
    with pytest.raises(SystemExit, match="for a terminal, not for requests"):
        terminal.run(Tool(name="import", about="", by_hand=never))


@pytest.mark.parametrize("name", ["fetch", "freeze", "import", "list"])
def test_a_tool_runs_where_no_packages_are_installed(name: str) -> None:
    done = subprocess.run([sys.executable, "-I", "-S", ROOT / "machines" / name, "--help"],
                          capture_output=True, text=True, check=False)
    assert done.returncode == 0 and f"machines/{name}" in done.stdout, done


def test_root_has_the_installed_tool_do_it(tmp_path: Path,
                                           monkeypatch: pytest.MonkeyPatch) -> None:
    tool = Tool(name="freeze", about="", by_hand=nothing)
    became: list[list[str]] = []
    monkeypatch.setattr(terminal.process, "become", became.append)
    installed = tmp_path / "service/machines/freeze"
    ours = replace(Settings(), dir_service=tmp_path / "service")

    def as_user(number: int, settings: Settings = ours, script: Tool = tool) -> list[list[str]]:
        monkeypatch.setattr(terminal.os, "geteuid", lambda: number)
        became.clear()
        terminal.hand_over(script, settings, ["tiny.iso", "--cpu=2"])
        return became
    assert as_user(0) == []
    installed.parent.mkdir(parents=True)
    installed.touch(mode=0o755)
    assert as_user(0) == [[str(installed), "tiny.iso", "--cpu=2"]]
    assert as_user(1000) == []
    assert as_user(0, script=Script(name="freeze", about="", web=unasked, by_hand=nothing)) == []
    link = tmp_path / "link"
    link.symlink_to(ROOT)
    assert as_user(0, replace(ours, dir_service=link)) == []
