"""Records survive crashes and distrust what they read."""

import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desktop.process import Process
from desktop.session import record
from desktop.session.record import Corrupt, Record, State

ONE = Record(session="a" * 26, name="tiny-aaaa", state=State.RUNNING, owner="ann",
             machine="tiny.iso", title="Tiny", cpu=1, memory=256, disk=1.0, video="virtio",
             gpu=("0000:01:00.0",), persistent=True, start=1e9, deadline=5.5, boot="b", host="h",
             launcher="detach", endpoint="/run/x", keeper=Process(7, 8))


def test_ids_are_128_random_bits() -> None:
    ids = {record.new_id() for _ in range(100)}
    assert len(ids) == 100 and all(record.ID.fullmatch(one) for one in ids)


def test_written_records_are_read_back(tmp_path: Path) -> None:
    directory = tmp_path / ONE.session
    directory.mkdir()
    record.write(directory, ONE)
    record.write(directory, replace(ONE, viewers=2))
    assert record.read(directory) == replace(ONE, viewers=2)
    assert os.listdir(directory) == ["session.json"]


def test_the_record_of_another_session_is_not_believed(tmp_path: Path) -> None:
    directory = tmp_path / ("b" * 26)
    directory.mkdir()
    record.write(directory, ONE)
    with pytest.raises(Corrupt):
        record.read(directory)


JSON = st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
                    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner))


@given(st.sampled_from(sorted(json.loads(record.encode(ONE)))), JSON)
def test_any_wrong_field_is_corrupt_or_understood(name: str, value: Any) -> None:
    facts = json.loads(record.encode(ONE))
    facts[name] = value
    try:
        read = record.decode(json.dumps(facts))
    except Corrupt:
        return
    assert isinstance(read, Record)
    assert json.loads(record.encode(read))[name] == value


@pytest.mark.parametrize("name", ["start", "until", "deadline", "memory", "cpu"])
@pytest.mark.parametrize("value", ["NaN", "Infinity", "-Infinity", "1e300", "9" * 400])
def test_numbers_that_cannot_be(name: str, value: str) -> None:
    text = json.dumps({**json.loads(record.encode(ONE)), name: "here"})
    with pytest.raises(Corrupt):
        record.decode(text.replace('"here"', value))


def test_a_record_of_before_an_upgrade() -> None:
    facts = json.loads(record.encode(ONE))
    assert record.decode(json.dumps({name: value for name, value in facts.items()
                                     if name != "mail"})) == ONE
    for wrong in ({name: value for name, value in facts.items() if name != "owner"},
                  {**facts, "more": ""}):
        with pytest.raises(Corrupt):
            record.decode(json.dumps(wrong))


@given(st.text())
def test_any_text_is_corrupt(text: str) -> None:
    with pytest.raises(Corrupt):
        record.decode(text)


@pytest.mark.parametrize("cut", range(1, 400, 57))
def test_a_part_of_a_record_is_corrupt(cut: int) -> None:
    with pytest.raises(Corrupt):
        record.decode(record.encode(ONE)[:-cut])
