"""What is remembered about files, and what is not."""

from pathlib import Path

import pytest

from desktop.memo import Memo, stamp


def test_an_answer_holds_for_its_stamp(tmp_path: Path) -> None:
    path = tmp_path / "state" / "memo.json"
    memo = Memo(path)
    memo.put(str(tmp_path), "one", ["answer"])
    memo.save()
    assert Memo(path).get(str(tmp_path), "one") == ["answer"]
    assert Memo(path).get(str(tmp_path), "two") is None


def test_files_that_are_gone_are_forgotten(tmp_path: Path) -> None:
    memo = Memo(tmp_path / "memo.json")
    memo.put(str(tmp_path / "gone"), "one", "")
    memo.save()
    assert Memo(tmp_path / "memo.json").entries == {}


@pytest.mark.parametrize("text", [b"", b"{", b"[]", b"7", b'{"a": 7}', b"\xff\xfe", b"[" * 99_999])
def test_a_corrupt_memo_is_an_empty_one(tmp_path: Path, text: bytes) -> None:
    (tmp_path / "memo.json").write_bytes(text)
    assert Memo(tmp_path / "memo.json").get("a", "one") is None


def test_a_memo_that_cannot_be_written_stops_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    memo = Memo(tmp_path / "file" / "memo.json")
    memo.put(str(tmp_path), "one", "")
    memo.save()
    assert sorted(tmp_path.iterdir()) == [tmp_path / "file"]


def test_a_replaced_file_has_another_stamp(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("1")
    before = stamp(tmp_path / "a")
    (tmp_path / "b").write_text("2")
    (tmp_path / "b").rename(tmp_path / "a")
    assert stamp(tmp_path / "a") != before
