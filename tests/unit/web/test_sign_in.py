"""Who a sign-in makes one, and what it leaves in the browser and on the server."""

from dataclasses import replace

from asking import Make
from test_login import cookie_of, remembered, signed_in

from desktop.settings import Settings
from desktop.web import login


def test_an_administrator_may_be_named_with_the_way_in(ask: Make, settings: Settings) -> None:
    for named, admin in (("htpasswd:ada", True), ("ldap:ada", False), ("ada", True),
                         ("htpasswd:bob", False), ("htpasswd", False)):
        assert signed_in(ask, replace(settings, user_admin=(named,))).admin is admin, named


def test_by_tls_a_cookie_counts_that_only_tls_can_set(ask: Make, settings: Settings) -> None:
    request = ask({"user": "ada", "password": "ada-secret"}, HTTPS="on")
    person = login.who(request, settings)
    assert person and person.cookie.startswith("__Secure-remote-desktop=")
    assert person.cookie.endswith("; Secure")
    ours = cookie_of(person)
    planted = ours.replace("__Secure-", "")
    again = login.who(ask(HTTPS="on", HTTP_COOKIE=ours), settings)
    assert again and again.name == "ada"
    assert login.who(ask(HTTPS="on", HTTP_COOKIE=planted), settings) is None
    assert login.by_itself(ask(HTTPS="on", HTTP_COOKIE=planted), settings)


def test_a_program_that_may_refuse_ends_earlier_sign_ins(ask: Make, settings: Settings) -> None:
    cookie = cookie_of(signed_in(ask, settings))
    stricter = replace(settings, check_user_custom="/bin/false", check_user_custom_mode="and")
    assert remembered(ask, settings, cookie)
    assert remembered(ask, stricter, cookie) is None


def test_signing_out_as_a_guest_leaves_nothing(ask: Make, settings: Settings) -> None:
    still_open = replace(settings, check_user_with_htpasswd=False, allow_unauthenticated=True)
    person = login.who(ask({}), still_open)
    assert person
    login.sign_out(ask(HTTP_COOKIE=cookie_of(person)), still_open)
    assert not (settings.dir_state / "signed-out").exists()
