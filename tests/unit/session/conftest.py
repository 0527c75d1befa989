"""Records and settings in a directory of the test's own."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from samples import Maker, sample

from desktop import configuration
from desktop.session import record
from desktop.session.paths import Paths
from desktop.settings import Settings


@pytest.fixture
def site(tmp_path: Path) -> Settings:
    """Return settings whose directories are the test's own."""
    for name in ("cfg", "snap", "log", "parked"):
        (tmp_path / name).mkdir(mode=0o700)
    return replace(Settings(), dir_cfg=tmp_path / "cfg", dir_snapshots=tmp_path / "snap",
                   dir_log=tmp_path / "log", dir_state=tmp_path / "state",
                   dir_parked=tmp_path / "parked")


@pytest.fixture
def make(site: Settings) -> Maker:
    """Return a function that writes a session as it would lie there."""
    def write(**facts: Any) -> Paths:
        entry = sample(**facts)
        paths = Paths(site.dir_cfg / entry.session)
        paths.directory.mkdir(mode=0o700)
        configuration.write(site, paths.settings)
        record.write(paths.directory, entry)
        disk = site.dir_snapshots / entry.session
        disk.mkdir()
        (disk / "disk.qcow2").touch()
        return paths
    return write
