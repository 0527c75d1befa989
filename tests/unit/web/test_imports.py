"""What a request costs that signs nobody in: it does not load what only a sign-in needs."""

import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlencode

import pytest
from asking import FORM, Make, environ

from desktop import configuration
from desktop.auth import chain
from desktop.auth.credentials import Verdict
from desktop.settings import ROOT, Settings
from desktop.web import login

SIGN_IN = {"ldap3", "imapclient", "imaplib", "smtplib", "ssl", "bcrypt"}
METHODS = ("ldap", "imap", "smtp")


@pytest.fixture
def asking(settings: Settings, tmp_path: Path) -> Settings:
    """Settings with each server on, none of which is there."""
    settings.dir_machines.mkdir()
    ours = replace(settings, dir_html=ROOT / "html", check_user_with_htpasswd=False,
                   check_user_with_ldap=True, ldap_server=("127.0.0.1:1",), ldap_tls="none",
                   ldap_domain="example.org", check_user_with_imap=True, imap_server="127.0.0.1",
                   imap_port=1, check_user_with_smtp=True, smtp_server="127.0.0.1", smtp_port=1)
    configuration.write(ours, tmp_path / "desktop.ini")
    return ours


def loaded(ini: Path, script: str, stdin: bytes = b"", **variables: str) -> tuple[str, set[str]]:
    """Return what a script answers, and the packages that it has loaded."""
    done = subprocess.run(
        [sys.executable, "-X", "importtime", ROOT / "cgi-bin" / f"{script}.py"], input=stdin,
        capture_output=True, timeout=60, cwd="/", check=True,
        env={"PATH": os.environ["PATH"], "REMOTE_DESKTOP_INI": str(ini), **variables})
    names = re.findall(r"^import time:.*\| +([\w.]+)$", done.stderr.decode(), re.MULTILINE)
    assert "desktop" in names
    return done.stdout.decode(), {name.partition(".")[0] for name in names}


@pytest.mark.parametrize("script", ["create", "monitor"])
@pytest.mark.parametrize("method", METHODS)
def test_somebody_who_has_signed_in(ask: Make, asking: Settings, tmp_path: Path, script: str,
                                    method: str) -> None:
    cookie = login.cookie(ask(), asking, Verdict(True, "ann", method),
                          chain.standing(asking, method, "ann") or "").partition(";")[0]
    answer, packages = loaded(tmp_path / "desktop.ini", script, **environ(
        HTTP_COOKIE=cookie, SCRIPT_NAME=f"/desktop/{script}"))
    assert answer.startswith("Status: 200") and "ann" in answer
    assert not packages & SIGN_IN


def test_a_stranger(asking: Settings, tmp_path: Path) -> None:
    answer, packages = loaded(tmp_path / "desktop.ini", "create", **environ())
    assert answer.startswith("Status: 200") and not packages & SIGN_IN


def test_whoever_signs_in(asking: Settings, tmp_path: Path) -> None:
    body = urlencode({"action": "signin", "user": "ann", "password": "x"}).encode()
    answer, packages = loaded(tmp_path / "desktop.ini", "monitor", body, **environ(
        REQUEST_METHOD="POST", CONTENT_TYPE=FORM, CONTENT_LENGTH=str(len(body)),
        SCRIPT_NAME="/desktop/monitor", HTTP_ORIGIN="http://desktop.example.org"))
    assert answer.startswith("Status: 503") and packages >= {"ldap3", "imapclient", "smtplib"}
