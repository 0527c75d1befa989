"""The README's second command, typed in a Debian that has never seen the project."""

from install.debian import CLONE, Debian


def test_the_library_is_tested_there_too(trixie: Debian) -> None:
    said = trixie.run(f"cd {CLONE} && sudo tests/run unit -q", "ann")
    assert " passed" in said and "failed" not in said
