"""Which template serves which wish: exactly what it was made of, and whole."""

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from desktop.errors import Refusal
from desktop.freeze import making
from desktop.machine import setback, template
from desktop.machine.descriptor import Machine
from desktop.machine.emulator import About
from desktop.machine.image import Format
from desktop.machine.template import Manifest, Template
from desktop.machine.wiring import Hardware
from desktop.memo import stamp
from desktop.settings import Settings

OLD, NEW = (7, 2, 22), (10, 0, 2)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(dir_templates=tmp_path / "templates", dir_machines=tmp_path)


def hardware(tmp_path: Path, version: tuple[int, int, int] = OLD, **facts: Any) -> Hardware:
    """Return what a guest sees."""
    file = tmp_path / "box.iso"
    file.write_bytes(b"x" * 100)
    os.utime(file, ns=(5, 5))
    machine = Machine(file=file, name=file.name, format=Format.ISO, stamp="5-100-7",
                      disk_bus="virtio", network_card="virtio")
    return Hardware(**{"machine": machine, "cpu": 1, "memory": 64, "video": "virtio",
                       "accel": "tcg", "about": About(version, frozenset()),
                       "template": True, **facts})


def put(settings: Settings, like: Hardware, made: float = 1.0, number: int = 0) -> Template:
    """Make a template of something without having booted it."""
    fit = template.fit(like, 1)
    directory = settings.dir_templates / f"{fit[:20]}-{number:08x}"
    directory.mkdir(parents=True)
    for name in template.PARTS:
        (directory / name).write_bytes(name.encode())
    state = like.machine.file.stat()
    template.write(directory, Manifest(
        fit=fit, machine=like.machine.name, cpu=like.cpu, memory=like.memory, disk=1,
        video=like.video, accel=like.accel, qemu="7.2.22", processor=template.processor(),
        master={"size": state.st_size, "mtime": state.st_mtime_ns, "inode": state.st_ino,
                "sha256": ""}, argv=[], made=made, seconds=9,
        files={name: making.described(directory / name) for name in template.PARTS}))
    return template.read(directory)


def test_what_fits_is_found_the_newest_first(tmp_path: Path, settings: Settings) -> None:
    like = hardware(tmp_path)
    assert template.find(settings, like, 1) is None
    put(settings, like, made=2, number=1)
    newest = put(settings, like, made=3, number=2)
    put(settings, like, made=1, number=3)
    assert template.find(settings, like, 1) == newest


@pytest.mark.parametrize("other", [
    {"cpu": 2}, {"memory": 65}, {"video": "std"}, {"accel": "kvm"}, {"version": NEW}])
def test_nothing_else_fits(tmp_path: Path, settings: Settings, other: dict[str, Any]) -> None:
    put(settings, hardware(tmp_path))
    assert template.find(settings, hardware(tmp_path, **other), 1) is None


def test_neither_another_disk_nor_another_image_fits(tmp_path: Path, settings: Settings) -> None:
    like = hardware(tmp_path)
    put(settings, like)
    changed = replace(like, machine=replace(like.machine, stamp="6-100-7"))
    assert template.find(settings, like, 2) is None
    assert template.find(settings, changed, 1) is None


def test_another_processor_does_not_fit(tmp_path: Path, settings: Settings,
                                        monkeypatch: pytest.MonkeyPatch) -> None:
    put(settings, hardware(tmp_path))
    monkeypatch.setattr(template, "processor", lambda: "another one")
    assert template.find(settings, hardware(tmp_path), 1) is None


@pytest.mark.parametrize(("name", "content"), [
    ("memory", b"mem"), ("state", b""), ("disk.qcow2", b"longer than it was"),
    ("manifest.json", b"{"), ("manifest.json", b"[]"), ("manifest.json", b'{"version": 1}')])
def test_what_is_not_whole_is_not_used(tmp_path: Path, settings: Settings, name: str,
                                       content: bytes, caplog: pytest.LogCaptureFixture) -> None:
    made = put(settings, hardware(tmp_path))
    (made.directory / name).write_bytes(content)
    assert template.find(settings, hardware(tmp_path), 1) is None
    assert made.name in caplog.text
    assert template.read(made.directory).problem


@pytest.mark.parametrize("name", template.PARTS)
def test_what_was_written_to_is_not_used(tmp_path: Path, settings: Settings, name: str) -> None:
    like = hardware(tmp_path)
    made = put(settings, like)
    path = made.directory / name
    path.write_bytes(bytes(reversed(path.read_bytes())))
    assert template.find(settings, like, 1) is None
    found = template.read(made.directory)
    assert found.problem == f"{name} is not as it was" and found.manifest == made.manifest
    assert template.stale(found, {"box.iso": like.machine}, "7.2.22") == found.problem


def test_an_image_that_changed_while_it_was_frozen_is_refused(tmp_path: Path) -> None:
    machine = hardware(tmp_path).machine
    machine = replace(machine, stamp=stamp(machine.file))
    assert making.master(machine)["size"] == 100
    machine.file.unlink()
    machine.file.write_bytes(b"y" * 100)
    with pytest.raises(Refusal, match="its image was changed meanwhile"):
        making.master(machine)


def test_a_missing_part_is_named(tmp_path: Path, settings: Settings) -> None:
    made = put(settings, hardware(tmp_path))
    made.memory.unlink()
    assert "memory cannot be read" in template.read(made.directory).problem


def test_one_that_failed_is_left_alone_for_a_while(tmp_path: Path, settings: Settings,
                                                   monkeypatch: pytest.MonkeyPatch) -> None:
    like = hardware(tmp_path)
    made = put(settings, like)
    setback.note(made.directory, "no answer")
    assert template.find(settings, like, 1) is None
    assert setback.recent(made.directory) == "no answer"
    now = setback.time.time()
    monkeypatch.setattr(setback.time, "time", lambda: now + setback.PAUSE)
    assert template.find(settings, like, 1) == made


def test_what_makes_it_stale_is_said(tmp_path: Path, settings: Settings) -> None:
    like = hardware(tmp_path)
    made, offered = put(settings, like), {"box.iso": like.machine}
    assert template.stale(made, offered, "7.2.22") == ""
    assert template.stale(made, offered, "10.0.2") == "it is of QEMU 7.2.22"
    assert template.stale(made, {}, "7.2.22") == template.GONE
    os.utime(like.machine.file, ns=(6, 6))
    assert template.stale(made, offered, "7.2.22") == "its machine was changed"


def test_a_template_has_no_balloon(tmp_path: Path) -> None:
    def balloon(version: tuple[int, int, int], **facts: Any) -> bool:
        return "virtio-balloon" in " ".join(
            template.neutral(hardware(tmp_path, version, **facts)))
    assert not balloon(OLD) and not balloon(NEW)
    assert balloon(OLD, template=False) and balloon(NEW, template=False)
