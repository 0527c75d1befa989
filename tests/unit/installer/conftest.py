"""Makes the modules of apache/installer known, as its directory does when it is run."""

import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).resolve().parents[3] / "apache/installer"))


@pytest.fixture(autouse=True)
def ports_conf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Have a ports.conf that is not this computer's; as long as it is not written, Debian's."""
    import ports
    path = tmp_path / "ports.conf"
    monkeypatch.setattr(ports, "PORTS", path)
    return path
