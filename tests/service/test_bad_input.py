"""What is wrong is refused clearly, and nothing is started or lost by it."""

import json
from urllib.parse import quote

import pytest
from service.installation import Installation
from service.person import Reply

from desktop.process import boottime

GOOD = {"machine": "empty.raw", "memory": "32", "persistent": "1", "terms": "1", "form": "f"}


def refused(reply: Reply, *statuses: int) -> None:
    """Check that this is a refusal in words, without anything of the inside in it."""
    assert reply.status in (statuses or (400,)), str(reply)
    if reply.headers.get_content_type() == "application/json":
        assert reply.json["message"]
    for word in ("Traceback", "File \"", "/lib/desktop", "incident <"):
        assert word not in reply.text
    assert reply.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("field", [
    "machine", "cpu", "memory", "video", "gpu", "persistent", "lifetime"])
def test_an_absent_field_takes_its_default_and_an_empty_one_is_refused(
        site: Installation, field: str) -> None:
    ada = site.person()
    refused(ada.try_create(**{field: ""}))
    assert not site.directories()
    desktop = ada.create(without=[field])
    record = site.record(desktop.id)
    defaults = {"machine": "empty.raw", "cpu": 1, "memory": 32, "video": "virtio", "gpu": [],
                "persistent": False}
    if field in defaults:
        assert record[field] == defaults[field]
    else:
        assert 86300 < record["deadline"] - boottime() <= 86400


NUMBERS = ["-1", "0", "1.5", "1e3", "0x10", "1,0", "+1", " 1", "1 ", "٣", "１", "१", "½", "one",
           "99999999999999999999999999", "1\n", "1;2", "nan", "inf", "true", "1_0"]
WRONG = {
    "cpu": [*NUMBERS, "256"],
    "memory": [*NUMBERS, "15", "1048576000"],
    "lifetime": [*NUMBERS, "86401"],
    "video": ["vga", "VIRTIO", "virtio,x=y", "std -device x", "none", "virtio\n"],
    "gpu": ["2", "yes please", "-1", "on,off"],
    "persistent": ["2", "maybe", "\x00"],
    "terms": ["0", "", "no", "2"],
}


@pytest.mark.parametrize("field", WRONG)
def test_wrong_values_are_refused(site: Installation, field: str) -> None:
    ada = site.person()
    for value in WRONG[field]:
        refused(ada.try_create(**{field: value}))
    assert not site.directories()


MACHINES = ["nothing.iso", "../machines/empty.raw", "./empty.raw", "/etc/passwd", "empty.raw/",
            "..", ".", "empty.raw\n", "empty.raw\0", "empty.raw\0.iso", "EMPTY.RAW", "empty",
            "empty.raw,readonly=off", "empty.ini", "a" * 300, "empty.raw ", " empty.raw", "%s",
            "<script>alert(1)</script>", "empty.raw;id", "$(id)", "`id`", "*", "secret.raw",
            "empty.raw%00", "‮war.ytpme"]


def test_machines_that_are_not_on_offer(site: Installation) -> None:
    site.add_machine("secret.raw", hidden=1)
    ada = site.person()
    for name in MACHINES:
        reply = ada.try_create(machine=name)
        refused(reply, 400, 404)
    page = ada.post("create", {**GOOD, "machine": "<script>alert(1)</script>"})
    assert page.status == 404 and "<script>alert" not in page.text
    offered = {one["name"] for one in ada.get("create", Accept="application/json")
               .json["machines"]}
    assert offered == {"empty.raw", "tiny.iso"}
    assert not site.directories()


def test_strange_names_of_machines_are_just_names(site: Installation) -> None:
    for name in ("a,readonly=off.raw", "with space.raw", "quote'\".raw", "per%cent.raw",
                 "ümläut.raw"):
        path = site.add_machine(name)
        try:
            assert site.person().create(machine=name).facts["machine"] == name
        finally:
            path.unlink()


def test_fields_that_do_not_belong(site: Installation) -> None:
    ada = site.person()
    for name in ("qemu_exec", "dir_machines", "session_stop", "session_purge", "service_monitor",
                 "allow_unauthenticated", "user_admin", "command", "cpu[]", "__proto__"):
        refused(ada.try_create(**{name: "1"}))
    refused(ada.post("create", [*GOOD.items(), ("memory", "64")], Accept="application/json"))
    refused(ada.post("create", [*GOOD.items(), ("machine", "empty.raw")]))
    for query in ("?machine=empty.raw", "?terms=1", "?--help", "?allow_unauthenticated=1",
                  "?user=root&password=x"):
        refused(ada.post(f"create{query}", GOOD, Accept="application/json"))
    for query in ("monitor?session_stop=x", "monitor?stop=1", "monitor?action=stop",
                  "create?machine=empty.raw&terms=1", "admin?action=purge&confirm=purge"):
        refused(ada.get(query), 400, 403)
    refused(ada.get("create/extra"), 404)
    assert not site.directories()


BODIES: list[tuple[str, bytes]] = [
    ("application/x-www-form-urlencoded", b"machine=%ff%fe&terms=1"),
    ("application/x-www-form-urlencoded", b"machine=%zz&terms=1"),
    ("application/x-www-form-urlencoded", b"machine=empty.raw;terms=1"),
    ("application/x-www-form-urlencoded; charset=utf-16", "terms=1".encode("utf-16")),
    ("application/x-www-form-urlencoded; charset=iso-8859-1", b"machine=empty.raw&terms=1"),
    ("application/json", b"{"), ("application/json", b"[]"), ("application/json", b"\xff"),
    ("application/json", b'{"machine": null, "terms": true}'),
    ("application/json", b'{"machine": {"a": 1}, "terms": true}'),
    ("application/json", b'{"memory": 32, "memory": 64, "terms": true}'),
    ("application/json", b'{"memory": NaN, "terms": true}'),
    ("application/json", b'{"memory": 1e400, "terms": true}'),
    ("application/json", b"[" * 30000),
    ("multipart/form-data; boundary=x", b"--x\r\nContent-Disposition: form-data; name=terms"),
    ("multipart/form-data", b"--x--"),
    ("multipart/form-data; boundary=x", b'--x\r\nContent-Disposition: form-data; name="machine"; '
     b'filename="x"\r\n\r\nempty.raw\r\n--x--\r\n'),
    ("text/plain", b"machine=empty.raw"), ("", b"machine=empty.raw"),
    ("application/xml", b"<machine/>"),
]


def test_bodies_that_cannot_be_read(site: Installation) -> None:
    ada = site.person()
    for kind, body in BODIES:
        reply = ada.ask("POST", "create", body, Content_Type=kind, Accept="application/json")
        refused(reply, 400, 415)
    assert not site.directories()


def test_each_encoding_does_the_same(site: Installation) -> None:
    ada = site.person()
    parts = "".join(f'--x\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
                    for name, value in {**GOOD, "form": "multi",
                                        "ticket": ada.ticket("create", {})}.items()) + "--x--\r\n"
    multi = ada.ask("POST", "create", parts.encode(), Accept="application/json",
                    Content_Type="multipart/form-data; boundary=x")
    sent = {"machine": "empty.raw", "memory": 32, "persistent": True, "terms": True, "form": "j",
            "ticket": ada.ticket("create", {})}
    as_json = ada.ask("POST", "create", json.dumps(sent).encode(), Accept="application/json",
                      Content_Type="application/json")
    assert (multi.status, as_json.status) == (201, 201), f"{multi} {as_json}"
    records = [site.record(reply.json["session"]) for reply in (multi, as_json)]
    for name in ("machine", "memory", "persistent", "cpu", "video"):
        assert records[0][name] == records[1][name]


def test_sizes(site: Installation) -> None:
    ada = site.person()
    form = "application/x-www-form-urlencoded"
    big = ada.ask("POST", "create", b"form=" + b"x" * 65536, Content_Type=form)
    assert big.status == 413, str(big)
    huge = ada.ask("POST", "create", b"form=" + b"x" * 200_000, Content_Type=form)
    assert huge.status == 413
    refused(ada.ask("POST", "create", b"&".join(b"a=b" for _ in range(9000)), Content_Type=form))
    refused(ada.try_create(form="x" * 5000))
    assert not site.directories()


def test_methods(site: Installation) -> None:
    ada = site.person()
    for script in ("create", "monitor", "admin"):
        for method in ("PUT", "DELETE", "PATCH", "FOO"):
            reply = ada.ask(method, script)
            assert reply.status in (405, 501), f"{method} {script} {reply}"
    assert ada.ask("HEAD", "create", Accept="application/json").status == 200


def test_identity_and_terms_are_never_assumed(site: Installation) -> None:
    stranger = site.stranger()
    assert stranger.try_create().status == 401
    for user, password in (("", ""), ("ada", ""), ("", "x"), ("ada", "\0"), ("ada\n", "x"),
                           ("ADA", "wrong"), ("*", "*"), ("a" * 900, "b"), ("ada", "x" * 900)):
        reply = stranger.try_create(user=user, password=password)
        assert reply.status in (400, 401, 429), f"{user!r} {password!r} {reply}"
    refused(site.person().try_create(without=["terms"]))
    assert not site.directories()


def test_hosts_that_no_browser_sends(site: Installation) -> None:
    for host in ("evil.example/../", "a b", "x\tx", "<script>", "127.0.0.1:99999999", "@", ""):
        reply = site.stranger().get("create", Host=host or None, Accept="application/json")
        assert reply.status in (200, 400, 421), f"{host!r} {reply}"
        assert reply.status == 400 or host == "127.0.0.1:99999999" or not host
        assert "<script>" not in reply.text


def test_the_query_of_a_script_is_no_command_line(site: Installation) -> None:
    for words in ("--help", "--version", "--session_purge=1", quote("--json"), "-h"):
        reply = site.stranger().get(f"admin?{words}")
        assert reply.status in (400, 401, 403), f"{words} {reply}"
        assert "dir_machines" not in reply.text
