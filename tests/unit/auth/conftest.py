"""Settings with two accounts, as cheap as bcrypt can be."""

from pathlib import Path

import bcrypt
import pytest

from desktop.auth import htpasswd
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
