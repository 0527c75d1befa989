"""Requests made up from html/openapi.json, by schemathesis: as owner, as administrator, as nobody.

Whatever they are, the answers are as described, and no mistake of ours.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from service.installation import Installation

SECONDS = 30  # for each person
CONFIG = """\
[checks]
# 503 is no room or maintenance.
not_a_server_error.expected-statuses = ["2xx", "3xx", "4xx", 503]
# What a description cannot say: that there is such a session, that the terms are accepted.
positive_data_acceptance.enabled = false
missing_required_header.enabled = false
negative_data_rejection.expected-statuses = ["4xx", 503]
# It sends TRACE with a body, to which Apache itself says 413.
unsupported_method.enabled = false
# An action does not look at what it does not take, right or wrong.
[[operations]]
include-operation-id = "steer"
checks.negative_data_rejection.enabled = false
[[operations]]
include-operation-id = "administer"
checks.negative_data_rejection.enabled = false
"""
HOOKS = """\
import json, os, re
import schemathesis

KNOWN, SESSION = json.loads(os.environ["KNOWN"]), os.environ["SESSION"]

@schemathesis.hook
def map_body(context, body):
    # Whose name is missing is who they are; half of all sessions are there, and all machines
    # that are to be started: none is to be frozen here.
    if not isinstance(body, dict):
        return body
    body = dict(body)
    if not body.keys() & {"user", "password"}:
        body |= KNOWN
    if re.fullmatch("[a-m][a-z2-7]{25}", str(body.get("session"))):
        body["session"] = SESSION
    if "terms" in body and isinstance(body.get("machine"), str) and len(body["machine"]) <= 1024:
        body["machine"] = "empty.raw"
    if body.get("action") == "freeze":
        body["machine"] = "nothing.raw"
    return body

@schemathesis.hook
def map_query(context, query):
    return query and {name: SESSION if re.fullmatch("[a-m][a-z2-7]{25}", str(value)) else value
                      for name, value in query.items()}
"""


@pytest.mark.parametrize("name", ["ada", "root", ""])
def test_any_request(site: Installation, tmp_path: Path, name: str) -> None:
    """Send what fits the description and what does not, with a session, machines and a history."""
    site.configure(service_max_instance_nb=3, user_admin="root", auth_max_failures=0)
    place = site.state / "maintenance"
    mine, over = site.person("ada").create(), site.person("ada").create()
    site.pids(over.id)
    over.stop()
    (tmp_path / "schemathesis.toml").write_text(CONFIG)
    (tmp_path / "hooks.py").write_text(HOOKS)
    person = site.stranger(name)  # who may sign out: others' cookies are good for the next tests
    assert not name or person.sign_in().status == 303
    known = {"user": name, "password": person.password} if name else {}
    cookie = "; ".join(f"{key}={value}" for key, value in person.cookies.items())
    run = subprocess.run(
        [Path(sys.executable).with_name("schemathesis"), "--config-file",
         tmp_path / "schemathesis.toml", "run", f"{person.origin}/desktop/openapi.json",
         "--phases", "examples,coverage,fuzzing", "--max-examples", "40",
         "--max-time", str(SECONDS), "--seed", "7", "--workers", "2", "--tls-verify",
         site.goods.authority.ca, "--header", "Accept: application/json",
         "--header", f"Origin: {person.origin}", *(
             ["--header", f"Cookie: {cookie}"] if cookie else []),
         "--continue-on-failure", "--no-color", "--output-truncate", "false"],
        cwd=tmp_path, capture_output=True, text=True, check=False, timeout=4 * SECONDS, env={
            "PATH": os.environ["PATH"], "HOME": str(tmp_path), "PYTHONPATH": str(tmp_path),
            "SCHEMATHESIS_HOOKS": "hooks", "KNOWN": json.dumps(known), "SESSION": mine.id})
    assert run.returncode == 0, run.stdout[-20000:] + run.stderr
    assert "incident" not in site.server.errors()
    place.unlink(missing_ok=True)
