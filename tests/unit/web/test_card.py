"""What people are told about sessions: who hears the token, and where addresses lead."""

import json
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from asking import Make

from desktop.memo import stamp
from desktop.process import boot_id, boottime
from desktop.session import footing, record, sessions
from desktop.session.record import Record, State
from desktop.settings import ROOT, Settings
from desktop.web import card, gateway, page, table
from desktop.web.page import Frame

SECRET = "s3cr3t42"
EVIL = "<script>alert('x')</script>"


def add(settings: Settings, owner: str = "ada", **changes: Any) -> Record:
    """Put a session's record and token where those of running ones are."""
    new = record.new_id()
    master = settings.dir_machines / "tiny.iso"
    master.parent.mkdir(exist_ok=True)
    master.touch()
    directory = settings.dir_cfg / new
    directory.mkdir(parents=True)
    facts = {"session": new, "name": f"tiny-{new[:4]}", "state": State.RUNNING, "owner": owner,
             "machine": "tiny.iso", "title": "Tiny", "cpu": 1, "memory": 256, "disk": 1.0,
             "video": "virtio", "persistent": True, "start": time.time(),
             "deadline": boottime() + 3600, "boot": boot_id(), "host": "h", "launcher": "detach",
             "endpoint": str(directory / "ws.sock"), "accel": "tcg", "master": stamp(master)}
    entry = Record(**{**facts, **changes})
    record.write(directory, entry)
    (directory / "token").write_text(SECRET)
    return entry


def test_the_owner_gets_all(settings: Settings, ask: Make) -> None:
    entry = add(settings)
    facts = card.own(settings, entry, gateway.place(ask(HTTPS="on"), settings))
    assert facts["token"] == SECRET
    assert facts["href"].startswith("view.html#") and SECRET in facts["href"]
    assert facts["url"].startswith("https://desktop.example.org/desktop/view.html")
    assert SECRET in facts["url"] and SECRET not in facts["address"]
    assert facts["websocket"] == (
        f"wss://desktop.example.org/desktop/session/{entry.session}/websockify")
    assert 3590 < facts["remaining"] <= 3600
    assert facts["expires"].endswith("Z") and facts["screen"] == f"monitor?screen={entry.session}"


def test_administrators_are_warned_of_what_everybody_can_download(settings: Settings) -> None:
    ours = replace(settings, dir_html=settings.dir_snapshots.parent)
    warnings = card.overview(ours, [], "ada", None, everybody=True)["host"]["warnings"]
    assert any(f"dir_snapshots = {settings.dir_snapshots} lies below" in text for text in warnings)


def test_without_a_token_the_address_is_enough(settings: Settings, ask: Make) -> None:
    untyped = replace(settings, service_use_vnc_token=False)
    facts = card.own(untyped, add(untyped), gateway.place(ask(), untyped))
    assert facts["token"] is None and SECRET in facts["address"]
    assert card.brief(facts)["token"] == SECRET


def test_by_hand_the_keeper_is_the_server(settings: Settings) -> None:
    facts = card.own(settings, add(settings, endpoint="127.0.0.1:6001"), None)
    assert facts["url"].startswith("http://127.0.0.1:6001/view.html#host=127.0.0.1&port=6001&")
    assert SECRET in facts["url"]
    assert list(card.brief(facts)) == ["session", "name", "machine", "url", "websocket", "token",
                                       "expires", "persistent"]


def test_others_open_nothing(settings: Settings) -> None:
    entry = add(settings)
    facts = card.public(settings, entry, False)
    assert SECRET not in json.dumps(facts) and entry.endpoint not in json.dumps(facts)
    assert not any(facts[name] for name in ("href", "url", "address", "websocket", "token",
                                            "secret", "screen"))
    assert facts.keys() == card.own(settings, entry, None).keys()


def test_an_overview(settings: Settings) -> None:
    add(settings, "ada")
    add(settings, "bob")
    mine = card.overview(settings, sessions.all(settings), "bob", None, everybody=False)
    assert [one["user"] for one in mine["sessions"]] == ["bob"] and mine["host"] is None
    everything = card.overview(settings, sessions.all(settings), "ada", None, everybody=True)
    assert [one["user"] for one in everything["sessions"]] == ["ada", "bob"]
    assert [one["token"] for one in everything["sessions"]] == [SECRET, None]
    assert everything["host"]["promised"] == 512 and everything["host"]["sessions"] == 2
    listing = json.dumps(card.listing(everything))
    assert listing.count(SECRET) == 2  # in one session, as token and in its url
    text = table.text(everything)
    assert SECRET not in text and "tiny.iso" in text and "bob" in text


def test_an_image_that_was_changed_is_marked(settings: Settings) -> None:
    entry = add(settings, reason="paused")

    def seen() -> tuple[str, str]:
        facts = card.overview(settings, [entry], "root", None, everybody=True)
        return facts["sessions"][0]["reason"], " ".join(facts["host"]["warnings"])
    reason, warnings = seen()
    assert reason == "paused" and "tiny.iso" not in warnings
    (settings.dir_machines / "tiny.iso").write_text("another")
    reason, warnings = seen()
    assert reason == f"paused; {footing.CHANGED}" and "tiny.iso" in warnings
    assert card.own(settings, entry, None)["reason"] == reason
    (settings.dir_machines / "tiny.iso").unlink()
    assert sessions.altered(settings, [entry])


def test_a_session_without_end_or_from_another_boot(settings: Settings) -> None:
    for changes in ({"deadline": 0.0}, {"boot": "another"}):
        facts = card.public(settings, add(settings, **changes), False)
        assert (facts["expires"], facts["remaining"]) == ("", 0)


@pytest.mark.parametrize("state", list(State))
@pytest.mark.parametrize("changes", [{}, {"deadline": 0.0}, {"gpu": ("0000:01:00.0",)},
                                     {"persistent": False}])
def test_pages_have_all_they_need(settings: Settings, ask: Make, state: State,
                                  changes: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "volume").mkdir()
    wide = replace(settings, dir_mounts=(str(tmp_path / "volume"),))
    add(wide, "bob", state=state, title=EVIL, name=EVIL, reason=EVIL, **changes)
    entry = add(wide, state=state, title=EVIL, name=EVIL, reason=EVIL, machine=EVIL, **changes)
    place = gateway.place(ask(), wide)
    frame = Frame({"name": EVIL, "admin": True, "sign_out": None}, [EVIL])
    one = page.html(200, frame, "session.html", entry.title, s=card.own(wide, entry, place))
    seen, local = (card.overview(wide, sessions.all(wide), "ada", where, everybody=True)
                   for where in (place, None))
    shown = {"view": table.View(), "columns": table.COLUMNS}
    everything = page.html(200, frame, "sessions.html", "Sessions", lately=(),
                           rows=seen["sessions"], **seen, **shown)
    alone = page.by_itself(replace(wide, dir_html=ROOT / "html"), "sessions.html", "Sessions",
                           rows=local["sessions"], **local, **shown)
    for text in (one.body.decode(), everything.body.decode(), alone):
        assert "<script>alert" not in text and "&lt;script&gt;" in text
    assert SECRET not in alone
