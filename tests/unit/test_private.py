"""Whose a directory must be to be believed."""

import os
from pathlib import Path

import pytest

from desktop import private


@pytest.mark.parametrize("mode, ours", [
    (0o700, True), (0o755, True), (0o720, False), (0o702, False), (0o1777, False)])
def test_nobody_else_may_write(tmp_path: Path, mode: int, ours: bool) -> None:
    tmp_path.chmod(mode)
    assert private.ours(tmp_path) is ours


@pytest.mark.skipif(os.geteuid() != 0, reason="gives a directory away")
def test_it_is_nobody_elses(tmp_path: Path) -> None:
    os.chown(tmp_path, 65534, 65534)
    assert not private.ours(tmp_path)


def test_one_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        private.ours(tmp_path / "none")
