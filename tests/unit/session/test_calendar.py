"""When a session ends by itself."""

from dataclasses import replace
from typing import Any

import pytest
from samples import sample

from desktop import process
from desktop.session.calendar import Calendar
from desktop.settings import Settings


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Return a clock to set: seconds since boot."""
    now = [1000.0]
    monkeypatch.setattr(process, "boottime", lambda: now[0])
    return now


def test_nobody_connects(clock: list[float]) -> None:
    calendar, entry = Calendar(Settings()), sample()
    assert calendar.pause(entry) == 30
    clock[0] += 299
    assert not calendar.over(entry) and calendar.pause(entry) == 1
    clock[0] += 1
    assert calendar.over(entry) == "nobody connected"


def test_a_mailed_machine_waits_for_its_mail(clock: list[float]) -> None:
    calendar, entry = Calendar(Settings()), sample(persistent=False, method="email")
    clock[0] += 3599
    assert not calendar.over(entry) and calendar.pause(entry) == 1
    clock[0] += 1
    assert calendar.over(entry) == "nobody connected"
    calendar.note_viewers(1)
    calendar.note_viewers(0)
    clock[0] += 30
    assert calendar.over(entry) == "its viewer left"


def test_another_keeper_goes_on(clock: list[float]) -> None:
    for entry, waits in ((sample(persistent=False, viewers=0), 30),
                         (sample(persistent=False, viewers=0, method="email"), 3600),
                         (sample(persistent=False, viewers=1, method="email"), 30)):
        calendar = Calendar(Settings())
        calendar.resume(entry)
        clock[0] += waits - 1
        assert not calendar.over(entry)
        clock[0] += 1
        assert calendar.over(entry)


def test_a_persistent_session_outlives_its_viewers_until_its_deadline(clock: list[float]) -> None:
    calendar, entry = Calendar(Settings()), sample(deadline=5000.0)
    calendar.note_viewers(1)
    calendar.note_viewers(0)
    clock[0] = 4999.5
    assert not calendar.over(entry) and calendar.pause(entry) == 0.5
    clock[0] = 5000
    assert calendar.over(entry) == "its time was over"


def test_a_single_shot_waits_for_its_viewer_to_come_back(clock: list[float]) -> None:
    calendar, entry = Calendar(Settings()), sample(persistent=False)
    calendar.note_viewers(1)
    assert calendar.pause(entry) == 300
    calendar.note_viewers(0)
    clock[0] += 29
    calendar.note_viewers(1)
    clock[0] += 1000
    assert not calendar.over(entry)
    calendar.note_viewers(0)
    clock[0] += 20
    calendar.note_viewers(0)  # another stranger left: the wait does not begin again
    clock[0] += 10
    assert calendar.over(entry) == "its viewer left"


def test_zero_means_for_ever(clock: list[float]) -> None:
    calendar = Calendar(replace(Settings(), first_connect_timeout=0))
    clock[0] += 1e9
    assert not calendar.over(sample()) and calendar.pause(sample()) == 300


@pytest.mark.parametrize("method", ["", "email"])
def test_what_nobody_ever_looked_at_ends_and_is_not_parked(clock: list[float],
                                                           method: str) -> None:
    patient = replace(Settings(), park_after=2, first_connect_timeout=15, email_connect_timeout=15)
    calendar, entry = Calendar(patient), sample(method=method)
    clock[0] += 14
    assert not calendar.parking_is_due(entry) and calendar.pause(entry) == 1
    clock[0] += 1
    assert calendar.over(entry) == "nobody connected"
    calendar.note_viewers(1)
    calendar.note_viewers(0)
    assert not calendar.parking_is_due(entry) and calendar.pause(entry) == 2
    clock[0] += 2
    assert calendar.parking_is_due(entry) and not calendar.over(entry)
    calendar = Calendar(replace(patient, first_connect_timeout=0, email_connect_timeout=0))
    clock[0] += 2
    assert calendar.parking_is_due(entry) and not calendar.over(entry)


def test_a_guest_that_does_not_power_down_is_ended(clock: list[float]) -> None:
    calendar, entry = Calendar(Settings()), sample()
    calendar.note_viewers(1)
    calendar.powerdown = 1030.0, "stopped by ann"
    clock[0] = 1030
    assert calendar.over(entry) == "stopped by ann"


def test_room_on_a_full_disk_is_looked_for_now_and_then(clock: list[float]) -> None:
    calendar = Calendar(Settings())
    assert not calendar.retry_is_due()
    calendar.retry = 1005.0
    assert not calendar.retry_is_due()
    clock[0] = 1005
    assert calendar.retry_is_due() and not calendar.retry_is_due()


MAILS = replace(Settings(), smtp_server="mail.example.org", email_from="desktop@example.org",
                first_connect_timeout=0)


def test_its_owner_is_mailed_once_per_end(clock: list[float]) -> None:
    calendar, entry = Calendar(MAILS), sample(deadline=5000.0, mail="ann@example.org")
    clock[0] = 4390
    assert not calendar.notice_is_due(entry) and calendar.pause(entry) == 10
    clock[0] = 4400
    assert calendar.notice_is_due(entry) and calendar.pause(entry) == 0
    entry = replace(entry, noticed=5000.0)
    assert not calendar.notice_is_due(entry) and calendar.pause(entry) == 30
    entry = replace(entry, deadline=5599.0)
    clock[0] = 5500
    assert not calendar.notice_is_due(entry), "by a few minutes is not worth a mail"
    entry = replace(entry, deadline=8600.0)
    assert not calendar.notice_is_due(entry)
    clock[0] = 8000
    assert calendar.notice_is_due(entry)


@pytest.mark.parametrize(("changes", "facts"), [
    ({}, {"mail": ""}), ({}, {"deadline": 0.0}), ({"warn_before_end": 0}, {}),
    ({"smtp_server": ""}, {}), ({"email_from": ""}, {})])
def test_nobody_is_mailed(clock: list[float], changes: dict[str, Any],
                          facts: dict[str, Any]) -> None:
    entry = sample(**{"deadline": 1500.0, "mail": "ann@example.org", **facts})
    assert Calendar(MAILS).notice_is_due(entry) != bool(facts)
    assert not Calendar(replace(MAILS, **changes)).notice_is_due(entry)
