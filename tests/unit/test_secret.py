"""The service's own passwords, in files that others cannot read."""

from pathlib import Path

import pytest

from desktop import secret
from desktop.errors import Refusal


def test_a_line(tmp_path: Path) -> None:
    path = tmp_path / "passwd"
    path.touch(0o640)
    for text in ("pass word: ü", "pass word: ü\n", "pass word: ü\r\n"):
        path.write_text(text, encoding="utf-8", newline="")
        assert secret.read(path, "file_ldap_passwd") == "pass word: ü"


@pytest.mark.parametrize("mode", [0o644, 0o641, 0o642, 0o604])
def test_open_to_everybody(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "passwd"
    path.write_text("secret")
    path.chmod(mode)
    with pytest.raises(Refusal, match="open to everybody.*chmod 640") as problem:
        secret.read(path, "file_ldap_passwd")
    assert problem.value.status == 503 and "secret" not in str(problem.value)


@pytest.mark.parametrize("content", [
    b"", b"\n", b" ", b"a\nb", b"a\0", b"\xff", b"x" * 1025, b"x" * 2000])
def test_no_password(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "passwd"
    path.touch(0o600)
    path.write_bytes(content)
    with pytest.raises(Refusal, match="file_ldap_passwd"):
        secret.read(path, "file_ldap_passwd")


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(Refusal, match="No such file"):
        secret.read(tmp_path / "passwd", "file_ldap_passwd")
    with pytest.raises(Refusal, match="directory"):
        secret.read(tmp_path, "file_ldap_passwd")
