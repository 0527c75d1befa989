"""What an administrator is told of a computer and its settings: of this one, and of bad ones."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from desktop.errors import Refusal
from desktop.finding import Finding
from desktop.host import surroundings
from desktop.settings import Settings
from desktop.web import doctor, health


@pytest.fixture
def ours(settings: Settings) -> Settings:
    """Return settings whose directories are there, with an image to start."""
    for path in (settings.dir_machines, settings.dir_cfg, settings.dir_snapshots,
                 settings.dir_state, settings.dir_log):
        path.mkdir(exist_ok=True)
    (settings.dir_machines / "empty.raw").write_bytes(bytes(1 << 20))
    return replace(settings, machine="empty.raw", host_disk_reserve=0)


def one(found: Iterator[Finding]) -> Finding:
    """Return the only thing that was found."""
    [finding] = found
    return finding


def test_everything_is_looked_at(ours: Settings) -> None:
    found = list(health.look(ours))
    names = [finding.name for finding in found]
    for name in ("KVM", "QEMU", "UEFI", "passt", "noVNC", "websockify", "directories", "disk",
                 "machines", "IOMMU", "GPU", "htpasswd", surroundings.NAME):
        assert name in names, names
    assert all(finding.text and finding.verdict in ("good", "note", "BAD") for finding in found)
    assert all(finding.cure for finding in found if not finding.good)


def test_a_server_without_kvm_is_good(ours: Settings) -> None:
    found = one(health.kvm(replace(ours, qemu_accel="tcg")))
    assert (found.verdict, found.text) == ("good", "not used: the setting qemu_accel says so")
    found = one(health.kvm(ours))
    assert found.good and (found.cure == "" or "slow" in found.text)


def test_qemu(ours: Settings) -> None:
    assert one(health.program(ours)).good
    assert "all devices" in one(health.program(ours)).text
    with pytest.raises(Refusal):
        list(health.program(replace(ours, qemu_exec="/none/qemu")))
    bad = next(finding for finding in health.look(replace(ours, qemu_exec="/none/qemu"))
               if "/none/qemu" in finding.text)
    assert not bad.good and "qemu_exec" in bad.cure


def test_a_qemu_that_lacks_something(ours: Settings, tmp_path: Path) -> None:
    program = tmp_path / "qemu"
    for version, devices, words in (("6.1.0", "VGA", "without ide-cd"), ("7.1.0", "", "too old")):
        names = devices or " ".join(health.needed(ours))
        program.write_text(f'#!/bin/sh\n[ $1 = -version ] && echo "version {version}"\n'
                           f'for n in {names}; do echo "name \\"$n\\", bus PCI"; done\n')
        program.chmod(0o755)
        found = one(health.program(replace(ours, qemu_exec=str(program))))
        assert not found.good and words in found.text and version in found.text


def test_what_machines_reach(ours: Settings) -> None:
    found = one(health.card(replace(ours, guest_network="none")))
    assert (found.verdict, found.text) == ("good", "not used: guest_network = none")
    found = one(health.card(ours))
    assert found.good or "apt install passt" in found.cure or "/dev/net/tun" in found.cure


def test_no_viewer(ours: Settings, tmp_path: Path) -> None:
    bad, library = health.viewer(replace(ours, dir_novnc=tmp_path))
    assert not bad.good and "no vnc.html" in bad.text and "apt install novnc" in bad.cure
    (tmp_path / "vnc.html").touch()
    assert next(health.viewer(replace(ours, dir_novnc=tmp_path))).good and library.good


def test_directories(ours: Settings, tmp_path: Path) -> None:
    assert next(health.directories(ours)).good
    bad = next(health.directories(replace(ours, dir_log=tmp_path / "none")))
    assert not bad.good and f"dir_log = {tmp_path}/none" in bad.text
    assert "dir_cfg" not in bad.text


def test_disk(ours: Settings) -> None:
    assert one(health.disk(ours)).good
    full = one(health.disk(replace(ours, host_disk_reserve=1e9)))
    assert not full.good and "host_disk_reserve" in full.cure


def test_machines(ours: Settings) -> None:
    assert one(health.machines(ours)).text == f"1 can be started from {ours.dir_machines}"
    (ours.dir_machines / "broken.qcow2").write_bytes(b"QFI\xfb")
    found = list(health.machines(replace(ours, machine="broken.qcow2")))
    assert [finding.verdict for finding in found] == ["good", "note", "note"]
    assert found[1].text.startswith("broken.qcow2: ") and "machine = empty.raw" in found[2].cure
    (ours.dir_machines / "empty.raw").unlink()
    assert not next(health.machines(ours)).good
    with pytest.raises(Refusal):
        list(health.machines(replace(ours, dir_machines=ours.dir_machines / "none")))


def test_apache_is_found_by_its_pid(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "APACHE", tmp_path / "apache2.pid")
    assert health.apache() == surroundings.SELF
    for text, process in (("1\n", Path("/proc/1")), ("x", surroundings.SELF),
                          ("4194305", surroundings.SELF)):
        (tmp_path / "apache2.pid").write_text(text)
        assert health.apache() == process


def test_what_a_server_says_moves_no_cursor(capsys: pytest.CaptureFixture[str]) -> None:
    doctor.as_lines([Finding("ldap", "it says \x1b[2J\nldap good", False, "ü \u202e")])
    assert capsys.readouterr().out == ("ldap          BAD      it says ?[2J?ldap good\n"
                                       "              to do    ü ?\n")
