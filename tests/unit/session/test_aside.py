"""Records that cannot be used: which there are, and that they go."""

import os
import time
from pathlib import Path

import pytest
from samples import Maker

from desktop.errors import Refusal
from desktop.session import aside, housekeeping, lock
from desktop.settings import Settings


def test_what_was_set_aside_is_listed_the_latest_first(site: Settings, make: Maker) -> None:
    first = make()
    first.record.write_text("{")
    housekeeping.sweep(site)
    os.utime(site.dir_log / f"{first.session}.corrupt", (time.time() - 60,) * 2)
    second = make()
    second.record.write_text('{"version": 99}')
    housekeeping.sweep(site)
    found = aside.all(site, ())
    assert [one.session for one in found] == [second.session, first.session]
    assert found[0].problem == "not a record of this version" and found[0].state == "over"
    assert time.time() - found[0].when < 60


def test_what_is_no_record_is_left_alone(site: Settings, tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.touch()
    (site.dir_log / ("a" * 26 + ".corrupt")).symlink_to(precious)
    (site.dir_log / ("b" * 26 + ".corrupt")).mkdir()
    for name in ("c.corrupt", "d" * 26, "history.jsonl"):
        (site.dir_log / name).touch()
    assert aside.all(site, ()) == []
    for word in ("c", "../precious", "d" * 26, "", "/", "history"):
        assert not aside.remove(site, word)
    assert precious.exists() and (site.dir_log / "c.corrupt").exists()


def test_one_that_is_held_may_still_run(site: Settings, make: Maker) -> None:
    known, broken = make(), make()
    broken.record.write_text("null")
    held = [lock.take(paths.lock) for paths in (known, broken)]
    [one] = aside.all(site, housekeeping.sweep(site))
    assert one.session == broken.session and one.state == "running"
    for handle in held:
        assert handle is not None
        os.close(handle)
    aside.stop(site, broken.session)
    assert not broken.directory.exists() and known.directory.exists()
    assert not (site.dir_snapshots / broken.session).exists()
    with pytest.raises(Refusal):
        aside.stop(site, broken.session)


@pytest.mark.parametrize(("content", "problem"), [
    (b"\xff", "not UTF-8"), (b"", "not JSON"), (b"[]", "version"), (b"[" * 5000, "not JSON")])
def test_it_is_said_what_is_wrong(site: Settings, content: bytes, problem: str) -> None:
    (site.dir_log / ("a" * 26 + ".corrupt")).write_bytes(content)
    [one] = aside.all(site, ())
    assert problem in one.problem
    assert aside.remove(site, one.session) and aside.all(site, ()) == []


def test_without_a_log_there_is_nothing(site: Settings) -> None:
    site.dir_log.rmdir()
    assert aside.all(site, ()) == [] and not aside.remove(site, "a" * 26)
