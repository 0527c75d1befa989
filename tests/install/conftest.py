"""Fixtures of the tests on whole servers: a Debian of each release, booted when it is wanted."""

import os
import sys
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest
from install.debian import Debian
from service import orphans

RUNNING: list[Debian] = []
sys.path.append(str(Path(__file__).resolve().parents[2] / "apache/installer"))  # its browser


def pytest_configure() -> None:
    """Make sure that nothing outlives the tests."""
    orphans.settle()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Only root boots systems."""
    for item in items:
        if os.geteuid() != 0 and Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.skip("only root can boot a system"))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show with a failure what the systems have said last."""
    report = yield
    if report.failed:
        for system in RUNNING:
            report.sections.append((system.directory.name, system.last_words()))
    return report


def booted(release: str, directory: Path) -> Iterator[Debian]:
    """Lend a system that has just been booted for the first time."""
    with Debian(release, directory) as system:
        RUNNING.append(system)
        system.use_free_ports()
        try:
            yield system
        finally:
            RUNNING.remove(system)


@pytest.fixture(scope="module")
def bookworm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Debian]:
    """Debian 12."""
    yield from booted("bookworm", tmp_path_factory.mktemp("system"))


@pytest.fixture(scope="module")
def trixie(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Debian]:
    """Debian 13."""
    yield from booted("trixie", tmp_path_factory.mktemp("system"))
