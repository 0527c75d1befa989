"""When a machine that boots is taken for ready: told with the looks of boots that are known."""

import pytest

from desktop.freeze.stillness import STILL, Look, Picture, Stillness, alike, picture

BLACK: Picture = (0,) * 100
LOGO: Picture = (0,) * 40 + (1, 2, 3) + (0,) * 57
DESKTOP: Picture = tuple(range(100))
CLOCK: Picture = (*range(98), 500, 501)


def watch(*looks: tuple[int, Picture, float]) -> float:
    """Return the second at which a boot is taken for ready, 0 for never.

    Each look is that of so many seconds: a picture and how busy the CPUs are.
    """
    still, at = Stillness(), 0
    for seconds, shown, busy in looks:
        for _ in range(seconds):
            at += 1
            if still.seconds(Look(float(at), shown, busy)) >= STILL:
                return at
    return 0


def test_a_desktop_that_stands_still_is_ready() -> None:
    assert watch((10, BLACK, 1.0), (30, DESKTOP, 0.05)) == 11 + STILL


def test_a_logo_that_stands_while_the_machine_works_is_not() -> None:
    assert watch((5, BLACK, 1.0), (60, LOGO, 0.9)) == 0


def test_a_black_screen_that_waits_is_not() -> None:
    assert watch((5, LOGO, 0.9), (60, BLACK, 0.0)) == 0


def test_what_never_changed_is_not() -> None:
    assert watch((60, DESKTOP, 0.0)) == 0


def test_a_boot_menu_is_not() -> None:
    booted = (20, DESKTOP, 0.9), (30, CLOCK, 0.1)
    assert watch((3, BLACK, 1.0), (8, LOGO, 0.02), *booted) == 31 + STILL


def test_a_clock_that_ticks_is_still() -> None:
    ticking = [(1, CLOCK if second % 2 else DESKTOP, 0.05) for second in range(30)]
    assert watch((5, BLACK, 1.0), *ticking) == 6 + STILL


@pytest.mark.parametrize(("other", "same"), [(CLOCK, True), (LOGO, False), (DESKTOP[:50], False)])
def test_pictures_are_alike_but_for_a_few_rows(other: Picture, same: bool) -> None:
    assert alike(DESKTOP, other) is same


def test_rows_of_a_dump_are_told_apart() -> None:
    rows = picture(b"P6\n2 3\n255\n" + b"abcdef" * 2 + b"ABCDEF")
    assert len(rows) == 3 and rows[0] == rows[1] != rows[2]
