"""A bar for people, lines for logs."""

import io

import pytest

from desktop.machine.progress import Progress, amount


class Screen(io.StringIO):
    """A terminal."""

    def isatty(self) -> bool:
        return True


def test_a_log_has_a_line_each_tenth() -> None:
    out = io.StringIO()
    progress = Progress("box", out)
    for done in range(0, 1001):
        progress.show(done, 1000)
    assert out.getvalue().count("\n") == 11
    assert out.getvalue().endswith("box: 100 % of 1.0 kB\n")


def test_a_terminal_has_a_bar_that_grows_in_place() -> None:
    screen = Screen()
    progress = Progress("box", screen)
    progress.show(500, 1000)
    progress.show(501, 1000)  # too soon to be drawn
    progress.show(1000, 1000)
    progress.say("Done.")
    drawn = screen.getvalue().split("\r")
    assert drawn[1].startswith("[" + "#" * 15 + "." * 15 + "] box  50 % of 1.0 kB")
    assert drawn[2].startswith("[" + "#" * 30 + "] box 100 %") and len(drawn) == 3
    assert drawn[2].endswith("\nDone.\n")


def test_an_unknown_length_is_counted() -> None:
    out = io.StringIO()
    progress = Progress("box", out)
    for done in (1, 2, 250_000_000, 260_000_000):
        progress.show(done, None)
    assert out.getvalue() == "box: 1 bytes\nbox: 250.0 MB\n"
    progress.show(0, 0)
    assert out.getvalue().endswith("100 % of 0 bytes\n")


@pytest.mark.parametrize("count, words", [
    (0, "0 bytes"), (999, "999 bytes"), (1000, "1.0 kB"), (5 << 20, "5.2 MB"),
    (3 * 10**9, "3.0 GB")])
def test_amounts(count: int, words: str) -> None:
    assert amount(count) == words
