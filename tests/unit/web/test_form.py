"""What comes back from the form, and what it is told to offer."""

import io
import json
from dataclasses import replace
from typing import Any

import pytest
from asking import environ
from test_card import add

from desktop.errors import Refusal
from desktop.session.claim import Wish
from desktop.settings import Settings
from desktop.web import form, offer, request
from desktop.web.login import Person
from desktop.web.visit import Visit


def test_absent_fields_take_their_defaults() -> None:
    assert form.wish({}) == Wish()


def test_all_fields() -> None:
    assert form.wish({"machine": "a.iso", "cpu": "2", "memory": "512", "video": "std", "gpu": "0",
                      "persistent": "on", "lifetime": "3600", "form": "abc", "user": "ada"}) == (
        Wish(machine="a.iso", cpu=2, memory=512, video="std", gpu=False, persistent=True,
             lifetime=3600, form="abc"))


@pytest.mark.parametrize("name", ["cpu", "memory", "lifetime", "gpu", "persistent"])
@pytest.mark.parametrize("value", ["", " ", "1 ", "1.5", "1e3", "0x10", "1_000", "²", "٢", "１",
                                   "+1", "nan", "inf", "maybe", "9" * 16, "1,2", "None"])
def test_wrong_numbers(name: str, value: str) -> None:
    with pytest.raises(Refusal) as problem:
        form.wish({name: value})
    assert problem.value.status == 400 and name in problem.value.message


@pytest.mark.parametrize("fields", [
    {"machine": ""}, {"video": ""}, {"video": "vga"}, {"video": "std,romfile=/etc/passwd"},
    {"video": "STD"}])
def test_wrong_words(fields: dict[str, str]) -> None:
    with pytest.raises(Refusal) as problem:
        form.wish(fields)
    assert problem.value.status == 400


@pytest.mark.parametrize("fields", [{}, {"terms": ""}, {"terms": "0"}, {"terms": "off"},
                                    {"terms": "accepted"}])
def test_terms_are_checked_here(fields: dict[str, str]) -> None:
    with pytest.raises(Refusal) as problem:
        form.check_terms(fields)
    assert problem.value.status == 400


def test_terms_that_are_accepted() -> None:
    for word in ("on", "1", "true", "yes"):
        form.check_terms({"terms": word})


def offered(settings: Settings, person: Person | None) -> dict[str, Any]:
    """Return what somebody is offered."""
    visit = Visit(request.read(environ(), io.BytesIO()), settings)
    visit.person = person
    return offer.offer(visit)


def test_an_offer_to_a_stranger(settings: Settings) -> None:
    settings.dir_machines.mkdir(exist_ok=True)
    (settings.dir_machines / "disk.raw").write_bytes(b"\0" * (1 << 20))
    (settings.dir_machines / "bad.qcow2").write_bytes(b"\0" * 512)
    (settings.dir_machines / "adas.raw").write_bytes(b"\0" * (1 << 20))
    (settings.dir_machines / "adas.ini").write_text("users = ada\ncpu = 2\ncpu_max = 3\n"
                                                    "memory = 96\nmemory_max = 128\n")
    add(settings, "ada")
    found = offered(settings, None)
    json.dumps(found)
    assert found["person"] == {"name": None, "admin": False, "sign_out": None}
    assert found["enter"] == {"user": True, "password": True, "email": False}
    assert found["tickets"] == {"create": "", "signout": ""} and found["mine"] == []
    machines = {one["name"]: one for one in found["machines"] if one["name"] != "tiny.iso"}
    assert set(machines) == {"disk.raw", "bad.qcow2"}
    assert not machines["disk.raw"]["problem"] and machines["bad.qcow2"]["problem"]
    assert offered(settings, None)["form"] != found["form"]

    theirs = offered(settings, Person("ada", True, "htpasswd"))
    assert all(theirs["tickets"].values())
    [machine] = [one for one in theirs["machines"] if one["name"] == "adas.raw"]
    assert machine["cpu"] == {"default": 2, "max": 3}
    assert machine["memory"] == {"default": 96, "max": 128, "step": 32}
    assert theirs["enter"] == {"user": False, "password": False, "email": False}
    assert [one["machine"] for one in theirs["mine"]] == ["tiny.iso"]
    assert theirs["person"] == {"name": "ada", "admin": True, "sign_out": None}


def test_an_offer_of_little(settings: Settings) -> None:
    scarce = replace(settings, service_allow_persistent=False, allow_unauthenticated=True,
                     service_max_instance_nb=1, qemu_accel="kvm")
    scarce.dir_machines.mkdir(exist_ok=True)
    add(scarce, "bob")
    found = offered(scarce, Person("guest-x", False, "guest"))
    assert found["persistent"]["offered"] is False and found["persistent"]["reason"]
    assert found["service"]["open"] is True and found["service"]["notices"]
    assert found["free"]["sessions"] == 0 and "1" in found["free"]["reason"]
    mailed = replace(settings, check_user_with_email=True)
    assert offered(mailed, None)["persistent"]["offered"]
    alone = offered(replace(mailed, check_user_with_htpasswd=False), None)
    assert alone["enter"] == {"user": True, "password": False, "email": True}
    assert not alone["persistent"]["offered"] and "mailed" in alone["persistent"]["reason"]
