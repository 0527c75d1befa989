"""Machines for people without a password: only what is mailed opens them."""

import re
import shutil
from collections.abc import Iterator
from email.message import EmailMessage
from urllib.parse import parse_qs, urlsplit

import pytest
from service.between import Between, hangs
from service.installation import USER, Installation
from service.mailserver import PEOPLE, MailServer
from service.person import Desktop, Person, Reply
from service.rfb import Denied
from service.test_kills import kill, reachable
from service.test_secrets import everything_said
from service.until import until

ADA = "ada@example.org"


@pytest.fixture
def post(site: Installation, mail: MailServer) -> Iterator[Installation]:
    """Return a site that mails machines; nobody has had one in the last hour."""
    mail.clear()
    word = site.directory / "mail.passwd"
    word.write_text(PEOPLE["desktop"])
    shutil.chown(word, "root", USER)
    word.chmod(0o640)
    configure(site, mail)
    yield site
    shutil.rmtree(site.state / "throttle", ignore_errors=True)


def configure(site: Installation, mail: MailServer, **others: object) -> None:
    """Set what is needed to mail machines, and others."""
    site.configure(**{**mail.settings(), "check_user_with_email": 1,
                      "email_domains": "example.org", "email_from": "desktop@example.org",
                      "email_passwd": site.directory / "mail.passwd", **others})


def ask(person: Person, address: str = ADA, **fields: str) -> Reply:
    """Send the form with an address and no password."""
    return person.try_create(("persistent",), user=address, **fields)


def mailed(mail: MailServer, name: str = "ada", count: int = 1) -> EmailMessage:
    """Wait for the last of some mails."""
    return until(lambda: len(found := mail.received(name)) >= count and found, 30, "a mail")[-1]


def parts(message: EmailMessage) -> tuple[str, str]:
    """Return its text and its page."""
    text, page = message.get_body(("plain",)), message.get_body(("html",))
    assert text and page
    return text.get_content(), page.get_content()


def link(message: EmailMessage) -> str:
    """Return the address that it asks to open."""
    found, = re.findall(r"^http\S+$", parts(message)[0], re.MULTILINE)
    return str(found)


def opened(person: Person, address: str) -> Desktop:
    """Return what somebody has who opens a link."""
    words = parse_qs(urlsplit(address).fragment)
    return Desktop(person, {"session": words["path"][0].split("/")[-2],
                            "token": words["password"][0]})


def test_the_mail_opens_the_machine_and_nothing_else_does(post: Installation,
                                                          mail: MailServer) -> None:
    stranger = post.stranger()
    reply = ask(stranger)
    assert reply.status == 201 and not stranger.cookies, str(reply)
    session, = post.directories()
    record, token = post.record(session.name), (session / "token").read_text()
    assert (record["owner"], record["method"]) == (f"mailto:{ADA}", "email")
    assert not record["persistent"] and record["mail"] == ADA
    message = mailed(mail)
    assert message["To"] == ADA and "desktop@example.org" in message["From"]
    assert not message.defects and message["Subject"] == "Your machine: empty"
    text, page = parts(message)
    for part in (text, page):
        assert token in part and session.name in part and "1 h" in part
    assert reply.json["mail"] == ADA and reply.json["persistent"] is False
    assert not [word for word in (token, session.name) if word in reply.text]
    html = stranger.post("create", {"user": ADA, "machine": "empty.raw", "memory": "32",
                                    "terms": "1", "form": "another"})
    assert html.status == 201 and ADA in html.text and not stranger.cookies
    for one in post.directories():
        assert one.name not in html.text and (one / "token").read_text() not in html.text
    assert stranger.get("monitor").status == 401
    assert stranger.get(f"monitor?session={session.name}").status == 401
    assert stranger.get("create", Accept="application/json").json["mine"] == []
    desktop = opened(post.stranger(), link(message))
    assert (desktop.id, desktop.token) == (session.name, token)
    desktop.view().look().leave()
    with pytest.raises(Denied):
        desktop.view("aaaaaaaa")


def test_a_scanner_that_opens_links_changes_nothing(post: Installation,
                                                    mail: MailServer) -> None:
    configure(post, mail, disconnect_grace=0)
    assert ask(post.stranger()).status == 201
    address = urlsplit(link(mailed(mail)))
    scanner = post.stranger()
    for path in (address.path, address.path.replace("view.html", "create"),
                 f"{address.path.rpartition('/')[0]}/view/view.js"):
        assert scanner.get(path).status in (200, 303)
    session, = post.directories()
    assert post.record(session.name)["viewers"] == 0
    opened(post.stranger(), address.geturl()).view().leave()
    post.gone(session.name, 20)


@pytest.mark.parametrize(("address", "status"), [
    ("ada@elsewhere.org", 403), ("ada@example.org.evil.example", 403), ("@example.org", 400),
    ("ada@", 400), ("ada@example.org,desktop@example.org", 400), ("*@example.org", 400),
    ("a)(cn=*@example.org", 400), ("\\2a@example.org", 400), ("ü@example.org", 400),
    ("a b@example.org", 400), ("ada@example.org\r\nBcc: desktop@example.org", 400),
    ('"ada"@example.org', 400), ("|x@example.org", 400), ("a%b@example.org", 400),
    ("x" * 1024, 401), ("x" * 10000 + "@example.org", 400), ("ada", 401)])
def test_addresses_that_get_nothing(post: Installation, mail: MailServer, address: str,
                                    status: int) -> None:
    reply = ask(post.stranger(), address)
    assert reply.status == status, str(reply)
    assert not post.directories() and not mail.received("ada")


def test_only_single_shot_with_terms_and_where_it_is_on(post: Installation,
                                                        mail: MailServer) -> None:
    stranger = post.stranger()
    assert stranger.try_create(user=ADA).status == 403
    assert ask(stranger, terms="0").status == 400
    assert ask(stranger, password="x").status == 401
    configure(post, mail, email_domains="")
    assert ask(stranger).status == 403
    configure(post, mail, check_user_with_email=0)
    assert ask(stranger).status == 401
    configure(post, mail, check_user_with_htpasswd=0)
    assert ask(stranger, "ada").status == 400
    assert stranger.get("monitor").status == 401
    configure(post, mail, check_user_custom="/bin/false", check_user_custom_mode="and")
    assert ask(stranger).status == 403
    assert not post.directories() and not mail.received("ada")


def test_few_mails_in_an_hour(post: Installation, mail: MailServer) -> None:
    for n, address in enumerate(("ADA@example.org", "ada+1@example.org", ADA)):
        assert ask(post.stranger(), address).status == 201
        mailed(mail, count=n + 1)
    reply = ask(post.stranger(), "ada+2@example.org")
    assert reply.status == 429 and int(reply.headers["Retry-After"]) > 3000
    assert len(post.directories()) == 3
    configure(post, mail, email_max_per_source=4)
    assert ask(post.stranger(), "desktop@example.org").status == 201
    assert ask(post.stranger(), "long@example.org").status == 429
    assert len(mail.received("ada")) == 3


def test_a_share_of_machines_per_mailbox(post: Installation, mail: MailServer) -> None:
    configure(post, mail, service_max_session_nb_per_user=1)
    assert ask(post.stranger()).status == 201
    reply = ask(post.stranger(), "ada+x@example.org")
    assert reply.status == 429 and "You have" not in reply.text
    assert post.person("ada").create(), "whoever has that name is somebody else"
    assert ask(post.stranger(), "desktop@example.org").status == 201
    configure(post, mail, email_max_instance_nb=2)
    assert ask(post.stranger(), "long@example.org").status == 503
    assert post.person("bob").create(), "strangers do not fill the server"


def test_the_same_form_twice_is_one_machine_and_one_mail(post: Installation,
                                                         mail: MailServer) -> None:
    for _ in range(4):
        assert ask(post.stranger(), form="one and the same").status == 201
    assert len(post.directories()) == 1
    assert ask(post.stranger()).status == 201
    mailed(mail, count=2)
    assert len(mail.received("ada")) == 2


@pytest.mark.parametrize("change", [
    {"email_passwd": "wrong"}, {"email_passwd": "/nonexistent"}, {"smtp_port": 1},
    {"smtp_ca_file": ""}, {"email_from": "nobody"}, {"smtp_use_ssl": "none"},
    {"smtp_server": ""}])
def test_what_cannot_be_mailed_does_not_stay(post: Installation, mail: MailServer,
                                             change: dict[str, object]) -> None:
    configure(post, mail, **change)
    reply = ask(post.stranger())
    assert reply.status == 503 and "could not be sent" in reply.text, str(reply)
    assert not list(post.leftovers())


def test_a_refused_recipient_and_a_hanging_server(post: Installation, mail: MailServer) -> None:
    reply = ask(post.stranger(), "nobody-here@example.org")
    assert reply.status == 503 and not list(post.leftovers())
    with Between(hangs) as other:
        configure(post, mail, smtp_port=other.port)
        reply = ask(post.stranger())
    assert reply.status == 503 and not list(post.leftovers())


def test_the_link_leads_where_the_site_is(post: Installation, mail: MailServer) -> None:
    evil = post.stranger()
    evil.host = "evil.example"
    reply = ask(evil)
    assert reply.status == 503 and "server_name" in reply.text and not post.directories()
    configure(post, mail, server_name="https://desktop.example.org")
    reply = evil.try_create(("persistent",), user=ADA)
    assert reply.status == 201, str(reply)
    assert link(mailed(mail)).startswith("https://desktop.example.org/desktop/view.html#")


@pytest.mark.parametrize("method", ["SSL", "port"])
def test_ways_to_send(post: Installation, mail: MailServer, method: str) -> None:
    by_tls, word = method == "SSL", PEOPLE["desktop"]
    configure(post, mail, email_method=method, smtp_use_ssl="ssl" if by_tls else "none",
              smtp_port=mail.submissions if by_tls else mail.relay, email_passwd=word)
    assert ask(post.stranger()).status == 201
    session, = post.directories()
    assert link(mailed(mail))
    assert not [path for path in session.iterdir()
                if path.is_file() and word in path.read_text(errors="replace")]


def test_it_waits_for_its_mail_also_with_another_keeper(post: Installation,
                                                        mail: MailServer) -> None:
    configure(post, mail, disconnect_grace=0)
    assert ask(post.stranger()).status == 201
    (session,), ada = post.directories(), post.person("ada")
    until(lambda: post.record(session.name)["state"] == "running", 30, "its network")
    keeper = post.pids(session.name)["keeper"]
    kill(keeper)
    until(lambda: ada.get("monitor") and post.pids(session.name)["keeper"] != keeper, 30)
    desktop = opened(post.stranger(), link(mailed(mail)))
    until(lambda: reachable(desktop), 30)
    post.gone(session.name, 20)


def test_no_secret_is_said(post: Installation, mail: MailServer) -> None:
    configure(post, mail, check_user_with_imap=1, check_user_with_smtp=1,
              email_passwd=PEOPLE["desktop"])
    for word, status in ((PEOPLE["ada"], 303), ("Wrong-Mail-Word-1", 401)):
        someone = post.stranger("ada")
        someone.password = word
        assert someone.sign_in().status == status
    assert ask(post.stranger()).status == 201
    session, = post.directories()
    words = [PEOPLE["ada"], PEOPLE["desktop"], "Wrong-Mail-Word-1",
             (session / "token").read_text()]
    said = everything_said(post) | {str(path): path.read_text()
                                    for path in session.glob("s*.[ji]*")}
    said["mail"] = mail.words()
    assert any("keeper" in where for where in said) and len(said) > 5
    assert not [where for where, text in said.items() if any(word in text for word in words)]
