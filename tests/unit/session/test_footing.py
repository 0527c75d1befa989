"""A session whose image or template is not what it was could not be woken: it is not parked."""

import os
from dataclasses import replace
from pathlib import Path

import pytest
from samples import Maker

from desktop.machine import template
from desktop.memo import stamp
from desktop.session import footing, parking, record
from desktop.session.guest import Guest
from desktop.session.paths import Paths
from desktop.session.record import Record
from desktop.settings import Settings

NAME = f"{'ab' * 10}-{'0' * 8}"


@pytest.fixture
def its_settings(site: Settings, tmp_path: Path) -> Settings:
    """Return settings with an image and a template."""
    home = tmp_path / "templates" / NAME
    home.mkdir(mode=0o700, parents=True)
    (home / "memory").write_bytes(b"12")
    (home / "manifest.json").write_text(
        '{"version": 1, "fit": "%s", "machine": "tiny.iso", "cpu": 1, "memory": 64, "disk": 1, '
        '"video": "", "accel": "", "qemu": "", "processor": "", "master": {}, "argv": [], '
        '"files": {"memory": {"size": 2}}, "made": 1, "seconds": 1}' % ("ab" * 32))
    (tmp_path / "tiny.iso").write_bytes(b"1")
    return replace(site, dir_machines=tmp_path, dir_templates=home.parent)


@pytest.fixture
def paths(its_settings: Settings, make: Maker) -> Paths:
    """Return where a session lies that is a copy of that template."""
    return make(template=NAME, master=stamp(its_settings.dir_machines / "tiny.iso"))


def test_what_is_as_it_was_is_no_trouble(its_settings: Settings, paths: Paths) -> None:
    entry = record.read(paths.directory)
    assert not footing.trouble(its_settings, entry)
    with pytest.raises(parking.Stays, match="does not answer"):
        parking.park(its_settings, Guest(paths, its_settings), entry, paths)


@pytest.mark.parametrize("change", ["replaced", "gone"])
def test_another_image_keeps_it_running(its_settings: Settings, paths: Paths, change: str) -> None:
    image = its_settings.dir_machines / "tiny.iso"
    if change == "gone":
        image.unlink()
    else:
        image.with_name("new").write_bytes(b"1")
        os.replace(image.with_name("new"), image)
    stays(its_settings, paths, footing.CHANGED)


@pytest.mark.parametrize("part", ["memory", template.MANIFEST, ""])
def test_a_template_that_is_lost_keeps_it_running(
        its_settings: Settings, paths: Paths, caplog: pytest.LogCaptureFixture, part: str) -> None:
    home = its_settings.dir_templates / NAME
    if part:
        (home / part).unlink()
    else:
        home.rename(home.with_name("away"))
    stays(its_settings, paths, footing.LOST)
    assert f"{part or template.MANIFEST} cannot be read" in caplog.text


def stays(settings: Settings, paths: Paths, why: str) -> None:
    """See that a session is not parked, and why."""
    entry: Record = record.read(paths.directory)
    assert footing.trouble(settings, entry) == why
    with pytest.raises(parking.Stays, match=why):
        parking.park(settings, Guest(paths, settings), entry, paths)
    assert not list(settings.dir_parked.iterdir())
