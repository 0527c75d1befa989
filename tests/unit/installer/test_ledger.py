"""What becomes of a file that the site may edit."""

from pathlib import Path

import pytest

from ledger import Ledger, checksum, compare

OLD, NEW, OURS = b"old", b"new", b"ours"


@pytest.mark.parametrize("current,recorded,outcome", [
    (None, None, "changed"), (None, OLD, "changed"), (NEW, None, ""), (NEW, OLD, ""),
    (OLD, OLD, "changed"), (OURS, OLD, "edited"), (OURS, None, "edited"), (OURS, NEW, "kept")])
def test_an_edited_file_is_kept_and_the_new_one_is_told_once(
        tmp_path: Path, current: bytes | None, recorded: bytes | None, outcome: str) -> None:
    path = tmp_path / "desktop.ini"
    if current is not None:
        path.write_bytes(current)
    known = Ledger(files={str(path): checksum(recorded)} if recorded else {})
    assert compare(known, path, NEW) == outcome
