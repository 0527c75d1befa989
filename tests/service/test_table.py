"""Several sessions at once: by forms without scripts, by programs; who may, what is told."""

import re
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from service.installation import Installation
from service.person import Desktop, Person, Reply

MANY = {"overcommit_cpu": 0, "overcommit_memory": 0, "service_max_instance_nb": 0}


def ticket(person: Person) -> str:
    """Return the ticket of the form for a selection."""
    found = person.facts("monitor")["ticket"]
    assert isinstance(found, str)
    return found


def select(person: Person, action: str, *sessions: str, accept: str = "application/json",
           **more: str) -> Reply:
    """Send the form with these sessions ticked."""
    fields: list[tuple[str, Any]] = [("action", action), *(("session", one) for one in sessions)]
    if "ticket" not in more:
        more["ticket"] = ticket(person)
    return person.post("monitor", [*fields, *more.items()], Accept=accept)


def alive(site: Installation) -> set[str]:
    return {path.name for path in site.directories()}


def test_one_that_has_ended_keeps_nobody_from_the_rest(site: Installation) -> None:
    mine, other, over = (site.person(name).create() for name in ("ada", "bob", "bob"))
    over.stop()
    reply = select(site.person("root"), "stop", mine.id, over.id, other.id, "x" * 26, "no-id")
    told = {one["session"]: one for one in reply.json["sessions"]}
    assert reply.status == 200 and len(told) == 5
    assert [told[one.id]["state"] for one in (mine, other)] == ["ended", "ended"]
    for session in (over.id, "x" * 26, "no-id"):
        assert told[session]["status"] == 404 and "no such session" in told[session]["problem"]
    assert not list(site.leftovers())
    log = site.server.errors()
    for desktop, owner in ((mine, "ada"), (other, "bob")):
        assert f"root: stop {desktop.facts['name']} of {owner}, from 127.0.0.1" in log


def test_owners_select_their_own(site: Installation) -> None:
    mine, also, others = (site.person(name).create() for name in ("ada", "ada", "bob"))
    reply = select(site.person("ada"), "extend", mine.id, others.id, also.id, seconds="600")
    told = {one["session"]: one for one in reply.json["sessions"]}
    assert [told[one.id]["seconds"] for one in (mine, also)] == [600, 600]
    assert told[others.id] == {"session": others.id, "status": 404,
                               "problem": told[others.id]["problem"]}
    assert "bob" not in str(reply) and others.facts["name"] not in str(reply)
    assert site.record(others.id)["extended"] == 0
    words = {"text": "Restart at six."}
    reply = select(site.person("ada"), "message", mine.id, others.id, **words)
    assert [one.get("viewers") for one in reply.json["sessions"]] == [0, None]
    assert site.record(mine.id)["message_from"] == "ada"
    assert not site.record(others.id)["message"]
    select(site.person("ada"), "stop", mine.id, others.id, also.id)
    assert alive(site) == {others.id}


@pytest.mark.parametrize("wrong", ["", "x", "another's", "one's"])
def test_without_its_ticket_nothing_is_done(site: Installation, wrong: str) -> None:
    mine, also = site.person("ada").create(), site.person("ada").create()
    person = site.person("ada")
    found = {"another's": lambda: ticket(site.person("bob")),
             "one's": lambda: str(person.ticket("monitor", {"action": "stop", "session": mine.id}))
             }.get(wrong, lambda: wrong)()
    reply = select(person, "stop", mine.id, also.id, accept="text/html", ticket=found)
    assert reply.status == 403 and alive(site) == {mine.id, also.id}
    # The page asks whether it is meant; its form does it.
    fields = re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"',
                        reply.text.partition('<form class="card narrow"')[2])
    assert person.ask("POST", "monitor", "&".join(
        f"{name}={value.replace(' ', '+')}" for name, value in fields).encode(),
        Content_Type="application/x-www-form-urlencoded").status == 303
    assert not list(site.leftovers())


def test_other_ways_that_do_nothing(site: Installation) -> None:
    desktop, also = site.person("ada").create(), site.person("ada").create()
    both = (desktop.id, also.id)
    assert select(site.stranger(), "stop", *both, ticket="x").status == 401
    root = site.person("root")
    assert select(root, "stop").status == 400
    assert select(root, "message", *both, text=" ").status == 400
    assert select(root, "message", *both, text="x" * 501).status == 400
    assert select(root, "restart", *both).status == 404
    assert select(root, "purge", *both).status == 400
    assert root.post("monitor", [("action", "stop"), ("session", desktop.id),
                                 ("session", also.id), ("ticket", ticket(root))],
                     Origin="http://evil.example").status == 403
    assert root.get(f"monitor?session={desktop.id}&session={also.id}").status == 400
    reply = select(root, "extend", *both, seconds="-1")
    assert [one["status"] for one in reply.json["sessions"]] == [400, 400]
    assert alive(site) == set(both)


def test_the_form_works_without_scripts(site: Installation) -> None:
    first, second = site.person("ada").create(), site.person("bob").create()
    root = site.person("root")
    page = root.get("monitor").text
    for desktop in (first, second):
        assert re.search(rf'type="checkbox" form="selected" name="session" value="{desktop.id}"',
                         page)
    assert root.get("monitor?sort=-user").text.index(second.id) < \
        root.get("monitor?sort=-user").text.index(first.id)
    found = root.get("monitor?sort=user&find=ADA&state=running").text
    assert first.id in found and second.id not in found and 'value="ADA"' in found
    assert first.id not in root.get("monitor?state=paused").text
    for wrong in ("sort=x", "state=x", "sort=--user"):
        assert root.get(f"monitor?{wrong}").status == 400, wrong
    reply = select(root, "stop", first.id, accept="text/html")
    assert (reply.status, reply.headers["Location"]) == (303, "monitor")
    reply = select(root, "stop", first.id, second.id, accept="text/html")
    assert reply.status == 200 and "It may have ended" in reply.text and "done" in reply.text
    assert not list(site.leftovers())


def test_a_program_names_them_as_a_list(site: Installation) -> None:
    desktops = [site.person("ada").create() for _ in range(2)]
    ada = site.person("ada")
    words = [f'"{one.id}"' for one in desktops]
    body = f'{{"action": "stop", "session": [{", ".join(words)}], "ticket": "{ticket(ada)}"}}'
    reply = ada.ask("POST", "monitor", body.encode(), Content_Type="application/json",
                    Accept="application/json")
    assert [one["state"] for one in reply.json["sessions"]] == ["ended", "ended"], str(reply)


def test_two_people_stop_the_same_session(site: Installation) -> None:
    for _ in range(3):
        desktop = site.person("ada").create()
        people = [site.person(name) for name in ("ada", "root", "root", "ada")]
        words = [person.ticket("monitor", {"action": "stop", "session": desktop.id})
                 for person in people]

        def stop(who: int) -> int:
            return people[who].post("monitor", {"action": "stop", "session": desktop.id,
                                                "ticket": words[who]}).status
        with ThreadPoolExecutor(len(people)) as pool:
            statuses = list(pool.map(stop, range(len(people))))
        assert set(statuses) <= {303, 404} and 303 in statuses
        assert not list(site.leftovers())


def test_a_purge_of_ten_takes_a_second_and_leaves_nothing(site: Installation) -> None:
    site.configure(**MANY)
    with ThreadPoolExecutor(4) as pool:
        made: list[Desktop] = list(pool.map(lambda _: site.person("ada").create(), range(10)))
    for desktop in made:
        site.pids(desktop.id)
    root = site.person("root")
    word = root.ticket("admin", {"action": "purge"})
    start = time.monotonic()
    reply = root.post("admin", {"action": "purge", "confirm": "purge", "ticket": word},
                      Accept="application/json")
    took = time.monotonic() - start
    assert reply.json == {"purged": 10}
    assert not list(site.leftovers())
    assert took <= 1, f"{took:.2f} s"
    assert "root purges all sessions, from 127.0.0.1" in site.server.errors()
