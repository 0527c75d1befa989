"""Messages: any program can read them, and nothing in them becomes a header."""

from dataclasses import replace
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

import pytest

from desktop.errors import Refusal
from desktop.mail import sending
from desktop.settings import Settings

SITE = Settings(email_from="desktop@example.org", smtp_server="mail.example.org")
LINK = "https://desktop.example.org/desktop/open.html#" + "x" * 200


def test_a_message_is_well_formed() -> None:
    made = sending.compose(SITE, "ann@example.org", "Your machine: Übung", f"Grüße\n{LINK}\n",
                           f"<p>Grüße</p><a href='{LINK}'>{LINK}</a>")
    sent = made.as_bytes()
    sent.decode("ascii")
    assert all(len(line) <= 78 for line in sent.split(b"\r\n"))
    assert sent.count(b"\n") == sent.count(b"\r\n")
    read = message_from_bytes(sent, policy=policy.default)
    assert read["From"] == "Remote desktop <desktop@example.org>"
    assert (read["To"], read["Subject"]) == ("ann@example.org", "Your machine: Übung")
    assert read["Date"] and read["Message-ID"].endswith("@example.org>")
    assert read["Auto-Submitted"] == "auto-generated"
    assert isinstance(read, EmailMessage)
    text, page = read.get_body(("plain",)), read.get_body(("html",))
    assert text and page and LINK in text.get_content() and LINK in page.get_content()
    assert not read.defects


@pytest.mark.parametrize(("to", "subject"), [
    ("ann@example.org\r\nBcc: bob@example.org", "x"), ("ann@example.org", "x\r\nBcc: b@c.org"),
    ("ann@example.org", "x\nBcc: b@c.org"), ("ann@example.org, bob@example.org", "x"),
    ("not an address", "x"), ("", "x")])
def test_nothing_becomes_a_header(to: str, subject: str) -> None:
    with pytest.raises(Refusal) as problem:
        sending.compose(SITE, to, subject, "", "")
    assert problem.value.status == 503


@pytest.mark.parametrize("sender", ["", "desktop", "a@b.org\nBcc: c@d.org", "A <a@b.org>"])
def test_a_sender_that_is_no_address(sender: str) -> None:
    with pytest.raises(Refusal, match="email_from"):
        sending.compose(replace(SITE, email_from=sender), "ann@example.org", "x", "", "")


def test_the_password_may_stand_in_a_file(tmp_path: Path) -> None:
    path = tmp_path / "passwd"
    path.write_text("word of mail\n")
    path.chmod(0o640)
    assert sending.password(replace(SITE, email_passwd=str(path))) == "word of mail"
    assert sending.password(replace(SITE, email_passwd="word")) == "word"
    path.chmod(0o644)
    with pytest.raises(Refusal, match="open to everybody"):
        sending.password(replace(SITE, email_passwd=str(path)))
