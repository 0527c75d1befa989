"""Extending sessions and telling their people something: who may, and how much."""

import pytest
from service.installation import Installation
from service.person import Desktop, Person, Reply


def steer(person: Person, action: str, desktop: Desktop, **fields: str) -> Reply:
    return person.post("monitor", {"action": action, "session": desktop.id, **fields},
                       Accept="application/json")


@pytest.mark.parametrize("action", ["extend", "message"])
def test_only_its_owner_and_administrators(site: Installation, action: str) -> None:
    desktop = site.person("ada").create()
    text = {"text": "Hello"} if action == "message" else {}
    assert steer(site.person("bob"), action, desktop, **text).status == 404
    assert steer(site.stranger(), action, desktop, **text).status == 401
    assert steer(site.person("ada"), action, desktop, ticket="x", **text).status == 403
    foreign = site.person("ada").post("monitor", {
        "action": action, "session": desktop.id, **text}, Origin="http://evil.example")
    assert foreign.status == 403
    reply = site.person("ada").get(f"monitor?action={action}&session={desktop.id}")
    assert reply.status == 400
    before = site.record(desktop.id)
    assert not before["extended"] and not before["message"]
    for name in ("ada", "root"):
        assert steer(site.person(name), action, desktop, **text).status == 200, name
    log = site.server.errors()
    assert f"root: {action} {before['name']} of ada, from 127.0.0.1" in log
    assert f"ada: {action}" not in log


def test_time_is_given_up_to_extend_max(site: Installation) -> None:
    site.configure(extend_max=5000)
    desktop = site.person().create()
    start = site.record(desktop.id)["deadline"]
    for given in (3600, 1400):
        reply = steer(site.person(), "extend", desktop, seconds="3600")
        assert reply.json["seconds"] == given, str(reply)
    assert site.record(desktop.id)["deadline"] == start + 5000
    refused = steer(site.person(), "extend", desktop)
    assert refused.status == 409 and "1.389 hours" in refused.json["message"]
    assert steer(site.person("root"), "extend", desktop, seconds="86400").json["seconds"] == 86400
    assert steer(site.person(), "extend", desktop, seconds="-1").status == 400


def test_not_while_others_wait(site: Installation) -> None:
    site.configure(service_max_instance_nb=2)
    desktop = site.person().create()
    assert steer(site.person(), "extend", desktop).status == 200
    other = site.person("bob").create()
    refused = steer(site.person(), "extend", desktop)
    assert refused.status == 409 and "taken" in refused.json["message"]
    assert site.person("bob").try_create().status == 503
    other.stop()
    refused = steer(site.person(), "extend", desktop)
    assert refused.status == 409 and "refused lately" in refused.json["message"]
    facts = site.person().get(f"monitor?session={desktop.id}", Accept="application/json").json
    assert facts["extension"]["seconds"] == 0 and "wait" in facts["extension"]["problem"]
    (site.state / "refused").unlink()
    assert steer(site.person(), "extend", desktop).status == 200
