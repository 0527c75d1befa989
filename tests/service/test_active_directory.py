"""People of a real Active Directory domain: what slapd does not have, and how it is spelled."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from service.authority import Authority
from service.installation import short_directory

ROOT = Path(__file__).resolve().parents[2]
USERS = "CN=Users,DC=ad,DC=test"
FILTER = ("(&(objectCategory=person)(|(sAMAccountName={user})(userPrincipalName={user})"
          "(mail={user})))")
OUTER = {"ldap_group": f"CN=outer,{USERS}"}
ALONE = {"ldap_bind_dn": "", "ldap_admin_group": f"CN=outer,{USERS}"}
GRACE = {"accepted": True, "name": "grace", "method": "ldap", "admin": False,
         "mail": "grace@example.org"}
ALAN = {**GRACE, "name": "alan", "mail": "alan@example.org"}
NOBODY = {"accepted": False, "name": "", "method": "", "admin": False, "mail": ""}
# Name, password, changes of settings, and what comes of it.
CASES: list[tuple[str, str, dict[str, str], dict[str, Any]]] = [
    ("GRACE", "Grace-secret1", {}, GRACE),
    ("grace", "Grace-secret2", {}, NOBODY),
    ("nobody", "Grace-secret1", {}, NOBODY),
    ("gone", "Gone-secret1", {}, NOBODY),
    ("grace@ad.test", "Grace-secret1", {"ldap_filter": FILTER}, GRACE),
    ("grace@example.org", "Grace-secret1", {"ldap_filter": FILTER, "ldap_tls": "ldaps"}, GRACE),
    ("grace", "Grace-secret1", OUTER, GRACE),
    ("alan", "Alan-secret1", OUTER, NOBODY),
    ("grace", "Grace-secret1", {"ldap_group": f"CN=other,{USERS}"}, NOBODY),
    ("grace", "Grace-secret1", {**ALONE, "ldap_template": "{user}@ad.test"},
     {**GRACE, "admin": True}),
    ("grace", "Alan-secret1", {**ALONE, "ldap_template": "{user}@ad.test"}, NOBODY),
    ("alan", "Alan-secret1", {**ALONE, "ldap_template": "ADT\\{user}"}, ALAN),
    ("alan", "Alan-secret1", {**ALONE, "ldap_template": f"CN={{user}},{USERS}"}, ALAN),
    ("grace", "Grace-secret1", {"ldap_bind_dn": ""}, {"refused": "No ldap_server has answered."}),
    ("grace", "Grace-secret1", {"ldap_tls": "none"}, {"refused": "No ldap_server has answered."})]


@pytest.fixture
def place() -> Iterator[Path]:
    """A directory for the domain."""
    directory = short_directory()
    yield directory
    shutil.rmtree(directory)


def logs(place: Path) -> str:
    """Return the last words of what ran there."""
    return "\n".join(path.read_text()[-2000:] for path in place.glob("*.log"))


@pytest.mark.skipif(os.geteuid() != 0, reason="a domain needs its own ports below 1024")
def test_a_domain(place: Path, authority: Authority) -> None:
    shown = authority.certify("domain")
    done = subprocess.run(
        ["unshare", "--mount", "--net", "--pid", "--fork", "--kill-child", "--mount-proc",
         sys.executable, "-m", "service.domain"], cwd=ROOT / "tests", text=True, timeout=240,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT / "lib")}, check=False,
        capture_output=True, input=json.dumps({
            "directory": str(place), "questions": [case[:3] for case in CASES],
            "certificate": [str(shown.file), str(shown.key), str(authority.ca)]}))
    assert done.returncode == 0, done.stderr + logs(place)
    for (user, password, changes, expected), found in zip(CASES, json.loads(done.stdout)):
        assert found == expected, (user, password, changes)
