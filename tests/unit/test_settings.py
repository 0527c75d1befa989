"""The table of settings: defaults, the file, overrides; every mistake is named."""

from dataclasses import replace
from pathlib import Path

import pytest

from desktop import configuration, settings
from desktop.errors import Refusal
from desktop.settings import Settings


def test_defaults_are_safe() -> None:
    nothing = Settings()
    assert not nothing.allow_unauthenticated and not nothing.check_user_with_htpasswd
    assert nothing.service_use_vnc_token and nothing.user_admin == ()


def test_file_is_read(tmp_path: Path) -> None:
    file = tmp_path / "desktop.ini"
    file.write_text("# a comment\n\nservice_max_instance_nb = 3\nuser_admin=ann, bob\n"
                    "dir_mounts = /data:rw\nallow_unauthenticated = no\n")
    read = configuration.load({"REMOTE_DESKTOP_INI": str(file)}, {"service_max_load": "0"})
    assert (read.service_max_instance_nb, read.user_admin) == (3, ("ann", "bob"))
    assert (read.dir_mounts, read.service_max_load) == (("/data:rw",), 0)


@pytest.mark.parametrize("line, words", [
    ("snapshot_lifetme = 3", ["line 2", "snapshot_lifetme", "Did you mean snapshot_lifetime?"]),
    ("snapshot_lifetime = soon", ["line 2", "not a whole number"]),
    ("snapshot_lifetime = -1", ["line 2", "not at least 0"]),
    ("qemu_video = virtual", ["line 2", "not one of", "virtio"]),
    ("snapshot_lifetime", ["line 2", "expected name = value"]),
    ("machine = other.iso", ["line 2", "set twice"]),
])
def test_mistakes_name_the_line(tmp_path: Path, line: str, words: list[str]) -> None:
    file = tmp_path / "desktop.ini"
    file.write_text(f"machine = demo.iso\n{line}\n")
    with pytest.raises(Refusal) as refusal:
        configuration.read(file)
    assert refusal.value.status == 500
    assert all(word in str(refusal.value) for word in words), str(refusal.value)


@pytest.mark.parametrize("content", [None, b"\xff\xfe"])
def test_unreadable_file(tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "desktop.ini"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(Refusal, match="cannot be read"):
        configuration.load({"REMOTE_DESKTOP_INI": str(file)})


def test_a_request_without_its_file_gets_no_defaults(monkeypatch: pytest.MonkeyPatch,
                                                     tmp_path: Path) -> None:
    monkeypatch.setattr(configuration, "INSTALLED_FILE", tmp_path / "absent.ini")
    with pytest.raises(Refusal, match="cannot be read"):
        configuration.load({"GATEWAY_INTERFACE": "CGI/1.1"})
    assert configuration.load({"HOME": "/home/ann"}).dir_machines == settings.ROOT / "machines"


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    some = replace(configuration.by_hand({"HOME": "/home/ann"}), user_admin=("ann", "bob"),
                   service_max_load=0.5, service_use_vnc_token=False)
    configuration.write(some, tmp_path / "settings.ini")
    assert configuration.read(tmp_path / "settings.ini") == some


def test_all_mistakes_of_a_file_are_told(tmp_path: Path) -> None:
    file = tmp_path / "desktop.ini"
    file.write_text("machine = tiny.iso\nsnapshot_memory = 512\nservice_max_load = much\nend\n")
    unknown, wrong, broken = configuration.mistakes(file)
    assert f"{file} line 2: unknown setting 'snapshot_memory'." == unknown.message
    assert "snapshot_alloc_mem" in unknown.hint
    assert f"{file} line 3: service_max_load = 'much' is not a number." == wrong.message
    assert f"{file} line 4: expected name = value, found 'end'." == broken.message
    file.write_text("machine = tiny.iso\n")
    assert not configuration.mistakes(file)
