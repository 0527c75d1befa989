"""The notice by mail before a session ends: to whom, when, and what a bad mail server changes."""

import os
import re
import time
from collections.abc import Iterator
from email.message import EmailMessage

import pytest
from service.between import Between, hangs
from service.installation import Installation
from service.mailserver import PEOPLE, MailServer
from service.person import Desktop, Person
from service.test_by_mail import ADA, ask, configure, parts, post
from service.test_kills import kill
from service.until import until

__all__ = ["post"]
SOON = {"snapshot_lifetime": 3600, "warn_before_end": 3597}  # seconds: in three of them
SHORT = {"snapshot_lifetime": 20, "warn_before_end": 15}


@pytest.fixture
def ada(post: Installation, mail: MailServer) -> Iterator[Person]:
    """Return somebody with a mailbox, who has signed in with its password."""
    known(post, mail)
    someone = post.stranger("ada")
    someone.password = PEOPLE["ada"]
    assert someone.sign_in().status == 303
    yield someone


def known(site: Installation, mail: MailServer, **others: object) -> None:
    """Let people in by their mailbox, and have machines that end soon."""
    configure(site, mail, **{"check_user_with_imap": 1, "imap_domain": "example.org",
                             "server_name": "https://desktop.example.org/desktop",
                             "email_passwd": PEOPLE["desktop"], **SOON, **others})


def notices(mail: MailServer) -> list[EmailMessage]:
    """Return the notices in Ada's mailbox."""
    return [one for one in mail.received("ada") if "ends soon" in one["Subject"]]


def come(mail: MailServer, count: int = 1) -> EmailMessage:
    """Wait for so many notices; return the last."""
    until(lambda: len(notices(mail)) == count, 30, "a notice")
    return notices(mail)[-1]


def said(site: Installation, desktop: Desktop) -> str:
    """Return what the keeper and what it started have logged."""
    return (site.run / desktop.id / "keeper.log").read_text()


def test_it_tells_its_owner_once_and_again_of_another_end(post: Installation, mail: MailServer,
                                                          ada: Person) -> None:
    known(post, mail, **SHORT)
    desktop = ada.create()
    record = post.record(desktop.id)
    assert record["mail"] == ADA and not notices(mail)
    message = come(mail)
    assert message["To"] == ADA and not message.defects
    text, page = parts(message)
    address = f"https://desktop.example.org/desktop/monitor?session={desktop.id}"
    for part in (text, page):
        assert re.search(r"ends in 1\d s", part) and record["name"] in part and address in part
        assert re.search("[Ee]xtend it by 1 h", part)
        assert (desktop.token or "?") not in part
    assert post.record(desktop.id)["noticed"] == record["deadline"]
    assert ada.get(f"monitor?session={desktop.id}").text.count("It ends in") == 1
    given = ada.post("monitor", {"action": "extend", "session": desktop.id, "seconds": "15"},
                     Accept="application/json")
    assert given.json["seconds"] == 15, str(given)
    come(mail, 2)
    assert PEOPLE["desktop"] not in said(post, desktop)


def test_another_keeper_does_not_tell_it_again(post: Installation, mail: MailServer,
                                               ada: Person) -> None:
    known(post, mail, **SHORT)
    desktop = ada.create()
    come(mail)
    keeper = post.pids(desktop.id)["keeper"]
    kill(keeper)
    until(lambda: ada.get("monitor") and post.pids(desktop.id)["keeper"] != keeper, 30)
    time.sleep(3)
    assert len(notices(mail)) == 1
    ada.post("monitor", {"action": "extend", "session": desktop.id, "seconds": "15"})
    come(mail, 2)


def test_a_mailed_machine_has_no_page_to_lead_to(post: Installation, mail: MailServer) -> None:
    known(post, mail)
    assert ask(post.stranger()).status == 201
    text, page = parts(come(mail))
    session, = post.directories()
    assert session.name not in text + page and "http" not in text
    assert (session / "token").read_text() not in text + page


def test_whose_time_is_short_was_told_when_it_began(post: Installation, mail: MailServer,
                                                    ada: Person) -> None:
    desktop = ada.create(lifetime="3000")
    time.sleep(4)
    record = post.record(desktop.id)
    assert record["noticed"] == record["deadline"] and not notices(mail)
    assert "It ends in" in ada.get("monitor").text


@pytest.mark.parametrize(("change", "words"), [
    ({"email_passwd": "wrong"}, "email_from with email_passwd"), ({"smtp_port": 1}, "refused"),
    ({"server_name": "a b"}, "server_name"), ({"nonsense": 1}, "nonsense")])
def test_what_cannot_be_mailed_is_logged(post: Installation, mail: MailServer, ada: Person,
                                         change: dict[str, object], words: str) -> None:
    desktop = ada.create()
    known(post, mail, **change)
    until(lambda: re.search(f"cannot be mailed: .*{words}", said(post, desktop)), 30)
    known(post, mail)
    time.sleep(2)
    assert ada.sessions()[0]["state"] == "running" and not notices(mail)


def test_a_mail_server_that_hangs_holds_up_nothing(post: Installation, mail: MailServer,
                                                   ada: Person) -> None:
    with Between(hangs) as other:
        desktop = ada.create()
        known(post, mail, smtp_port=other.port)
        keeper = post.pids(desktop.id)["keeper"]
        until(lambda: children(keeper), 30, "the program that mails")
        begun = time.monotonic()
        assert ada.sessions()[0]["state"] == "running"
        assert ada.post("monitor", {"action": "message", "session": desktop.id, "text": "Hello"},
                        Accept="application/json").status == 200
        desktop.view().look().leave()
        until(lambda: "cannot be mailed" in said(post, desktop), 30)
        assert 8 < time.monotonic() - begun < 20
        second = ada.create()
        keeper = post.pids(second.id)["keeper"]
        until(lambda: children(keeper), 30, "the program that mails")
        begun = time.monotonic()
        assert second.stop().status == 200 and time.monotonic() - begun < 3
        post.gone(second.id, 2)


def children(keeper: int) -> list[str]:
    """Return the programs of a keeper that mail."""
    found = []
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{name}/stat") as stat, open(f"/proc/{name}/cmdline") as line:
                words = line.read()
                if stat.read().rpartition(")")[2].split()[1] == str(keeper) and "notice" in words:
                    found.append(words)
        except OSError:
            pass  # it has just ended
    return found
