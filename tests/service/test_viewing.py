"""Who may look and type, how wrong tokens fare, and when a session ends with its viewers."""

import time

import pytest
from service import websocket
from service.installation import Installation
from service.person import Desktop
from service.rfb import Denied
from service.until import until
from service.websocket import Closed, Refused


def denied(desktop: Desktop, token: str) -> str:
    """Try a token that should not do; return the reason given."""
    with pytest.raises((Denied, Closed)) as problem:
        desktop.view(token)
    return str(problem.value)


def status_of_handshake(desktop: Desktop, **headers: str) -> int:
    """Return 101, or the status of the refusal."""
    try:
        desktop.connect(**headers).close()
    except Refused as refusal:
        return refusal.status
    return 101


def test_persistent_session_is_entered_again(site: Installation) -> None:
    desktop = site.person().create(persistent="1")
    site.configure(disconnect_grace=0)
    for _ in range(3):
        viewer = desktop.view()
        viewer.look()
        viewer.leave()
    desktop.view().stream.close()  # a killed browser
    time.sleep(1)  # nothing may happen now
    assert desktop.view().look().width
    assert site.record(desktop.id)["state"] == "running"


def test_address_and_token_are_enough_for_a_stranger(site: Installation) -> None:
    desktop = site.person("ada").create()
    stranger = Desktop(site.stranger(), desktop.facts)
    assert not stranger.person.cookies
    viewer = stranger.view()
    viewer.look()
    viewer.leave()
    denied(stranger, "abcdefgh")


def test_without_tokens_the_address_alone_opens_it(site: Installation) -> None:
    site.configure(service_use_vnc_token=0)
    desktop = site.person().create()
    address, fragment = desktop.link()
    assert address.endswith("view.html")
    viewer = Desktop(site.stranger(), desktop.facts).view(fragment["password"])
    viewer.look()
    viewer.leave()


def test_several_viewers_of_a_persistent_session(site: Installation) -> None:
    desktop = site.person().create(persistent="1")
    first, second = desktop.view(), desktop.view()
    until(lambda: site.record(desktop.id)["viewers"] == 2)
    assert bytes(first.look().screen)
    until(lambda: first.look().width == second.look().width, 30, "firmware changes it at first")
    second.leave()
    until(lambda: site.record(desktop.id)["viewers"] == 1)
    first.look()
    first.leave()
    until(lambda: site.record(desktop.id)["viewers"] == 0)


def test_a_viewer_who_wants_to_be_alone_throws_nobody_out(site: Installation) -> None:
    desktop = site.person().create(persistent="1")
    first = desktop.view()
    try:
        desktop.view(shared=False)
    except Closed:
        pass  # QEMU's answer to such a wish, and that of others may be to let them in
    first.look()
    assert site.record(desktop.id)["state"] == "running"


def test_single_shot_survives_a_reload_and_ends_after_the_grace(site: Installation) -> None:
    site.configure(disconnect_grace=2)
    desktop = site.person().create(without=["persistent"])
    assert desktop.facts["persistent"] is False
    viewer = desktop.view()
    viewer.look()
    viewer.leave()
    time.sleep(0.5)  # a reload takes a moment
    viewer = desktop.view()
    time.sleep(2.5)  # longer than the grace, which ended with the reconnection
    viewer.look()
    viewer.leave()
    left = time.monotonic()
    site.gone(desktop.id)
    assert time.monotonic() - left > 1.5, "no grace was given"


def test_single_shot_is_not_consumed_by_a_wrong_token(site: Installation) -> None:
    site.configure(disconnect_grace=0)
    desktop = site.person().create(without=["persistent"])
    denied(desktop, "abcdefgh")
    desktop.connect().close()  # upgraded, nothing shown
    time.sleep(1.2)  # the wrong token's wait; and nothing may end meanwhile
    desktop.view().look()


def test_single_shot_has_one_viewer(site: Installation) -> None:
    desktop = site.person().create(without=["persistent"])
    first = desktop.view()
    first.look()
    second = desktop.view()
    second.look()
    with pytest.raises((Closed, OSError)):
        for _ in range(20):  # some pictures may be on the way
            first.look()
    until(lambda: site.record(desktop.id)["viewers"] == 1)


def test_nobody_comes(site: Installation) -> None:
    site.configure(first_connect_timeout=2)
    desktop = site.person().create()
    desktop.connect().close()
    denied(desktop, "abcdefgh")
    site.gone(desktop.id)


def test_wrong_tokens_are_slowed_and_limited(site: Installation) -> None:
    desktop = site.person().create()
    start = time.monotonic()
    tried = 0
    while tried < 10 and time.monotonic() - start < 8:
        reason = denied(desktop, "abcdefgh")
        tried += "wait" not in reason.lower()
    assert tried <= 5, f"{tried} tokens were looked at in {time.monotonic() - start:.1f} s"
    assert (site.run / desktop.id).exists()


def test_wrong_tokens_of_another_do_not_keep_the_owner_out_for_long(site: Installation) -> None:
    desktop = site.person().create()
    for _ in range(3):
        denied(desktop, "abcdefgh")
    start = time.monotonic()
    until(lambda: welcome(desktop), 15)
    assert time.monotonic() - start < 10


def welcome(desktop: Desktop) -> bool:
    try:
        desktop.view().leave()
    except (Denied, Closed):
        return False
    return True


def test_a_wrong_token_at_the_right_time_is_said_to_be_wrong(site: Installation) -> None:
    assert "token" in denied(site.person().create(), "abcdefgh").lower()


def test_foreign_pages_do_not_open_the_screen(site: Installation) -> None:
    desktop = site.person().create()
    assert status_of_handshake(desktop) == 101
    for origin in ("http://evil.example", "https://127.0.0.1.evil.example", "null", "http://",
                   "http://127.0.0.1:1", "http://localhost.evil.example", "file://"):
        assert status_of_handshake(desktop, Origin=origin) == 403, origin


def test_origin_may_be_missing_only_without_a_cookie(site: Installation) -> None:
    desktop = site.person().create()
    assert status_of_handshake(desktop, Origin="") == 101
    assert status_of_handshake(desktop, Origin="", Cookie="desktop=x") == 403


def test_no_other_address_leads_into_a_session(site: Installation) -> None:
    desktop = site.person().create()
    for path in ("{0}/", "{0}", "{0}/websockify/", "{0}/websockify/x", "{0}/ctl.sock",
                 "{0}/token", "../{0}", "{0}%2f..%2f{0}/websockify", "{0}x/websockify",
                 "aaaaaaaaaaaaaaaaaaaaaaaaaa/websockify", "x/../{0}/token", "%2e%2e/desktop.ini"):
        resource = f"/desktop/session/{path.format(desktop.id)}"
        with pytest.raises(Refused) as refusal:
            websocket.connect(site.server.address, resource,
                              {"Origin": desktop.person.origin}).close()
        assert refusal.value.status in (400, 403, 404, 502, 503), resource
        reply = desktop.person.get(resource)
        assert reply.status in (400, 403, 404, 405, 502, 503), f"{resource} {reply}"


def test_a_page_fetch_of_the_websocket_address_shows_nothing(site: Installation) -> None:
    desktop = site.person().create()
    reply = desktop.person.get(f"/desktop/session/{desktop.id}/websockify")
    assert 400 <= reply.status < 600
    assert b"Traceback" not in reply.body
    desktop.view().leave()


def test_strangers_who_only_knock_are_harmless(site: Installation) -> None:
    desktop = site.person().create()
    held = []
    for place in range(24):
        held.append(websocket.dial(site.server.address, 5))
        if place % 2:
            held[-1].sendall(f"GET /desktop/session/{desktop.id}/websockify HTTP/1.1\r\n".encode())
    half = [desktop.connect() for _ in range(24)]  # upgraded, no word after that
    start = time.monotonic()
    viewer = desktop.view()
    viewer.look()
    assert time.monotonic() - start < 2.5  # websockify waits 3 s for each that is silent
    until(lambda: site.record(desktop.id)["viewers"] == 1)
    for sock in [*held, *(stream.socket for stream in half)]:
        sock.close()
    viewer.look()


def test_a_viewer_that_stops_reading_holds_nobody_up(site: Installation) -> None:
    desktop = site.person().create()
    lazy, viewer = desktop.view(), desktop.view()
    for _ in range(40):
        lazy.ask(whole=True)
    start = time.monotonic()
    for _ in range(3):
        viewer.look()
    assert time.monotonic() - start < 8


@pytest.mark.slow
def test_a_quiet_viewer_is_kept_by_a_heartbeat(site: Installation) -> None:
    stream = site.person().create().connect()
    stream.socket.settimeout(40)
    while not stream.pings:
        stream.more()
