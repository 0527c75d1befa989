"""Figures for Prometheus: for named addresses, in its format, of nobody."""

import re
from dataclasses import replace
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families
from test_card import add
from test_stories import Web, web

from desktop import configuration
from desktop.settings import Settings
from desktop.web import metrics

__all__ = ["web"]
LINE = re.compile(r'# (HELP|TYPE) remote_desktop_\w+ .+|'
                  r'remote_desktop_\w+(\{machine="(\\.|[^"\\])*",state="\w+"\})? [0-9.e+]+')


@pytest.fixture
def told(web: Web, settings: Settings, tmp_path: Path) -> Web:
    """The same, where one address may read figures."""
    configuration.write(replace(settings, monitor_metrics_from=("192.0.2.0/28", "::1")),
                        tmp_path / "desktop.ini")
    return web


def test_a_named_address_reads_figures(told: Web, settings: Settings) -> None:
    add(settings, "bob", machine='a"b\\.iso', viewers=2)
    add(settings, "ada", viewers=1)
    status, headers, text = told("monitor", QUERY_STRING="format=prometheus")
    assert status == 200 and headers["Content-Type"] == metrics.KIND
    assert all(LINE.fullmatch(line) for line in text.splitlines()), text
    families = {family.name: family for family in text_string_to_metric_families(text)}
    assert {family.type for family in families.values()} == {"gauge"}
    assert all(family.documentation and family.samples for family in families.values())
    assert len(families) == len(metrics.GAUGES) + 2
    assert {(one.labels["machine"], one.labels["state"], one.value) for one in
            families["remote_desktop_sessions"].samples} == {
        ('a"b\\.iso', "running", 1.0), ("tiny.iso", "running", 1.0)}
    assert "remote_desktop_viewers 3\n" in text
    assert 'remote_desktop_sessions{machine="a\\"b\\\\.iso",state="running"} 1\n' in text
    assert "bob" not in text and "ada" not in text


def test_others_read_nothing(told: Web, web: Web) -> None:
    for address in ("192.0.2.77", "198.51.100.1", "", "x"):
        assert told("monitor", QUERY_STRING="format=prometheus", REMOTE_ADDR=address)[0] == 403
    assert told("monitor", QUERY_STRING="format=xml")[0] == 400


def test_nobody_is_named_at_first(web: Web) -> None:
    assert web("monitor", QUERY_STRING="format=prometheus")[0] == 403
