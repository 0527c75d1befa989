"""The web as such: signing in, where requests come from, headers, and what the form is told."""

import re
from html.parser import HTMLParser

import pytest
from service.installation import Installation
from service.person import Person, Reply

POLICY = {"default-src": "'none'", "script-src": "'self'", "style-src": "'self'",
          "img-src": "'self'", "connect-src": "'self'", "form-action": "'self'",
          "frame-ancestors": "'none'", "base-uri": "'none'"}


def policy(reply: Reply) -> dict[str, str]:
    """Return the Content-Security-Policy by directive."""
    header, = reply.headers.get_all("Content-Security-Policy", [])
    return dict(part.strip().split(" ", 1) for part in header.split(";"))


def test_every_page_carries_the_headers_once(any_site: Installation) -> None:
    ada = any_site.person()
    desktop = ada.create()
    replies = [ada.get(""), ada.get("style.css"), ada.get("form.js"), ada.get("create"),
               ada.get("create", Accept="application/json"), ada.get("monitor"),
               ada.get(f"monitor?session={desktop.id}"), ada.get("monitor?session=x"),
               ada.post("create", {"terms": "0"}), any_site.stranger().get("monitor"),
               any_site.person("root").get("admin")]
    for reply in replies:
        assert policy(reply) == POLICY, str(reply)
        assert reply.headers.get_all("X-Content-Type-Options") == ["nosniff"]
        assert reply.headers.get_all("Referrer-Policy") == ["same-origin"]
        assert "unsafe" not in str(reply.headers)
    viewer = policy(ada.get("novnc/vnc.html"))
    assert viewer["default-src"] == "'none'" and "unsafe" not in str(viewer)


def test_signing_in_once_is_enough(any_site: Installation) -> None:
    bob = any_site.stranger("bob")
    assert bob.get("monitor").status == 401
    reply = bob.sign_in()
    assert reply.status == 303
    cookie = reply.headers["Set-Cookie"]
    for word in ("HttpOnly", "SameSite=Lax", "Path=/desktop", "Max-Age="):
        assert word in cookie, cookie
    assert ("; Secure" in cookie) == (bob.scheme == "https")
    assert bob.get("monitor").status == 200
    assert bob.try_create().status == 201
    assert bob.post("monitor", {"action": "signout"}).status == 303
    assert not bob.cookies
    assert bob.get("monitor").status == 401


def test_the_form_signs_in_as_well(any_site: Installation) -> None:
    bob = any_site.stranger("bob")
    reply = bob.try_create(user="bob", password=bob.password)
    assert reply.status == 201 and bob.cookies
    assert len(bob.sessions()) == 1


def test_a_program_needs_neither_cookie_nor_origin(any_site: Installation) -> None:
    program = any_site.stranger("bob")
    fields = {"user": "bob", "password": program.password, "machine": "empty.raw", "terms": "1"}
    reply = program.post("create", fields, Origin=None, Accept="application/json")
    assert reply.status == 201, str(reply)
    session = reply.json["session"]
    fields = {"user": "bob", "password": program.password, "action": "stop", "session": session}
    program.cookies.clear()
    assert program.post("monitor", fields, Origin=None, Accept="application/json").status == 200
    any_site.gone(session)


def test_cookies_cannot_be_made_at_home(site: Installation) -> None:
    root = site.person("root")
    name, value = root.cookies.copy().popitem()
    payload, stamp, signature = value.rsplit(".", 2)
    mallory = site.stranger()
    for forged in (f"{payload}.{stamp}.{signature[:-2]}AA", f"{payload}.{stamp}.", payload, "x",
                   f"{payload}.AAAAAA.{signature}", f"{payload[:-4]}AAAA.{stamp}.{signature}",
                   value.upper(), f"{value}.", "..", "\xff\xfe", value[:10] * 400):
        mallory.cookies = {name: forged}
        assert mallory.get("monitor").status == 401, forged
    mallory.cookies = {name: value}
    assert mallory.get("monitor").status == 200


def test_a_sign_in_ends_with_the_account_and_with_its_password(site: Installation) -> None:
    site.script("admin.py", "--user_add=guest-of-a-day", user="root")
    added = site.script("admin.py", "--user_add=another", user="root")
    person = Person(site.server.address, "another", added.stdout.strip().rpartition(",")[2])
    assert person.sign_in().status == 303 and person.get("monitor").status == 200
    site.script("admin.py", "--user_remove=another", user="root")
    assert person.get("monitor").status == 401
    site.script("admin.py", "--user_add=another", user="root")
    assert person.get("monitor").status == 401


FOREIGN = ("http://evil.example", "null", "https://127.0.0.1", "http://127.0.0.1:1", "http://",
           "http://127.0.0.1.evil.example", "http://evil.example/http://127.0.0.1", "file://",
           "https://evil.example", "https://127.0.0.1:1")


def test_forms_of_other_pages_are_refused(any_site: Installation) -> None:
    ada = any_site.person()
    desktop = ada.create()
    for origin in FOREIGN:
        for path, fields in (("create", {"terms": "1"}), ("admin", {"action": "purge"}),
                             ("monitor", {"action": "stop", "session": desktop.id}),
                             ("monitor", {"action": "signin", "user": "bob", "password": "x"})):
            reply = ada.post(path, fields, Origin=origin)
            assert reply.status == 403, f"{origin} {path} {reply}"
    assert ada.post("monitor", {"action": "stop", "session": desktop.id},
                    Origin=None).status == 403, "a cookie without an Origin"
    assert len(any_site.directories()) == 1


def test_other_names_of_the_server_are_listed_by_the_site(site: Installation) -> None:
    ada = site.person()
    origin = f"{ada.scheme}://desktop.example.org"
    assert ada.post("create", {"terms": "1"}, Origin=origin).status == 403
    site.configure(server_aliases="desktop.example.org")
    assert ada.post("create", {"terms": "1", "machine": "empty.raw"}, Origin=origin).status == 201
    site.configure(server_name="https://desktop.example.org")
    reply = ada.try_create()
    assert reply.json["url"].startswith("https://desktop.example.org/desktop/view.html#")
    assert reply.json["websocket"].startswith("wss://desktop.example.org/")


def test_a_host_header_does_not_lead_people_astray(site: Installation) -> None:
    ada = site.person()
    reply = ada.post("create", {"terms": "1", "machine": "empty.raw"}, Host="evil.example",
                     Accept="application/json")
    assert reply.status == 403  # its Origin is the server's own


class Links(HTMLParser):
    """Collects what a page points to."""

    def __init__(self, reply: Reply) -> None:
        super().__init__()
        self.found: list[str] = []
        self.feed(reply.text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [value for name, value in attrs
                       if name in ("href", "src", "action") and value]


def test_links_are_relative_and_lead_somewhere(any_site: Installation) -> None:
    ada, root = any_site.person(), any_site.person("root")
    desktop = ada.create()
    for person, pages in ((ada, ("", "monitor", f"monitor?session={desktop.id}")),
                          (root, ("monitor", "admin")), (any_site.stranger(), ("monitor",))):
        for page in pages:
            reply = person.get(page)
            links = Links(reply).found
            assert links, page
            for link in links:
                if link.startswith("#"):
                    continue
                assert not re.match(r"[a-z]+:|/", link), f"{page} has {link}"
                target = person.get(link.partition("#")[0])
                assert target.status in (200, 303, 401, 403) and link, f"{page} has {link}"
                assert target.status < 400 or link in ("monitor", "admin"), f"{page}: {link}"


def test_what_the_form_is_told(any_site: Installation) -> None:
    ada = any_site.person()
    offer = ada.get("create", Accept="application/json").json
    assert offer["person"] == {"name": "ada", "admin": False, "sign_out": None}
    assert not any(offer["enter"].values())
    assert any_site.person("root").get("create").status in (200, 303)
    assert any_site.person("root").get("create", Accept="application/json").json["person"]["admin"]
    machine, = (one for one in offer["machines"] if one["name"] == "empty.raw")
    assert machine["problem"] == "" and machine["cpu"]["default"] == 1
    assert machine["memory"]["default"] == 32
    assert offer["default_machine"] == "empty.raw" and "virtio" in offer["video"]
    assert offer["persistent"]["offered"] and not offer["gpu"]["offered"]
    assert offer["gpu"]["reason"] and offer["lifetime"]["max"] == 86400
    again = ada.get("create", Accept="application/json").json
    assert again["form"] != offer["form"]
    stranger = any_site.stranger().get("create", Accept="application/json").json
    assert stranger["enter"] == {"user": True, "password": True, "email": False}
    assert stranger["person"]["name"] is None and not stranger["mine"]
    any_site.configure(service_allow_persistent=0, service_max_instance_nb=1)
    desktop = ada.create(without=["persistent"])
    offer = ada.get("create", Accept="application/json").json
    assert not offer["persistent"]["offered"] and offer["persistent"]["reason"]
    assert offer["free"]["sessions"] == 0 and offer["free"]["reason"]
    assert [one["session"] for one in offer["mine"]] == [desktop.id]
    assert ada.try_create(persistent="1").status in (400, 403, 503)


@pytest.mark.parametrize("script", ["create", "monitor", "admin"])
def test_a_bug_shows_a_number_and_no_traceback(site: Installation, script: str) -> None:
    broken = site.run.with_name("not-here")
    site.run.rename(broken)
    site.run.write_text("a file where a directory should be")
    try:
        person = site.stranger("root")
        reply = person.post(script, {"user": "root", "password": person.password, "terms": "1",
                                     **({"action": "purge", "confirm": "purge"}
                                        if script != "create" else {})})
    finally:
        site.run.unlink()
        broken.rename(site.run)
    assert reply.status >= 400
    assert "Traceback" not in reply.text and ".py" not in reply.text
