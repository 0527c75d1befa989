"""What is on offer, to whom, and what is wrong with the rest."""

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from desktop.errors import Refusal
from desktop.machine import catalogue, firmware
from desktop.machine.descriptor import Machine
from desktop.machine.image import Format
from desktop.settings import Settings


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Return settings with an empty directory of machines."""
    (tmp_path / "machines").mkdir()
    return Settings(dir_machines=tmp_path / "machines", dir_state=tmp_path / "state")


def add(settings: Settings, name: str, descriptor: str | None = None) -> Path:
    """Add a raw image, and its descriptor."""
    path = settings.dir_machines / name
    path.write_bytes(bytes(512))
    if descriptor is not None:
        path.with_suffix(".ini").write_text(descriptor)
    return path


def one(settings: Settings) -> Machine:
    """Return the only machine on offer."""
    (machine,) = catalogue.offered(settings, "ann")
    return machine


def test_an_image_alone_is_a_machine(settings: Settings) -> None:
    add(settings, "box.raw")
    machine = one(settings)
    assert (machine.name, machine.title, machine.problem) == ("box.raw", "box", "")
    assert (machine.format, machine.chipset, machine.firmware) == (Format.RAW, "q35", "bios")
    assert (machine.disk_bus, machine.network_card, machine.video) == ("virtio", "virtio", None)


def test_a_descriptor_says_more(settings: Settings) -> None:
    add(settings, "box.img", "# a comment\n\n title = My = box, 2\ndescription=\ncpu = 2\n"
        "cpu_max=4\nmemory_max = 2048\nusers = ann, bob\nicon = box.svg\nos = linux\n")
    machine = one(settings)
    assert (machine.title, machine.description, machine.cpu, machine.cpu_max) == (
        "My = box, 2", "", 2, 4)
    assert machine.users == ("ann", "bob")
    assert machine.problem == ""


@pytest.mark.parametrize("name, format", [
    ("a.iso", "iso"), ("a.ISO", "iso"), ("a.qcow2", "qcow2"), ("a.vdi", "vdi"), ("a.vmdk", "vmdk"),
    ("a.vhd", "vpc"), ("a.vhdx", "vhdx"), ("a.qed", "qed"), ("a.raw", "raw"), ("a.b.img", "raw")])
def test_the_ending_tells_the_format(settings: Settings, name: str, format: str) -> None:
    add(settings, name)
    assert one(settings).format == format


@pytest.mark.parametrize("name", ["a.ini", "a.txt", "iso", ".a.iso", "a.iso.part", "a.iso~"])
def test_other_files_are_no_machines(settings: Settings, name: str) -> None:
    add(settings, name)
    assert catalogue.offered(settings, "ann") == []


def test_a_descriptor_may_tell_the_format(settings: Settings) -> None:
    add(settings, "a.img", "format = qcow2")
    assert one(settings).problem == "it is raw, not qcow2"


@pytest.mark.parametrize("text, words", [
    ("cpu", "box.ini line 1: expected name = value, found 'cpu'"),
    ("\ncpus = 2", "box.ini line 2: 'cpus' is not known; did you mean cpu"),
    ("cpu = 0", "line 1: cpu = '0' is not between 1 and 255"),
    ("cpu = 256", "line 1: cpu = '256'"),
    ("cpu = ٣", "line 1: cpu = '٣' is not a whole number"),
    ("memory = 2G", "line 1: memory = '2G' is not a whole number"),
    ("disk = nan", "line 1: disk = 'nan' is not a number"),
    ("hidden = maybe", "line 1: hidden = 'maybe' is not 1 or 0"),
    ("os = Windows", "line 1: os = 'Windows' is not one of linux, windows, other; did you mean"),
    ("video = vga", "line 1: video = 'vga' is not one of"),
    ("title = a\ntitle = b", "line 2: title is set twice"),
    ("name = x", "line 1: 'name' is not known"),
    ("problem = x", "line 1: 'problem' is not known"),
    ("cpu = 4\ncpu_max = 2", "cpu above cpu_max"),
    ("disk_bus = ide", "disk_bus ide, which needs chipset pc"),
    ("disk = 5", "only for an ISO"),
    ("url = example.org/box.raw", "is not an address such as https:"),
    ("url = ftp://example.org/box.raw", "is not an address"),
    ("url = file:///etc/passwd", "is not an address"),
    ("url = https://", "is not an address"), ("url = https://[::1/x", "is not an address"),
    ("url = https://ann:secret@example.org/x", "without a password"),
    ("url = https://example.org/a b", "is not an address"),
    ("sha256 = abc", "is not the 64 hexadecimal digits"),
    (f"sha256 = {'g' * 64}", "is not the 64 hexadecimal digits")])
def test_a_wrong_descriptor_is_the_machine_s_problem(settings: Settings, text: str,
                                                     words: str) -> None:
    add(settings, "box.raw", text)
    assert words in one(settings).problem


def test_a_descriptor_of_other_bytes_is_a_problem(settings: Settings) -> None:
    add(settings, "box.raw")
    (settings.dir_machines / "box.ini").write_bytes(b"title = caf\xe9\n")
    assert one(settings).problem == "box.ini is not UTF-8"


def test_uefi_that_is_not_installed_is_a_problem(settings: Settings,
                                                 monkeypatch: pytest.MonkeyPatch) -> None:
    add(settings, "box.raw", "firmware = uefi")
    monkeypatch.setattr(firmware, "PAIRS", ())
    assert "package ovmf" in one(settings).problem


@pytest.mark.parametrize("os_name, chipset, expected", [
    ("windows", "q35", ("std", "sata", "e1000e")), ("windows", "pc", ("std", "ide", "e1000")),
    ("other", "q35", ("std", "sata", "e1000")), ("linux", "pc", (None, "virtio", "virtio"))])
def test_the_system_picks_safe_devices(settings: Settings, os_name: str, chipset: str,
                                       expected: tuple[str | None, ...]) -> None:
    add(settings, "box.raw", f"os = {os_name}\nchipset = {chipset}")
    machine = one(settings)
    assert (machine.video, machine.disk_bus, machine.network_card) == expected


def test_hidden_machines_are_nobody_s(settings: Settings) -> None:
    add(settings, "box.raw", "hidden = yes")
    assert catalogue.offered(settings, "ann", admin=True) == []
    with pytest.raises(Refusal) as refusal:
        catalogue.find(settings, "box.raw", "ann", admin=True)
    assert refusal.value.status == 404


def test_a_machine_may_be_some_people_s(settings: Settings) -> None:
    add(settings, "box.raw", "users = bob")
    assert catalogue.find(settings, "box.raw", "bob").name == "box.raw"
    assert catalogue.find(settings, "box.raw", "root", admin=True).name == "box.raw"
    with pytest.raises(Refusal, match="There is no machine 'box.raw'") as refusal:
        catalogue.find(settings, "box.raw", "ann")
    assert "Did you mean" not in str(refusal.value)


@pytest.mark.parametrize("name", ["", ".", "..", "../box.raw", "./box.raw", "box.raw\0",
                                  "box.raw\n", "BOX.RAW", "box.ini", "machines/box.raw",
                                  "/etc/passwd"])
def test_only_a_listed_name_is_found(settings: Settings, name: str) -> None:
    add(settings, "box.raw", "")
    with pytest.raises(Refusal) as refusal:
        catalogue.find(settings, name, "ann")
    assert refusal.value.status == 404


def test_a_near_name_is_hinted(settings: Settings) -> None:
    add(settings, "debian.raw")
    with pytest.raises(Refusal, match="Did you mean debian.raw"):
        catalogue.find(settings, "debain.raw", "ann")


def test_a_machine_with_a_problem_cannot_be_had(settings: Settings) -> None:
    add(settings, "box.qcow2")
    with pytest.raises(Refusal, match="it is raw, not qcow2") as refusal:
        catalogue.find(settings, "box.qcow2", "ann")
    assert refusal.value.status == 409


def test_commas_dashes_and_blanks_are_only_characters(settings: Settings) -> None:
    for name in ("-a,readonly=off.raw", "ä b.raw"):
        add(settings, name)
        assert catalogue.find(settings, name, "ann").problem == ""


@pytest.mark.parametrize("name", [b"a\nb.raw", b"a\x1b[2Jb.raw", b"caf\xe9.raw",
                                  "a\u202eb.raw".encode()])
def test_names_that_cannot_be_printed_are_a_problem(settings: Settings, name: bytes) -> None:
    Path(os.fsdecode(bytes(settings.dir_machines) + b"/" + name)).write_bytes(bytes(512))
    machine = one(settings)
    assert "cannot be printed" in machine.problem
    assert machine.name.isprintable() and machine.name.encode()
    with pytest.raises(Refusal):
        catalogue.find(settings, machine.name, "ann")


def test_a_link_to_an_image_is_a_machine(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "big.raw").write_bytes(bytes(512))
    (settings.dir_machines / "box.raw").symlink_to(tmp_path / "big.raw")
    assert one(settings).problem == ""


@pytest.mark.parametrize("target, words", [
    ("missing", "No such file"), ("box.raw", "Too many levels"), ("/tmp", "not a file"),
    ("/dev/null", "not a file")])
def test_other_links_are_a_problem(settings: Settings, target: str, words: str) -> None:
    (settings.dir_machines / "box.raw").symlink_to(target)
    assert words in one(settings).problem


def test_a_pipe_does_not_hang_the_listing(settings: Settings) -> None:
    os.mkfifo(settings.dir_machines / "box.raw")
    assert catalogue.offered(settings, "ann") == []


def test_an_image_that_everybody_can_write_is_a_problem(settings: Settings) -> None:
    add(settings, "box.raw").chmod(0o666)
    assert "everybody" in one(settings).problem


def test_without_the_directory_the_setting_is_named() -> None:
    with pytest.raises(Refusal, match="dir_machines"):
        catalogue.offered(Settings(dir_machines=Path("/nonexistent")), "ann")


def test_a_replaced_image_has_another_stamp(settings: Settings) -> None:
    add(settings, "box.raw")
    before = one(settings)
    os.utime(before.file, ns=(1, 1))
    assert one(settings).stamp != before.stamp


@given(st.text())
@hypothesis_settings(deadline=None, max_examples=60,
                     suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_descriptor_is_a_bug(settings: Settings, text: str) -> None:
    add(settings, "box.raw")
    (settings.dir_machines / "box.ini").write_bytes(text.encode("utf-8", "surrogatepass"))
    one(settings)


@given(st.text(max_size=300))
def test_no_name_is_a_bug(text: str) -> None:
    with pytest.raises(Refusal):
        catalogue.find(Settings(dir_machines=Path(__file__).parent), text, "ann")
