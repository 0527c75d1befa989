"""More time for a session, while nobody waits for its place."""

import os
import threading
import time
from dataclasses import replace

import pytest
from samples import Maker, sample

from desktop.errors import Refusal
from desktop.host.capacity import Promise
from desktop.session import claim, control, extension, record
from desktop.session.record import Record
from desktop.settings import Settings

LATER = {"deadline": 1e6}


def test_an_hour_at_a_time_up_to_all_there_is(site: Settings) -> None:
    assert extension.offer(site, sample(**LATER)).seconds == extension.STEP
    almost = sample(**LATER, extended=site.extend_max - 10.0)
    assert extension.offer(site, almost).seconds == 10
    for changes in ({"extended": float(site.extend_max)}, {"deadline": 0.0}):
        offer = extension.offer(site, sample(**{**LATER, **changes}))
        assert offer.seconds == 0 and offer.problem
    assert "not extended here" in extension.offer(replace(site, extend_max=0),
                                                  sample(**LATER)).problem


def test_not_while_all_places_are_taken(site: Settings, make: Maker) -> None:
    full = replace(site, service_max_instance_nb=2)
    make()
    assert extension.offer(full, sample(**LATER)).seconds
    make()
    assert "taken" in extension.offer(full, sample(**LATER)).problem
    assert extension.offer(replace(site, service_max_instance_nb=0), sample(**LATER)).seconds


def test_not_while_somebody_was_refused_lately(site: Settings) -> None:
    extension.note_refusal(site)
    assert "wait" in extension.offer(site, sample(**LATER)).problem
    for age in (extension.LATELY + 1, -60):  # long ago; before the clock was set back
        moment = time.time() - age
        os.utime(extension.mark(site), (moment, moment))
        assert extension.offer(site, sample(**LATER)).seconds


def test_only_who_could_have_had_it_waits(site: Settings) -> None:
    full = replace(site, overcommit_memory=1.0, host_memory_reserve=0, service_max_load=0,
                   service_max_instance_nb=0)
    taken = [sample(memory=1 << 30)]
    for memory, waits in ((1 << 30, False), (256, True)):
        with pytest.raises(Refusal):
            claim.check_room(full, taken, Promise("bob", 1, memory, 0))
        assert extension.mark(full).exists() == waits


def test_what_is_granted_in_all(site: Settings) -> None:
    entry = sample(deadline=100.0, extended=3000.0)
    for most, given in ((None, 3600), (10000, 3600), (4000, 1000), (3000, 0), (0, 0)):
        seconds, changes = extension.grant(entry, {"seconds": 3600, "most": most})
        assert (seconds, changes["deadline"]) == (given, 100 + given)
        assert changes["extended"] == 3000 + given
    assert extension.grant(sample(), {"seconds": 60}) == (0, {})


@pytest.mark.parametrize(("text", "seconds"), [("", 3600), ("60", 60), ("1", 1)])
def test_seconds_that_are_typed(text: str, seconds: int) -> None:
    assert extension.wanted(text) == seconds


@pytest.mark.parametrize("text", ["0", "-1", "1h", "１", "1e3", "99999999999"])
def test_seconds_that_are_none(text: str) -> None:
    with pytest.raises(Refusal):
        extension.wanted(text)


def test_the_keeper_has_the_last_word(site: Settings, make: Maker) -> None:
    paths = make(**LATER)
    entry: Record = record.read(paths.directory)
    with pytest.raises(Refusal) as refusal:
        extension.extend(site, entry, 60)
    assert refusal.value.status == 503, "there is no keeper"
    listener = control.listen(paths)
    asked: list[dict[str, object]] = []

    def decide(do: str, facts: dict[str, object]) -> dict[str, object]:
        asked.append({"do": do, **facts})
        return {"ok": True, "seconds": 60 if facts["most"] is None else 0}
    for admin in (True, False):
        thread = threading.Thread(target=control.answer, args=(listener, decide))
        thread.start()
        if admin:
            assert extension.extend(site, entry, 60, admin=True) == 60
        else:
            with pytest.raises(Refusal) as refusal:
                extension.extend(site, entry, 60)
            assert refusal.value.status == 409
        thread.join()
    listener.close()
    assert [one["most"] for one in asked] == [None, site.extend_max]
