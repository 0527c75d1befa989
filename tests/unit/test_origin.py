"""Which pages may send a POST or open a websocket."""

from dataclasses import replace

import pytest

from desktop import origin
from desktop.settings import Settings

SITE = replace(Settings(), server_name="https://desk.example.org", server_aliases=("vm.lab:8080",))


@pytest.mark.parametrize("sender, host, cookie", [
    ("http://10.0.0.5", "10.0.0.5", True), ("https://Desk:8443", "desk:8443", True),
    ("https://desk.example.org", "inner", True), ("http://vm.lab:8080", "inner", True),
    (None, "inner", False)])
def test_our_pages_may(sender: str | None, host: str, cookie: bool) -> None:
    assert origin.problem(SITE, sender, host, cookie) == ""


@pytest.mark.parametrize("sender, host, cookie", [
    ("http://evil.example", "inner", False), ("null", "inner", False), ("", "", False),
    ("http://[", "inner", False),
    ("http://inner:81", "inner", True), ("inner", "inner", True), (None, "inner", True),
    ("http://vm.lab", "inner", True), ("http://inner@evil.example", "inner", True)])
def test_others_may_not(sender: str | None, host: str, cookie: bool) -> None:
    assert origin.problem(SITE, sender, host, cookie)
