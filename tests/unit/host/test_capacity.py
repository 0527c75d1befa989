"""What is free, and what is refused and how."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desktop.errors import Refusal
from desktop.host import capacity
from desktop.host.capacity import Host, Promise
from desktop.settings import Settings

HOST = Host(cpus=4, load=0.1, memory=9216, available=8192, disk_free=50)
SETTINGS = Settings(overcommit_cpu=2, service_max_instance_nb=4, host_memory_reserve=1024)


def refusal(settings: Settings = SETTINGS, host: Host = HOST, promises: tuple[Promise, ...] = (),
            wish: Promise = Promise("ann", 1, 512, 1)) -> Refusal:
    """Return the refusal that is expected."""
    with pytest.raises(Refusal) as caught:
        capacity.check(settings, host, promises, wish)
    assert caught.value.retry_after
    return caught.value


def others(number: int, cpu: int = 1, memory: int = 512) -> tuple[Promise, ...]:
    """Return so many sessions of different people."""
    return tuple(Promise(f"p{each}", cpu, memory, 1) for each in range(number))


def test_an_idle_server_gives() -> None:
    capacity.check(SETTINGS, HOST, (), Promise("ann", 8, 8192 - 1024, 1))


@pytest.mark.parametrize("case, words", [
    ({"promises": others(4)}, "All 4 places are taken"),
    ({"host": Host(4, 0.93, 9216, 8192, 50)}, "load is 93% and new sessions start below 80%"),
    ({"promises": others(3, 2), "wish": Promise("ann", 3, 512, 1)},
     "2 of 8 virtual CPUs are free and 3 are asked for"),
    ({"promises": others(2, 1, 3584), "wish": Promise("ann", 1, 1025, 1)},
     "1024 of 8192 MB of memory are not promised yet and 1025 MB are asked for"),
    ({"host": Host(4, 0, 9216, 2048, 50), "wish": Promise("ann", 1, 1025, 1)},
     "1024 MB of memory can be given now and 1025 MB are asked for"),
    ({"host": Host(4, 0, 9216, 8192, 0.4)}, "0.4 GB are free and 1 GB must stay free")])
def test_what_is_lacking_is_said(case: dict[str, object], words: str) -> None:
    found = refusal(**case)  # type: ignore[arg-type]
    assert words in found.message
    assert found.status == 503


@pytest.mark.parametrize("mine, wish, words", [
    ((1, 512), Promise("ann", 2, 512, 1), "have 1 CPUs and may have 2 together; 2 more"),
    ((1, 2000), Promise("ann", 1, 458, 1), "have 2000 MB of memory and may have 2457")])
def test_one_person_gets_a_share(mine: tuple[int, int], wish: Promise, words: str) -> None:
    found = refusal(promises=(Promise("ann", *mine, 1),), wish=wish)
    assert words in found.message
    assert found.status == 429


def test_a_share_never_refuses_the_first_session() -> None:
    capacity.check(SETTINGS, HOST, others(1), Promise("ann", 7, 7000, 1))


def test_one_person_has_so_many_sessions() -> None:
    settings = Settings(service_max_session_nb_per_user=1)
    found = refusal(settings, promises=(Promise("ann", 1, 16, 0),))
    assert found.status == 429
    assert "have 1 sessions and may have 1" in found.message


def test_zero_is_no_limit() -> None:
    settings = Settings(
        service_max_load=0, service_max_instance_nb=0, service_max_session_nb_per_user=0,
        service_max_cpu_fraction_nb_per_user=0, service_max_mem_fraction_nb_per_user=0,
        overcommit_cpu=0, overcommit_memory=0, host_disk_reserve=0)
    many = tuple(Promise("ann", 64, 64000, 100) for _ in range(99))
    capacity.check(settings, Host(1, 9, 100, 1, 0), many, Promise("ann", 64, 64000, 100))
    free = capacity.free(settings, HOST, many, "ann")
    assert (free.sessions, free.cpu, free.memory, free.reason) == (None, None, None, "")


def test_overcommitted_memory_counts_on_idle_guests() -> None:
    capacity.check(Settings(overcommit_memory=2), HOST, (), Promise("ann", 1, 14000, 1))


promises = st.lists(st.builds(Promise, st.sampled_from(["ann", "bob"]), st.integers(1, 8),
                              st.integers(16, 4096), st.just(1.0)), max_size=6)


@given(promises)
def test_what_is_shown_as_free_can_be_had(held: list[Promise]) -> None:
    free = capacity.free(SETTINGS, HOST, held, "ann")
    assert None not in (free.sessions, free.cpu, free.memory)
    assert free.sessions is not None and free.cpu is not None and free.memory is not None
    if free.sessions and free.cpu and free.memory >= 16:
        capacity.check(SETTINGS, HOST, held, Promise("ann", free.cpu, free.memory, 1))
    else:
        assert free.reason or free.memory < 16


@given(promises)
def test_more_than_is_free_is_refused(held: list[Promise]) -> None:
    free = capacity.free(SETTINGS, HOST, held, "ann")
    assert free.cpu is not None
    with pytest.raises(Refusal):
        capacity.check(SETTINGS, HOST, held, Promise("ann", free.cpu + 1, 16, 1))


def test_this_computer_is_measured(tmp_path: Path) -> None:
    host = capacity.measure(Settings(dir_snapshots=tmp_path / "not" / "yet"))
    assert host.cpus >= 1
    assert 0 < host.available <= host.memory
    assert host.load >= 0
    assert host.disk_free > 0


@pytest.mark.parametrize("pressure, load", [
    ("some avg10=87.53 avg60=2.06 avg300=1.22 total=1\nfull avg10=0.00\n", 0.8753),
    ("", 0.75), (None, 0.75)])
def test_the_load_is_of_the_last_seconds(tmp_path: Path, pressure: str | None,
                                         load: float) -> None:
    (tmp_path / "loadavg").write_text("3.00 9.00 9.00 1/104 9341\n")
    if pressure is not None:
        (tmp_path / "pressure").mkdir()
        (tmp_path / "pressure" / "cpu").write_text(pressure)
    assert capacity.load(tmp_path, 4) == pytest.approx(load)
