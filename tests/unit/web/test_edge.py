"""How a script's story ends: answers, refusals and bugs."""

import io
import json
from collections.abc import Callable
from email import message_from_bytes
from pathlib import Path

import pytest
from asking import environ, post

from desktop import configuration
from desktop.errors import Refusal
from desktop.settings import Settings
from desktop.web import edge, page
from desktop.web.page import Answer
from desktop.web.script import Errand, Script
from desktop.web.visit import Visit

Story = Callable[[Visit], Answer]


@pytest.fixture
def ini(settings: Settings, tmp_path: Path) -> str:
    """Return the name of a settings file."""
    configuration.write(settings, tmp_path / "desktop.ini")
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
