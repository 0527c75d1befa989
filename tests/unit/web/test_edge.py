"""How a script's story ends: answers, refusals and bugs, on the web and by hand."""

import io
import json
import logging
import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from email import message_from_bytes
from pathlib import Path

import pytest
from asking import environ, post

from desktop import settings as settings_file
from desktop.commandline import Command
from desktop.errors import Refusal
from desktop.settings import Settings
from desktop.web import edge, page
from desktop.web.edge import Errand, Script, Visit
from desktop.web.page import Answer

Story = Callable[[Visit], Answer]


@pytest.fixture(autouse=True)
def log_as_it_was() -> Iterator[None]:
    """Take back what a script does to the log."""
    handlers, level = logging.root.handlers[:], logging.root.level
    yield
    for handler in set(logging.root.handlers) - set(handlers):
        if isinstance(handler, logging.StreamHandler) and handler.stream is not sys.stderr:
            handler.stream.close()
    logging.root.handlers[:], logging.root.level = handlers, level


@pytest.fixture
def ini(settings: Settings, tmp_path: Path) -> str:
    """Return the name of a settings file."""
    settings_file.write(settings, tmp_path / "desktop.ini")
    return str(tmp_path / "desktop.ini")


def nothing(errand: Errand) -> None:
    """Do nothing."""


def answered(story: Story, variables: dict[str, str], body: io.BytesIO = io.BytesIO(),
             data: bool = False) -> tuple[int, dict[str, str], str]:
    """Return exit status, headers and text of an answer."""
    out = io.BytesIO()
    script = Script(name="test", about="", web=story, by_hand=nothing, data=data,
                    fields=("user", "password"))
    status = edge.serve(script, variables, body, out)
    head, _, text = out.getvalue().partition(b"\r\n\r\n")
    return status, dict(message_from_bytes(head)), text.decode()


def fine(visit: Visit) -> Answer:
    """Tell who asks."""
    return page.data(200, {"name": visit.must().name})


def buggy(visit: Visit) -> Answer:
    """Fall over a secret."""
    raise ValueError(f"s3cret of {visit.must().name}")


def full(visit: Visit) -> Answer:
    """Refuse, once it is known who asks."""
    raise Refusal(f"Full, {visit.must().name}.", 503, "Later.", retry_after=7)


ADA = {"user": "ada", "password": "ada-secret"}


def test_an_answer_brings_the_cookie(ini: str) -> None:
    variables, body = post(ADA, REMOTE_DESKTOP_INI=ini)
    status, headers, text = answered(fine, variables, body)
    assert (status, headers["Status"], json.loads(text)) == (0, "200 OK", {"name": "ada"})
    assert headers["Set-Cookie"].startswith("remote-desktop=")


def test_a_refusal_brings_it_too(ini: str) -> None:
    variables, body = post(ADA, REMOTE_DESKTOP_INI=ini, HTTP_ACCEPT="text/html")
    status, headers, text = answered(full, variables, body)
    assert (status, headers["Retry-After"]) == (0, "7")
    assert "Set-Cookie" in headers and "Full, ada." in text and "<!doctype html>" in text
    assert "Sign out" in text


def test_a_bug_shows_a_number_and_logs_the_rest(ini: str,
                                                capsys: pytest.CaptureFixture[str]) -> None:
    variables, body = post(ADA, REMOTE_DESKTOP_INI=ini, HTTP_ACCEPT="application/json")
    status, headers, text = answered(buggy, variables, body)
    assert (status, headers["Status"][:3]) == (2, "500")
    incident = json.loads(text)["incident"]
    assert len(incident) == 6 and "Traceback" not in text and "s3cret" not in text
    logged = capsys.readouterr().err
    assert f"incident {incident}" in logged and "Traceback" in logged


@pytest.mark.parametrize("method", ["PUT", "OPTIONS"])
def test_other_methods_hear_which_there_are(ini: str, method: str) -> None:
    _, headers, _ = answered(fine, environ(REMOTE_DESKTOP_INI=ini, REQUEST_METHOD=method))
    assert (headers["Status"][:3], headers["Allow"]) == ("405", "GET, HEAD, POST")


def test_a_foreign_page_does_nothing(ini: str) -> None:
    variables, body = post(ADA, REMOTE_DESKTOP_INI=ini, HTTP_ORIGIN="http://evil.example")
    _, headers, _ = answered(buggy, variables, body)
    assert headers["Status"][:3] == "403" and "Set-Cookie" not in headers


def test_wrong_settings_are_told_with_their_line(tmp_path: Path) -> None:
    (tmp_path / "d.ini").write_text("# x\nqemu_vdeo = std\n")
    _, headers, text = answered(fine, environ(REMOTE_DESKTOP_INI=str(tmp_path / "d.ini")),
                                data=True)
    facts = json.loads(text)
    assert headers["Status"][:3] == "500" and facts["incident"] is None
    assert "line 2" in facts["message"] and "qemu_video" in facts["hint"]


def test_a_settings_file_that_is_not_there(tmp_path: Path) -> None:
    _, headers, _ = answered(fine, environ(REMOTE_DESKTOP_INI=str(tmp_path / "none")))
    assert headers["Status"][:3] == "500"


# By hand

def obey(story: Callable[[Errand], None], *arguments: str,
         commands: tuple[Command, ...] = ()) -> int:
    """Return the exit status of an errand."""
    script = Script(name="test", about="About it.", web=fine, by_hand=story, commands=commands)
    return edge.obey(script, {"HOME": os.environ["HOME_OF_TEST"]}, arguments)


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give the person a home of their own, and no installed service."""
    monkeypatch.setenv("HOME_OF_TEST", str(tmp_path))
    monkeypatch.setattr(settings_file, "INSTALLED_FILE", tmp_path / "none")
    return tmp_path


def test_done(capsys: pytest.CaptureFixture[str]) -> None:
    assert obey(lambda errand: print(errand.user, errand.settings.machine),
                "--machine=x.iso") == 0
    out, err = capsys.readouterr()
    assert out == f"{edge.user_name()} x.iso\n" and err == ""


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
    assert edge.user_name() == "4294967000"


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
        edge.become_service(settings)
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
    edge.become_service(settings)
    edge.become_service(replace(settings, dir_cfg=tmp_path / "none"))
    assert os.getresuid() == before and sys.stdout
