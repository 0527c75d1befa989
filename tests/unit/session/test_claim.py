"""Wishes are settled within what there is."""

from dataclasses import replace
from pathlib import Path

import pytest
from samples import Maker

from desktop.errors import Refusal
from desktop.machine.descriptor import Machine
from desktop.machine.image import Format
from desktop.session import claim, history, sessions
from desktop.session.paths import Paths
from desktop.settings import Settings


@pytest.mark.parametrize("value, comes_to", [(None, 2), (1, 1), (4, 4)])
def test_within(value: int | None, comes_to: int) -> None:
    assert claim.within("cpu", value, 1, 2, 4) == comes_to


@pytest.mark.parametrize("value", [0, -1, 5, 10 ** 15])
def test_outside_is_refused(value: int) -> None:
    with pytest.raises(Refusal, match="not between 1 and 4"):
        claim.within("cpu", value, 1, 2, 4)


@pytest.mark.parametrize("name, short", [
    ("tiny.iso", "tiny"), ("Data Analysis (2026).qcow2", "data-analysis-2026"),
    ("../../x.iso", "x"), ("ü.raw", "machine"), ("a" * 99 + ".iso", "a" * 20)])
def test_names_of_sessions_are_easy_to_type(name: str, short: str) -> None:
    assert claim.slug(name) == short


def test_sessions_are_found_by_id_name_and_path(site: Settings, make: Maker) -> None:
    paths: Paths = make(name="tiny-xyz2")
    for word in (paths.session, "tiny-xyz2", str(paths.record), str(paths.directory)):
        assert sessions.find(site, word).session == paths.session
    for word in ("tiny", "", "../" + paths.session, "/etc/passwd", str(site.dir_cfg)):
        with pytest.raises(Refusal) as refusal:
            sessions.find(site, word)
        assert refusal.value.status == 404


def test_mailed_machines_have_a_share_of_the_places(site: Settings, make: Maker) -> None:
    ours = replace(site, email_max_instance_nb=2)
    for method in ("email", "ldap", "email"):
        claim.check_mailed(ours, sessions.all(site))
        make(method=method)
    with pytest.raises(Refusal, match="that are mailed") as refusal:
        claim.check_mailed(ours, sessions.all(site))
    assert refusal.value.status == 503
    claim.check_mailed(replace(site, email_max_instance_nb=0), sessions.all(site))


def test_history_knows_a_form_that_is_over(site: Settings, make: Maker) -> None:
    make(form="one")
    entry = sessions.all(site)[0]
    assert not history.knows(site, "ann", "one")
    history.add(site, entry, "stopped")
    assert history.knows(site, "ann", "one")
    assert not history.knows(site, "bob", "one") and not history.knows(site, "ann", "on")


def test_a_directory_that_is_too_long_or_others_can_write_is_refused(site: Settings) -> None:
    with pytest.raises(Refusal, match="too long"):
        sessions.prepare(replace(site, dir_cfg=site.dir_cfg / ("x" * 90)))
    site.dir_cfg.chmod(0o777)
    with pytest.raises(Refusal, match="you alone"):
        sessions.prepare(site)


def test_a_default_is_capped_by_the_descriptor(site: Settings, tmp_path: Path) -> None:
    machine = Machine(file=tmp_path / "a.iso", name="a.iso", format=Format.ISO, stamp="",
                      title="A", cpu_max=1, memory_max=512, disk_max=2.0)
    may = claim.limits(site, machine)
    assert (may.cpu, may.memory, may.disk) == ((1, 1), (512, 512), 2.0)
