"""What a request does without: libraries that take long to read and are for signing in alone."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from asking import environ

from desktop import configuration
from desktop.auth.credentials import Verdict
from desktop.settings import ROOT, Settings
from desktop.web import login, request

FOR_SIGNING_IN = {"ldap3", "imapclient", "imaplib", "smtplib"}


@pytest.mark.parametrize("name", ["create", "monitor"])
@pytest.mark.parametrize("method", ["htpasswd", "ldap", "imap", "smtp"])
def test_who_is_remembered_needs_no_server(settings: Settings, tmp_path: Path, name: str,
                                           method: str) -> None:
    on = {f"check_user_with_{one}": True for one in ("htpasswd", "ldap", "imap", "smtp", "email")}
    ours = replace(settings, **on)  # type: ignore[arg-type]
    settings.dir_machines.mkdir()
    configuration.write(ours, tmp_path / "desktop.ini")
    variables = environ(SCRIPT_NAME=f"/desktop/{name}", HTTP_ACCEPT="application/json",
                        REMOTE_DESKTOP_INI=str(tmp_path / "desktop.ini"))
    asked = request.read(variables, sys.stdin.buffer)
    from desktop.auth import chain
    standing = chain.standing(ours, method, "ada")
    assert standing is not None
    variables["HTTP_COOKIE"] = login.cookie(asked, ours, Verdict(True, "ada", method),
                                            standing).partition(";")[0]
    done = subprocess.run([sys.executable, "-X", "importtime", ROOT / f"cgi-bin/{name}.py"],
                          env=variables, capture_output=True, text=True, check=False)
    assert done.stdout.startswith("Status: 200"), done
    assert name == "monitor" or '"name": "ada"' in done.stdout
    imported = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert "desktop.auth.chain" in imported and not FOR_SIGNING_IN & imported
