"""The settings file, and what it names: the wrong is refused, with line and right word."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from service.installation import Installation

WRONG = [("qemu_exc = qemu", "qemu_exc", "qemu_exec"), ("machine", "=", ""),
         ("service_max_load = many", "service_max_load", ""),
         ("snapshot_alloc_cpu = 0", "snapshot_alloc_cpu", ""),
         ("qemu_video = virtoi", "qemu_video", "virtio"),
         ("allow_unauthenticated = perhaps", "allow_unauthenticated", ""),
         ("machine = a\nmachine = b", "machine", "twice")]


@pytest.mark.parametrize(("line", "name", "hint"), WRONG)
def test_a_wrong_line_is_named(site: Installation, line: str, name: str, hint: str) -> None:
    before = site.ini.read_text().count("\n")
    with site.ini.open("a") as file:
        file.write(f"# a remark\n{line}\n")
    number = before + 1 + len(line.splitlines())
    for said in (site.script("create.py").stderr, site.script("monitor.py").stderr,
                 site.script("admin.py", "--housekeeping=1").stderr):
        assert f"line {number}" in said or hint == "twice", said
        assert name in said and hint in said
        assert "Traceback" not in said
    reply = site.stranger().get("monitor")
    assert reply.status == 500
    assert "Traceback" not in reply.text


def test_a_file_that_cannot_be_read(site: Installation) -> None:
    site.ini.chmod(0o600)
    reply = site.stranger().get("create", Accept="application/json")
    assert reply.status == 500 and "settings" in reply.json["message"]
    site.ini.write_bytes(b"machine = \xff\n")
    site.ini.chmod(0o644)
    assert site.stranger().get("create").status == 500
    site.ini.unlink()
    assert site.stranger().get("create").status == 500


def test_without_a_way_to_sign_in_nobody_comes_in(site: Installation) -> None:
    site.configure(check_user_with_htpasswd=0)
    for person in (site.stranger("ada"), site.stranger()):
        for reply in (person.try_create(user=person.name, password=person.password),
                      person.get("monitor"), person.try_create()):
            assert reply.status in (401, 403), str(reply)
    assert not site.directories()


def test_open_to_all_is_said_and_keeps_people_apart(site: Installation) -> None:
    site.configure(check_user_with_htpasswd=0, allow_unauthenticated=1)
    one, other = site.stranger(), site.stranger()
    offer = one.get("create", Accept="application/json").json
    assert offer["service"]["open"] and offer["service"]["notices"]
    desktop = one.create()
    assert [entry["session"] for entry in one.sessions()] == [desktop.id]
    assert other.sessions() == []
    assert other.stop(desktop.id).status == 404
    for page in (one.get("monitor"), other.get("monitor"),
                 one.get(f"monitor?session={desktop.id}"),
                 one.post("create", {"machine": "no.such", "terms": "1"})):
        assert any(notice[:20] in page.text for notice in offer["service"]["notices"])
    assert one.get("admin").status == 403
    site.configure(check_user_with_htpasswd=1)
    assert one.get("monitor").status == 401, "a guest's cookie ends with the open service"


def test_a_missing_novnc_is_said(site: Installation) -> None:
    site.configure(dir_novnc="/nonexistent")
    reply = site.person().try_create()
    assert reply.status == 500 and "vnc.html" in reply.json["message"]
    assert not site.directories()


def test_a_qemu_without_the_device_refuses_before(site: Installation) -> None:
    fake = site.directory / "qemu-without"
    real = shutil.which("qemu-system-x86_64")
    fake.write_text(f"#!/bin/sh\ncase \"$*\" in *-device*help*) {real} \"$@\" | grep -v qxl ;;\n"
                    f"*) exec {real} \"$@\" ;; esac\n")
    fake.chmod(0o755)
    site.configure(qemu_exec=fake)
    reply = site.person().try_create(video="qxl")
    assert reply.status in (400, 409) and "qxl" in reply.json["message"], str(reply)
    assert not site.directories()
    site.person().create(video="std")


def test_more_than_the_machine_takes_is_refused_before(site: Installation) -> None:
    ada = site.person()
    for fields in ({"cpu": "250"}, {"memory": "900000"}):
        assert ada.try_create(**fields).status in (400, 503), fields
    site.add_machine("little.raw", memory_max=64, cpu_max=1, memory=48)
    assert ada.try_create(machine="little.raw", memory="65").status == 400
    assert ada.try_create(machine="little.raw", cpu="2").status == 400
    desktop = ada.create(machine="little.raw", without=["memory"])
    assert site.record(desktop.id)["memory"] == 48


def qemu_img(*words: str | Path) -> None:
    subprocess.run(["qemu-img", *words], check=True, capture_output=True)


def test_masters_that_point_elsewhere_are_refused(site: Installation) -> None:
    folder = site.machines
    qemu_img("create", "-f", "qcow2", "-F", "raw", "-b", folder / "empty.raw",
             folder / "backed.qcow2")
    qemu_img("create", "-f", "qcow2", "-o", f"data_file={folder}/data.bin,data_file_raw=on",
             folder / "split.qcow2", "1M")
    qemu_img("create", "-f", "vmdk", "-o", "subformat=monolithicFlat", folder / "flat.vmdk", "1M")
    qemu_img("create", "-f", "qcow2", folder / "truncated.qcow2", "1M")
    os.truncate(folder / "truncated.qcow2", 60)
    shutil.copy(folder / "empty.raw", folder / "wrong.qcow2")
    (folder / "nothing.iso").write_bytes(b"")
    qemu_img("create", "-f", "qcow2", folder / "disguised.raw", "1M")
    bad = ["backed.qcow2", "split.qcow2", "flat.vmdk", "truncated.qcow2", "wrong.qcow2",
           "nothing.iso", "disguised.raw"]
    for path in folder.iterdir():
        path.chmod(0o644)
    try:
        offered = {one["name"]: one["problem"] for one in
                   site.person().get("create", Accept="application/json").json["machines"]}
        for name in bad:
            assert offered.get(name), f"{name}: {offered.get(name)}"
            reply = site.person().try_create(machine=name)
            assert reply.status in (400, 404, 409), f"{name} {reply}"
            assert reply.json["message"]
        assert not site.directories()
    finally:
        for name in [*bad, "data.bin", "flat-flat.vmdk"]:
            (folder / name).unlink(missing_ok=True)


def test_a_master_changed_under_a_session_gets_no_new_ones(site: Installation) -> None:
    path = site.add_machine("changing.raw")
    desktop = site.person().create(machine="changing.raw")
    path.write_bytes(b"\1" * (1 << 20))
    reply = site.person().try_create(machine="changing.raw")
    assert reply.status in (409, 503), str(reply)
    overview = site.person("root").get("monitor", Accept="application/json").text
    assert "changing" in json.dumps(json.loads(overview)["host"]["warnings"]), overview
    desktop.stop()
    site.person().create(machine="changing.raw")
    path.unlink()
