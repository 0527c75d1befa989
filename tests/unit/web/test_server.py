"""What administrators are told about the server."""

import gzip
import re
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from test_card import add

from desktop import __version__
from desktop.host.gpu import Gpu
from desktop.session.record import State
from desktop.settings import Settings
from desktop.web import health, server, table

CARD, OTHER, SHARED = "0000:01:00.0", "0000:02:00.0", "0000:03:00.0"


def test_who_has_the_gpus(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    cards = [Gpu(CARD, "10de:1", (CARD, "0000:01:00.1")), Gpu(OTHER, "10de:1", (OTHER,)),
             Gpu(SHARED, "10de:2", (SHARED,), "its IOMMU group is shared")]
    monkeypatch.setattr(server.gpu, "find", lambda settings: cards)
    entry = add(settings, "bob", gpu=(CARD, "0000:01:00.1"))
    found = {one["address"]: one for one in server.facts(settings, [entry], ())["gpus"]}
    assert (found[CARD]["user"], found[CARD]["name"]) == ("bob", entry.name)
    assert found[CARD]["session"] == entry.session and not found[OTHER]["user"]
    assert [table.gpu(one) for one in found.values()] == [
        f"bob, {entry.name}", "free", "its IOMMU group is shared"]


def test_what_is_parked_takes_nothing(settings: Settings) -> None:
    entries = [add(settings), add(settings, "bob", state=State.PARKED)]
    found = server.facts(settings, entries, ())
    assert (found["promised"], found["sessions"]) == (entries[0].memory, 1)


def test_volumes_that_prevent_parking_are_told(
        settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> None:
    place = tmp_path_factory.mktemp("media")
    offers = replace(settings, park_after=60, dir_mounts=(str(place),))
    for site, told in ((offers, True), (replace(offers, park_after=0), False),
                       (replace(offers, dir_mounts=(str(place / "none"),)), False)):
        assert (f"mount {place} by" in " ".join(server.facts(site, [], ())["warnings"])) == told
        assert any(one.name == "dir_mounts" for one in health.look(site)) == told


def test_versions(settings: Settings) -> None:
    found = server.versions(settings)
    assert found["remote-desktop"] == __version__
    assert found["Python"] == sys.version.split()[0].rstrip("+")
    assert re.fullmatch(r"\d+\.\d+\.\d+", found["QEMU"])
    assert re.fullmatch(r"\d+\.\d+\.\d+", found["websockify"])
    assert found["noVNC"] == ""
    without = server.versions(replace(settings, qemu_exec="no-qemu", dir_websockify="/none"))
    assert (without["QEMU"], without["websockify"]) == ("", "")


@pytest.mark.parametrize(("content", "version"), [
    ('{"version": "1.6.0"}', "1.6.0"), ("{", ""), ("[]", ""), ("{}", "")])
def test_novnc_says_its_own_version(settings: Settings, content: str, version: str) -> None:
    (settings.dir_novnc / "package.json").write_text(content)
    assert server.novnc(settings) == version


def test_novnc_of_debian(settings: Settings, tmp_path: Path) -> None:
    ours = replace(settings, dir_novnc=Path("/usr/share/novnc-without-package"))
    changelog = tmp_path / "novnc.gz"
    with gzip.open(changelog, "wt") as file:
        file.write("novnc (1:1.3.0-1) unstable; urgency=medium\n\n  * New.\n")
    place = str(tmp_path / "{}.gz")
    assert server.novnc(ours, place) == "1:1.3.0-1"
    assert server.novnc(settings, place) == "", "it is not Debian's"
    changelog.write_bytes(b"no gzip")
    assert server.novnc(ours, place) == ""
    changelog.unlink()
    assert server.novnc(ours, place) == ""
