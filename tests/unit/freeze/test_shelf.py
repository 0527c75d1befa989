"""Which templates are offered, told of, and removed: from files as freezing leaves them."""

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from desktop.errors import Refusal
from desktop.freeze import instant, making, shelf, upkeep
from desktop.machine import catalogue, emulator, setback, template
from desktop.machine.template import Manifest, Template
from desktop.machine.wiring import Hardware
from desktop.session import claim, record
from desktop.session.paths import Paths
from desktop.session.wish import Wish
from desktop.settings import Settings

BOX = "box.raw"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    os.umask(0o022)
    found = Settings(dir_templates=tmp_path / "templates", dir_machines=tmp_path / "machines",
                     dir_cfg=tmp_path / "run", dir_state=tmp_path / "state",
                     dir_snapshots=tmp_path / "snapshots", dir_log=tmp_path,
                     snapshot_alloc_mem=64, dir_mounts=(), service_max_load=0,
                     host_disk_reserve=0)
    for place in (found.dir_templates, found.dir_machines, found.dir_cfg, found.dir_snapshots):
        place.mkdir(mode=0o700)
    with (found.dir_machines / BOX).open("wb") as image:
        image.truncate(1 << 20)
    return found


def put(settings: Settings, number: int = 0, **size: Any) -> Template:
    """Make a template of the machine without having booted it."""
    machine, = (one for one in catalogue.all(settings) if one.name == BOX)
    about = emulator.about(settings)
    seen = Hardware(**{"machine": machine, "cpu": 1, "memory": 64, "video": "virtio",
                       "accel": emulator.accelerator(settings).name, "gpu": False,
                       "about": about, "template": True, **size})
    disk = claim.limits(settings, machine).disk
    fit = template.fit(seen, disk)
    directory = settings.dir_templates / f"{fit[:20]}-{number:08x}"
    directory.mkdir()
    for name in template.PARTS:
        (directory / name).write_bytes(name.encode())
    state = machine.file.stat()
    template.write(directory, Manifest(
        fit=fit, machine=BOX, cpu=seen.cpu, memory=seen.memory, disk=disk, video=seen.video,
        accel=seen.accel, qemu=about.release, processor=template.processor(),
        master={"size": state.st_size, "mtime": state.st_mtime_ns, "inode": state.st_ino,
                "sha256": ""}, argv=[], made=float(number), seconds=9,
        files={name: making.described(directory / name) for name in template.PARTS}))
    return template.read(directory)


def use(settings: Settings, one: Template) -> None:
    """Have a session that is a copy of it."""
    new = record.new_id()
    (settings.dir_cfg / new).mkdir(mode=0o700)
    record.write(settings.dir_cfg / new, record.Record(
        session=new, name="box-1", state=record.State.RUNNING, owner="ann", machine=BOX,
        title="Box", cpu=1, memory=64, disk=1.0, video="virtio", persistent=True, start=1e9,
        deadline=0.0, boot="", host="elsewhere", launcher="detach", endpoint="/x",
        template=one.name))


def offered(settings: Settings) -> list[dict[str, Any]]:
    """Return what the form says starts at once."""
    return instant.sizes(settings, catalogue.all(settings))[BOX]


def test_the_form_offers_what_a_session_would_take(settings: Settings) -> None:
    assert offered(settings) == []
    put(settings)
    put(settings, 1)
    put(settings, 2, memory=128, video="std")
    assert offered(settings) == [{"cpu": 1, "memory": 128, "video": "std"},
                                 {"cpu": 1, "memory": 64, "video": "virtio"}]
    for size in offered(settings):
        choice = claim.settle(settings, Wish(machine=BOX, **size), "ann", admin=False)
        assert choice.template


def test_nothing_is_offered_that_would_boot(settings: Settings) -> None:
    one = put(settings)
    setback.note(one.directory, "no answer")
    assert offered(settings) == []
    (one.directory / setback.NAME).unlink()
    assert offered(settings)
    assert instant.sizes(settings, [replace(machine, problem="no")
                                    for machine in catalogue.all(settings)]) == {}
    assert instant.sizes(replace(settings, qemu_exec="no-such-qemu"),
                         catalogue.all(settings)) == {}
    os.utime(settings.dir_machines / BOX, ns=(5, 5))
    assert offered(settings) == []


def test_administrators_are_told_of_what_is_stale_or_failed(
        settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    one = put(settings)
    assert shelf.warnings(settings) == []
    setback.note(one.directory, "no answer")
    said, = shelf.warnings(settings)
    assert "box.raw (1 CPU, 64 MB, virtio) failed at 2" in said and "no answer" in said
    assert "no answer" in shelf.table(settings) and shelf.RESTS in shelf.table(settings)
    now = shelf.time.time()
    monkeypatch.setattr(shelf.time, "time", lambda: now + shelf.TOLD + 1)
    assert shelf.warnings(settings) == []
    os.utime(settings.dir_machines / BOX, ns=(5, 5))
    assert "its machine was changed" in shelf.warnings(settings)[0]


def test_one_that_no_session_fits_is_made_anew(
        settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    old = put(settings)
    assert not list(shelf.stale_wishes(settings))
    before = template.neutral
    monkeypatch.setattr(template, "neutral", lambda hardware: [*before(hardware), "-new"])
    assert offered(settings) == []
    assert "its descriptor or the service was changed" in shelf.warnings(settings)[0]
    assert "sessions start at once" not in shelf.table(settings)
    wish, = shelf.stale_wishes(settings)
    assert wish == Wish(machine=BOX, cpu=1, memory=64, video="virtio")
    shelf.tidy(settings)
    assert old.directory.exists(), "it says what is to be frozen anew"
    put(settings, 1)
    assert not list(shelf.stale_wishes(settings))
    shelf.tidy(settings)
    assert not old.directory.exists()


@pytest.mark.parametrize("changes, words", [
    ({"snapshot_alloc_disk": 7.5}, "its disk has 10 GB, that of a session 7.5"),
    ({"qemu_video": "std", "snapshot_alloc_mem": 128, "snapshot_alloc_cpu": 2}, ""),
    ({"qemu_accel": "kvm"}, "")])
def test_settings_make_stale_what_they_change_alone(settings: Settings, words: str,
                                                    changes: dict[str, Any]) -> None:
    put(settings)
    found, = shelf.items(replace(settings, **changes))
    assert found.stale == words


def test_one_that_nobody_can_choose_is_not_made_anew(settings: Settings) -> None:
    small, large = put(settings, 0), put(settings, 1, memory=128)
    (settings.dir_machines / BOX).with_suffix(".ini").write_text("memory_max = 100\n")
    assert {one.template.name: one.stale for one in shelf.items(settings)} == {
        small.name: "", large.name: shelf.UNOFFERED}
    os.utime(settings.dir_machines / BOX, ns=(5, 5))
    assert [wish.memory for wish in shelf.stale_wishes(settings)] == [64]
    shelf.tidy(settings)
    assert large.directory.exists()


def test_only_what_no_session_uses_is_removed(settings: Settings) -> None:
    used, free = put(settings, 1), put(settings, 2)
    use(settings, used)
    with pytest.raises(Refusal) as problem:
        shelf.remove_one(settings, used.name)
    assert problem.value.status == 409 and used.directory.exists()
    shelf.remove_one(settings, free.name)
    assert not free.directory.exists()
    for name in (free.name, "../templates", ""):
        with pytest.raises(Refusal) as problem:
            shelf.remove_one(settings, name)
        assert problem.value.status == 404


def test_the_timer_removes_what_is_superseded(settings: Settings,
                                              caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    used, old, new = (put(settings, number) for number in (1, 2, 3))
    use(settings, used)
    upkeep.each_minute(replace(settings, templates_keep_hot=True))
    assert used.directory.exists() and new.directory.exists() and not old.directory.exists()
    assert f"the template {old.name} of {BOX} is removed" in caplog.text


def test_one_that_is_no_good_is_named_and_stays_until_there_is_another(settings: Settings) -> None:
    one = put(settings, 1)
    one.memory.write_bytes(b"else")
    assert shelf.warnings(settings) == [
        f"The frozen {BOX} (1 CPU, 64 MB, virtio) is not used: memory is not as it was."]
    assert offered(settings) == []
    shelf.tidy(settings)
    assert [wish.memory for wish in shelf.stale_wishes(settings)] == [64]
    put(settings, 0)
    shelf.tidy(settings)
    assert one.directory.exists(), "the other one is older"
    put(settings, 2)
    shelf.tidy(settings)
    assert not one.directory.exists()


def test_one_that_nobody_can_read_stays_until_there_is_another(settings: Settings) -> None:
    one = put(settings, 1)
    (one.directory / template.MANIFEST).write_text("{")
    shelf.tidy(settings)
    words, = shelf.warnings(settings)
    assert one.name in words and "cannot be understood" in words
    assert not list(shelf.stale_wishes(settings))
    put(settings, 2)
    shelf.tidy(settings)
    assert not one.directory.exists()


def test_what_is_left_of_one_that_was_removed_goes(settings: Settings) -> None:
    one = put(settings)
    (one.directory / template.MANIFEST).unlink()
    shelf.tidy(settings)
    assert not one.directory.exists()


def test_one_whose_machine_is_away_stays_and_is_told_of(settings: Settings) -> None:
    one, away = put(settings), settings.dir_machines.with_name("away")
    settings.dir_machines.rename(away)
    settings.dir_machines.mkdir()
    shelf.tidy(settings)
    assert "its machine is gone" in shelf.warnings(settings)[0]
    assert not list(shelf.stale_wishes(settings))
    settings.dir_machines.rmdir()
    away.rename(settings.dir_machines)
    assert one.directory.exists() and offered(settings)
    (settings.dir_machines / BOX).unlink()
    assert shelf.remove(settings, BOX) == 1


def test_the_timer_goes_on_where_there_is_no_qemu(settings: Settings,
                                                  caplog: pytest.LogCaptureFixture) -> None:
    put(settings)
    upkeep.each_minute(replace(settings, qemu_exec="no-such-qemu"))
    assert "templates are left alone" in caplog.text


def test_one_that_a_session_has_just_taken_stays(settings: Settings) -> None:
    """Whoever wants to remove it has counted before the session was promised."""
    one = put(settings)
    use(settings, one)
    with pytest.raises(Refusal, match="1 sessions") as refusal:
        shelf.discard(settings, one)
    assert refusal.value.status == 409
    assert template.still(one) == one and template.read(one.directory).manifest


def test_one_that_was_removed_is_not_taken(settings: Settings) -> None:
    one = put(settings)
    choice = claim.settle(settings, Wish(machine=BOX), "ann", admin=False)
    assert choice.template == one
    shelf.discard(settings, one)
    assert template.still(one) is None and template.still(None) is None
    paths = Paths(settings.dir_cfg / record.new_id())
    claimed = claim.make(settings, choice, "ann", paths=paths, form="", source="", method="",
                         mail="", endpoint="/x")
    assert isinstance(claimed, claim.Claim) and claimed.record.template == ""
    os.close(claimed.lock)
    os.close(claimed.answer)
