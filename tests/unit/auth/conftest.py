"""Settings with two accounts, as cheap as bcrypt can be, and a clock for what is counted."""

from pathlib import Path

import bcrypt
import pytest
from clock import Clock

from desktop.auth import counters, email, htpasswd, throttle
from desktop.settings import Settings


def hashed(password: str, cost: int = 4) -> str:
    """Return the bcrypt hash of a password."""
    return bcrypt.hashpw(password.encode(), bcrypt.gensalt(cost)).decode()


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Return settings with the accounts of ada and bob."""
    monkeypatch.setattr(htpasswd, "COST", 4)
    path = tmp_path / "htpasswd"
    path.write_text(f"ada:{hashed('ada-secret')}\nbob:{hashed('bob-secret')}\n")
    return Settings(file_htpasswd=path, dir_state=tmp_path / "state",
                    check_user_with_htpasswd=True)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Return the clock by which everything is counted now."""
    made = Clock()
    for module in (email, counters, throttle):
        monkeypatch.setattr(module, "time", made)
    return made
