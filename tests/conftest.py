"""What all tests share: the marks, and slow ones last."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "slow: needs the demo machine, or minutes")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: item.get_closest_marker("slow") is not None)


@pytest.fixture
def tmp_path() -> Iterator[Path]:
    """Return a directory of the test's own; its path is short, as unix sockets have 107 bytes."""
    with tempfile.TemporaryDirectory(prefix="t.") as directory:
        yield Path(directory)
