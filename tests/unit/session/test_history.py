"""The history: what is kept, for whom, and what becomes of names."""

import json
import os
import time
from dataclasses import replace

import pytest
from samples import sample

from desktop.session import history
from desktop.settings import Settings

DAY = 86400


@pytest.fixture(autouse=True)
def state(site: Settings) -> None:
    """Make the directory that a sign-in makes elsewhere."""
    site.dir_state.mkdir(mode=0o700)


def over(site: Settings, owner: str, days: float, **changes: object) -> None:
    """Have a session of somebody end so many days ago."""
    entry = sample(owner=owner, **changes)
    history.add(site, entry, "stopped")
    file = history.path(site)
    *before, last = file.read_text().splitlines()
    end = time.time() - days * DAY
    last = json.dumps(json.loads(last) | {"start": end - 7200, "end": end})
    file.write_text("".join(f"{line}\n" for line in [*before, last]))


def test_everybody_finds_their_own(site: Settings) -> None:
    over(site, "ann", 2)
    over(site, "bob", 1)
    over(site, "ann", 0)
    assert [one.owner for one in history.read(site)] == ["ann", "bob", "ann"]
    ours = history.read(site, "ann")
    assert len(ours) == 2 and ours[0].end > ours[1].end
    assert round(ours[0].hours, 3) == 2 and ours[0].how == "stopped"
    assert not history.read(site, "an") and not history.read(site, '"')


def test_the_end_of_the_file_is_enough_for_the_latest(site: Settings) -> None:
    for _ in range(20):
        over(site, "ann", 1)
    assert 1 <= len(history.read(site, "ann", 2000)) < 10


def test_what_is_no_line_of_ours_is_passed_over(site: Settings) -> None:
    over(site, "ann", 1)
    with history.path(site).open("a") as file:
        file.write('{"owner": "ann"}\n[]\nnull\n{"half": \n' + '{"owner": "ann", "cpu": "x"}\n')
    assert len(history.read(site)) == 1


def test_old_lines_go_and_names_in_them_before(site: Settings) -> None:
    site = replace(site, history_days=30, history_anonymise_days=7)
    for owner, days in (("ann", 31), ("ann", 8), ("bob", 9), ("ann", 10), ("ann", 1)):
        over(site, owner, days, source="192.0.2.7", form="f")
    history.tidy(site)
    newest, *old = history.read(site)
    assert newest.owner == "ann" and newest.source == "192.0.2.7"
    assert [one.owner == old[0].owner for one in old] == [True, False, True]
    assert all(history.HIDDEN.fullmatch(one.owner) and not one.source for one in old)
    text = history.path(site).read_text()
    assert text.count("ann") == 1 and "bob" not in text and text.count("192.0.2.7") == 1
    assert not history.knows(site, "bob", "f")


def test_it_is_tidied_once_a_day_and_words_stay(site: Settings) -> None:
    site = replace(site, history_anonymise_days=7)
    over(site, "ann", 8)
    history.tidy(site)
    hidden, = history.read(site)
    over(site, "ann", 8)
    history.tidy(site)
    assert [one.owner for one in history.read(site)] == ["ann", hidden.owner]
    stamp = site.dir_state / "history.tidied"
    os.utime(stamp, (0, 0))
    history.tidy(site)
    assert [one.owner for one in history.read(site)] == [hidden.owner, hidden.owner]


def test_nothing_is_touched_where_all_is_kept(site: Settings) -> None:
    site = replace(site, history_days=0, history_anonymise_days=0)
    over(site, "ann", 4000)
    before = history.path(site).read_bytes()
    history.tidy(site)
    assert history.path(site).read_bytes() == before
    assert history.path(site).stat().st_mode & 0o007 == 0
