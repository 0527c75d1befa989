"""Graphs of the host: what is drawn, and what is said of it."""

import time
from dataclasses import replace

from desktop.host import trend
from desktop.host.capacity import Host, Promise
from desktop.settings import Settings
from desktop.web import card, graph

HOST = Host(cpus=2, load=0.5, memory=4096, available=1024, disk_free=8)


def fill(settings: Settings, *minutes: int) -> None:
    """Note samples so many minutes ago, each with a session more."""
    settings.dir_state.mkdir(parents=True, exist_ok=True)
    now, real = time.time(), time.time
    try:
        for count, minute in enumerate(minutes):
            time.time = lambda minute=minute: now - 60 * minute  # type: ignore[misc]
            trend.note(settings, replace(HOST, load=count / 2), [Promise("a", 1, 9, 1)] * count)
    finally:
        time.time = real


def test_a_line_goes_from_the_past_to_now(settings: Settings) -> None:
    assert set(graph.all(settings, 4096).values()) == {None}
    fill(settings, 120, 118, 116)
    found = graph.all(settings, 4096)["load"]
    assert found
    line, = found.lines
    places = [tuple(map(float, point.split(","))) for point in line.split()]
    assert places[-1] == (graph.WIDTH, 0) and places[0][1] == graph.HEIGHT
    assert places[0][0] < places[1][0] < places[2][0]
    assert found.words == "in the last 0.1 hours between 0% and 100%"


def test_a_line_is_broken_where_nobody_looked(settings: Settings) -> None:
    fill(settings, 60, 59, 10, 9)
    found = graph.all(settings, 4096)["sessions"]
    assert found and [len(line.split()) for line in found.lines] == [2, 2]


def test_programs_get_figures_and_no_drawings(settings: Settings) -> None:
    fill(settings, 2, 1)
    settings.dir_machines.mkdir(exist_ok=True)
    facts = card.overview(settings, [], "ada", None, everybody=True)
    assert facts["host"]["graphs"] and "graphs" not in card.listing(facts)["host"]
    assert card.listing(card.overview(settings, [], "bob", None, everybody=False))["host"] is None
