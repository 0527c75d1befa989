"""Numbers and truth are read strictly."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desktop import literal


@given(st.integers(-10 ** 15 + 1, 10 ** 15 - 1))
def test_whole_numbers_come_back(number: int) -> None:
    assert literal.integer(str(number)) == number


@pytest.mark.parametrize("text", ["", " 1", "1 ", "1_000", "+1", "1.0", "1e3", "٣", "４", "0x10",
                                  "1\n", "\x001", "9" * 16, "--1", "nan", "²"])
def test_what_python_would_take_or_guess_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="a whole number"):
        literal.integer(text)


@pytest.mark.parametrize("text", ["nan", "inf", "1e9", ".5", "5.", "1,5", "٠.٥", "", "1.0\n"])
def test_odd_decimals_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="a number"):
        literal.decimal(text)


@pytest.mark.parametrize("text, value", [("1", True), ("On", True), ("YES", True),
                                         ("0", False), ("off", False), ("No", False)])
def test_truth(text: str, value: bool) -> None:
    assert literal.truth(text) is value


@pytest.mark.parametrize("text", ["", "2", "maybe", " on", "ｏｎ"])
def test_no_truth_is_guessed(text: str) -> None:
    with pytest.raises(ValueError):
        literal.truth(text)


def test_words() -> None:
    assert literal.words(" /mnt,/media  /data:rw,") == ("/mnt", "/media", "/data:rw")
    assert literal.words(" , ") == ()
