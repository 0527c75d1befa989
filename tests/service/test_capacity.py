"""As many sessions as the limits allow, whoever asks at once, and refusals that say why."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from service.conftest import Install
from service.installation import Installation
from service.person import Desktop, Reply
from service.until import until


def at_once(site: Installation, count: int, **fields: str) -> list[Reply]:
    """Send as many forms at the same moment."""
    people = [site.person() for _ in range(count)]
    gate = threading.Barrier(count)

    def send(place: int) -> Reply:
        people[place].timeout = 120
        gate.wait()
        return people[place].try_create(**fields)
    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(send, range(count)))


def desktops(site: Installation, replies: list[Reply]) -> list[Desktop]:
    return [Desktop(site.person(), reply.json) for reply in replies if reply.status == 201]


def usable(desktop: Desktop) -> bool:
    viewer = desktop.view()
    viewer.look()
    viewer.leave()
    return True


def test_four_at_once_are_four_desktops(any_site: Installation) -> None:
    replies = at_once(any_site, 4)
    assert [reply.status for reply in replies] == [201] * 4, list(map(str, replies))
    found = desktops(any_site, replies)
    assert len({desktop.id for desktop in found}) == len({desktop.token for desktop in found}) == 4
    assert all(usable(desktop) for desktop in found)


def test_fifty_at_once_with_a_limit_of_ten(install: Install) -> None:
    site = install(service_max_instance_nb=10, overcommit_cpu=0, overcommit_memory=0)
    replies = at_once(site, 50)
    statuses = sorted(reply.status for reply in replies)
    assert statuses == [201] * 10 + [503] * 40, statuses
    for reply in replies:
        if reply.status == 503:
            assert int(reply.headers["Retry-After"]) > 0
            assert "10" in reply.json["message"]
    found = desktops(site, replies)
    assert all(usable(desktop) for desktop in found)
    assert len(site.directories()) == len(list(site.snapshots.iterdir())) == 10
    purge = site.script("admin.py", "--session_purge=1")
    assert purge.returncode == 0 and "10" in purge.stdout, purge
    assert not list(site.leftovers())
    assert site.person().try_create().status == 201


def test_the_same_form_many_times_at_once_is_one_session(site: Installation) -> None:
    replies = at_once(site, 8, form="a-nervous-finger")
    assert {reply.status for reply in replies} <= {200, 201}, list(map(str, replies))
    assert len({reply.json["session"] for reply in replies}) == 1
    assert len(site.directories()) == 1


def test_housekeeping_leaves_sessions_alone_that_are_being_made(site: Installation) -> None:
    over = threading.Event()

    def sweep() -> None:
        while not over.is_set():
            assert site.script("admin.py", "--housekeeping=1").returncode == 0
    with ThreadPoolExecutor(2) as pool:
        sweeps = [pool.submit(sweep) for _ in range(2)]
        try:
            for _ in range(3):
                found = desktops(site, at_once(site, 3))
                assert len(found) == 3 and all(usable(desktop) for desktop in found)
                for desktop in found:
                    assert desktop.stop().status in (200, 303)
        finally:
            over.set()
        for one in sweeps:
            one.result()


LIMITS = [({"service_max_instance_nb": 1}, {}, 503, "1"),
          ({"service_max_session_nb_per_user": 1}, {}, 429, "1"),
          ({"overcommit_cpu": 0.5}, {}, 503, "CPU"),
          ({"overcommit_memory": 0.005, "host_memory_reserve": 0}, {"memory": "100"}, 503, "MB"),
          ({"service_max_mem_fraction_nb_per_user": 0.004, "overcommit_memory": 0},
           {"memory": "100"}, 429, "MB"),
          ({"host_disk_reserve": 100000}, {}, 503, "disk")]


@pytest.mark.parametrize(("settings", "fields", "status", "word"), LIMITS,
                         ids=lambda value: "-".join(value) if isinstance(value, dict) else "")
def test_a_refusal_says_what_is_lacking(site: Installation, settings: dict[str, object],
                                        fields: dict[str, str], status: int, word: str) -> None:
    ada = site.person()
    if "disk" not in word:
        ada.create(**fields)
    before = len(site.directories())
    site.configure(**settings)
    reply = ada.try_create(**fields)
    assert reply.status == status, str(reply)
    assert word in reply.json["message"] and int(reply.headers["Retry-After"]) > 0
    page = ada.post("create", {"machine": "empty.raw", "terms": "1", **fields})
    assert page.status == status and word in page.text
    free = ada.get("create", Accept="application/json").json["free"]
    assert free["sessions"] == 0 or "memory" in fields, free
    assert len(site.directories()) == before
    site.configure()
    ada.create(**fields)


def test_per_person_limits_never_refuse_the_first_session(site: Installation) -> None:
    site.configure(service_max_mem_fraction_nb_per_user=0.0001,
                   service_max_cpu_fraction_nb_per_user=0.0001)
    site.person("ada").create()
    site.person("bob").create()
    assert site.person("ada").try_create().status == 429


def test_zero_means_no_limit(site: Installation) -> None:
    site.configure(service_max_instance_nb=0, service_max_session_nb_per_user=0,
                   service_max_load=0, overcommit_cpu=0, overcommit_memory=0,
                   service_max_mem_fraction_nb_per_user=0, host_disk_reserve=0,
                   service_max_cpu_fraction_nb_per_user=0, snapshot_lifetime=0)
    desktops = [site.person().create() for _ in range(4)]
    assert all(desktop.facts["expires"] in ("", 0, None) for desktop in desktops)


def test_a_place_is_free_as_soon_as_a_session_ends(site: Installation) -> None:
    site.configure(service_max_instance_nb=1)
    ada, bob = site.person("ada"), site.person("bob")
    desktop = ada.create()
    assert bob.try_create().status == 503
    desktop.stop()
    assert bob.try_create().status == 201


def test_stopping_is_quick_and_answers_when_all_is_gone(site: Installation) -> None:
    desktop = site.person().create()
    start = time.monotonic()
    assert desktop.stop().status in (200, 303)
    assert time.monotonic() - start < 5
    assert not list(site.leftovers())
    assert desktop.stop().status == 404
    until(lambda: not site.directories())
