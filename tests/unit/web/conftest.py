"""What makes requests, and settings whose places are all in tmp_path."""

import io
from collections.abc import Mapping
from pathlib import Path

import bcrypt
import pytest
from asking import Make, environ, post
from hypothesis import settings as hypothesis_settings

from desktop.settings import Settings
from desktop.web import request
from desktop.web.request import Request

# No deadline: on a busy server the first example of anything is late.
hypothesis_settings.register_profile("patient", deadline=None)
hypothesis_settings.load_profile("patient")


@pytest.fixture
def ask() -> Make:
    """Return what makes a request of fields (a POST then) and headers."""
    def make(fields: Mapping[str, str] | None = None, **changes: str | None) -> Request:
        if fields is None:
            return request.read(environ(**changes), io.BytesIO())
        return request.read(*post(fields, **changes), fields=list(fields))
    return make


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Return settings with the accounts of ada, an administrator, and bob."""
    accounts = tmp_path / "htpasswd"
    accounts.write_text("".join(
        f"{name}:{bcrypt.hashpw(f'{name}-secret'.encode(), bcrypt.gensalt(4)).decode()}\n"
        for name in ("ada", "bob")))
    return Settings(dir_machines=tmp_path / "machines", dir_snapshots=tmp_path / "snapshots",
                    dir_cfg=tmp_path / "run", dir_state=tmp_path / "state",
                    dir_log=tmp_path / "log", file_htpasswd=accounts, user_admin=("ada",),
                    check_user_with_htpasswd=True, dir_mounts=())
