"""Templates and those who wish them ill: other users, other people, and guests."""

import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from service.frost import FREEZE, MEMORY, Frost, booted, start
from service.guest import descriptors
from service.installation import Installation

OTHERS = 0o077


@pytest.fixture
def quick(site: Installation, frost: Frost) -> Path:
    """The template of quick.raw, in the usual installation."""
    return frost.settle(site, "quick.raw")


@contextmanager
def descriptor(frost: Frost, machine: str, **facts: object) -> Iterator[None]:
    """Have more in a machine's descriptor meanwhile."""
    path = (frost.machines / machine).with_suffix(".ini")
    before = path.read_text()
    path.write_text(before + "".join(f"{name} = {value}\n" for name, value in facts.items()))
    try:
        yield
    finally:
        path.write_text(before)


def test_nobody_else_reads_a_template(site: Installation, quick: Path) -> None:
    assert not site.templates.stat().st_mode & OTHERS
    modes = {path.name: path.stat().st_mode & 0o777 for path in (quick, *quick.iterdir())}
    assert not any(mode & OTHERS for mode in modes.values()), modes
    assert modes["state"] == modes["disk.qcow2"] == 0o400, modes
    if os.geteuid() == 0:
        seen = subprocess.run(["ls", quick], user="nobody", capture_output=True, check=False)
        assert seen.returncode and not seen.stdout


def test_a_copy_maps_the_memory_privately(site: Installation, quick: Path) -> None:
    """Guests reach nothing but this mapping. Whoever broke out of QEMU could write to the file as
    far as its mode allows the service to: QEMU before 8.2 cannot open it for reading alone.
    """
    desktop = start(site)
    pid = site.pids(desktop.id)["qemu"]
    maps = [line.split() for line in Path(f"/proc/{pid}/maps").read_text().splitlines()
            if line.endswith(str(quick / "memory"))]
    assert maps and all(words[1].endswith("p") for words in maps), maps
    assert str(quick / "state") not in descriptors(pid), "it keeps the state open"
    assert not [path for path in quick.iterdir() if path.name not in (
        "memory", "state", "disk.qcow2", "manifest.json")]


def test_who_may_not_have_the_machine_gets_no_copy(site: Installation, quick: Path,
                                                   frost: Frost) -> None:
    with descriptor(frost, "quick.raw", users="bob"):
        reply = site.person("ada").try_create(machine="quick.raw", memory="16")
        assert reply.status in (403, 404), str(reply)
        for word in (quick.name, f"../templates/{quick.name}", str(quick)):
            assert site.person("ada").try_create(machine=word).status in (400, 404)
        told = json.dumps(site.person("ada").facts("create"))
        assert "quick" not in told
        assert "quick.raw" in json.dumps(site.person("bob").facts("create"))
        assert not booted(site, start(site, "bob"))


@pytest.mark.parametrize("field, value", [
    ("memory", MEMORY["quick.raw"] + 1), ("cpu", 2), ("video", "std")])
def test_whoever_wishes_for_something_else_boots(site: Installation, quick: Path, field: str,
                                                 value: object) -> None:
    assert booted(site, start(site, **{field: str(value)}))


def test_other_volumes_and_networks_are_no_reason_to_boot(site: Installation,
                                                          frost: Frost) -> None:
    for settings in ({"guest_network": "none"}, {"guest_network": "isolated"},
                     {"dir_mounts": site.machines}):
        frost.settle(site, "quick.raw", **settings)
        desktop = start(site)
        assert not booted(site, desktop), settings
        desktop.stop()


def test_templates_that_others_may_write_are_not_used(site: Installation, quick: Path) -> None:
    site.templates.chmod(0o777)
    try:
        assert booted(site, start(site))
        assert "alone may write" in (site.directory / "error.log").read_text()
        refused = site.script(FREEZE, "quick.raw", "--memory=16")
        assert refused.returncode == 1 and "alone may write" in refused.stderr, refused
    finally:
        site.templates.chmod(0o700)
    assert not booted(site, start(site, "bob"))
