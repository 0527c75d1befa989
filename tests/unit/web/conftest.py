"""What makes requests, and settings whose places are all in tmp_path."""

import io
import logging
import sys
from collections.abc import Iterator, Mapping
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


@pytest.fixture(autouse=True)
def log_as_it_was() -> Iterator[None]:
    """Take back what a script does to the log."""
    handlers, level = logging.root.handlers[:], logging.root.level
    yield
    for handler in set(logging.root.handlers) - set(handlers):
        if isinstance(handler, logging.StreamHandler) and handler.stream is not sys.stderr:
            handler.stream.close()
    logging.root.handlers[:], logging.root.level = handlers, level


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
    novnc = tmp_path / "novnc"
    novnc.mkdir()
    (novnc / "vnc.html").touch()
    return Settings(dir_novnc=novnc, dir_machines=tmp_path / "machines",
                    dir_snapshots=tmp_path / "snapshots",
                    dir_cfg=tmp_path / "run", dir_state=tmp_path / "state",
                    dir_log=tmp_path / "log", file_htpasswd=accounts, user_admin=("ada",),
                    check_user_with_htpasswd=True, dir_mounts=())
