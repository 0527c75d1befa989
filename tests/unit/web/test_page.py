"""Answers: headers that keep browsers in bounds, escaping, JSON, and their length."""

import io
import json
from dataclasses import replace
from email import message_from_bytes
from email.message import Message
from pathlib import Path

import pytest

from desktop.errors import Refusal
from desktop.settings import ROOT, Settings
from desktop.web import page
from desktop.web.page import Answer, Frame

EVIL = "<script>alert('x')</script>\"&"


def sent(answer: Answer) -> tuple[Message, bytes]:
    """Return headers and body as Apache reads them."""
    out = io.BytesIO()
    page.write(answer, out)
    head, _, body = out.getvalue().partition(b"\r\n\r\n")
    return message_from_bytes(head), body


@pytest.mark.parametrize("answer", [
    page.data(200, {"a": 1}), page.see("monitor"), page.png(b"\x89PNG"),
    page.refusal(Refusal("No."), Frame(), False), page.refusal(Refusal("No."), Frame(), True)])
def test_every_answer(answer: Answer) -> None:
    headers, body = sent(answer)
    assert int(headers["Content-Length"]) == len(body)
    assert headers["Cache-Control"] == "no-store"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["Permissions-Policy"]
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy and "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy and "http" not in policy and "*" not in policy
    assert all(len(headers.get_all(name) or []) == 1 for name in headers)


def test_statuses() -> None:
    assert sent(page.data(201, {}))[0]["Status"] == "201 Created"
    headers, body = sent(page.see("monitor"))
    assert (headers["Status"], headers["Location"], body) == ("303 See Other", "monitor", b"")
    assert sent(Answer(499, "text/plain", b""))[0]["Status"] == "499"


def test_headers_cannot_be_split() -> None:
    with pytest.raises(AssertionError):
        sent(page.see("a\r\nSet-Cookie: b=c"))


def test_refusals_as_json() -> None:
    refusal = Refusal("Full.", 503, "Later.", retry_after=60)
    headers, body = sent(page.refusal(refusal, Frame(), True))
    assert (headers["Status"], headers["Retry-After"]) == ("503 Service Unavailable", "60")
    assert json.loads(body) == {"status": 503, "message": "Full.", "hint": "Later.",
                                "incident": None, "retry_after": 60}


def test_refusals_as_pages_are_escaped() -> None:
    frame = Frame({"name": EVIL, "admin": False, "sign_out": None}, [EVIL])
    answer = page.refusal(Refusal(EVIL, 404, EVIL), frame, False, "abc123")
    text = answer.body.decode()
    assert "<script>alert" not in text and "&lt;script&gt;" in text
    assert "abc123" in text


def test_who_are_you_names_a_scheme() -> None:
    headers, _ = sent(page.refusal(Refusal("Who?", 401), Frame(), True))
    assert headers["WWW-Authenticate"].startswith("Form ")  # Basic would open a box


def test_an_open_service_says_so(settings: Settings) -> None:
    assert page.notices(settings) == []
    [notice] = page.notices(replace(settings, allow_unauthenticated=True))
    assert notice in page.refusal(Refusal("No."), Frame(notices=[notice]), False).body.decode()


def test_a_page_by_itself(settings: Settings, tmp_path: Path) -> None:
    facts = {"sessions": [], "all": True, "host": None, "corrupt": []}
    text = page.by_itself(replace(settings, dir_html=ROOT / "html"), "sessions.html", "Sessions",
                          **facts)
    assert "<style>" in text
    for word in ("<script", "<link", "src=", "href=", "http:", "https:", "@import", "url("):
        assert word not in text
    with pytest.raises(Refusal, match="dir_html"):
        page.by_itself(replace(settings, dir_html=tmp_path), "sessions.html", "Sessions", **facts)


def test_pages_are_compiled_once(tmp_path: Path) -> None:
    kept = Frame(cache=tmp_path / "state" / "pages")
    page.warm_up(kept)
    assert kept.cache and kept.cache.stat().st_mode & 0o777 == 0o700
    first = page.refusal(Refusal("No."), kept, False)
    files = sorted(kept.cache.iterdir())
    assert len(files) > 2
    for damage in (b"", b"junk", files[0].read_bytes()[:-20]):
        for path in files:
            path.write_bytes(damage)
        assert page.refusal(Refusal("No."), kept, False) == first


def test_pages_come_without_a_cache_too(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    without = Frame(cache=tmp_path / "file" / "pages")
    page.warm_up(without)
    assert page.refusal(Refusal("No."), without, False) == page.refusal(
        Refusal("No."), Frame(), False)
