"""What people with a mailbox see, in Chromium: from the form, or from a mail, to a screen."""

from collections.abc import Iterator

import pytest
from service.chromium import Browser, browser
from service.installation import Installation
from service.looks import troubles
from service.mailserver import PEOPLE, MailServer
from service.test_by_mail import ADA, configure, link, mailed, post
from service.until import until

__all__ = ["post"]  # a fixture


@pytest.fixture
def page() -> Iterator[Browser]:
    """A browser that has never been here."""
    with browser() as found:
        yield found


def fill_in(page: Browser, site: Installation, user: str, password: str = "") -> None:
    """Fill in the form and send it."""
    page.open(f"{site.stranger().origin}/desktop/")
    page.find("label:has(input[value='empty.raw'])").click()
    page.fill("#user", user)
    if password:
        page.fill("#password", password)
    page.tick("#terms")
    until(lambda: page.find("#start").is_enabled())
    page.find("#start").click()


def test_a_mailbox_opens_the_form(page: Browser, site: Installation, mail: MailServer) -> None:
    site.configure(check_user_with_htpasswd=0, check_user_with_imap=1, **mail.settings())
    fill_in(page, site, "Ada", "wrong")
    until(lambda: "wrong" in page.find("main").text.lower())
    fill_in(page, site, "Ada", PEOPLE["ada"])
    page.new_tab(page.find("a.button[href*='view.html']", 60))
    assert page.screen()[0] > 300
    session, = site.directories()
    record = site.record(session.name)
    assert (record["owner"], record["method"]) == ("ada", "imap")


def test_a_mail_opens_a_machine(page: Browser, post: Installation, mail: MailServer) -> None:
    configure(post, mail, check_user_with_htpasswd=0)
    fill_in(page, post, ADA)
    until(lambda: "mailbox" in page.find("h1").text, 60, "the answer")
    assert not troubles(page, "mailed")
    session, = post.directories()
    token = (session / "token").read_text()
    assert not page.driver.get_cookies()
    assert token not in page.driver.page_source and session.name not in page.driver.page_source
    assert ADA in page.find("main").text
    with browser() as other:
        other.open(link(mailed(mail)))
        button = other.find("#connect")
        assert post.record(session.name)["viewers"] == 0
        button.click()
        assert other.screen()[0] > 300
        until(lambda: post.record(session.name)["viewers"] == 1)
        assert not other.complaints()
