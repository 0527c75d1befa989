"""What the keeper knows of its QEMU."""

from pathlib import Path

from desktop.session.guest import Guest
from desktop.session.paths import Paths
from desktop.settings import Settings


def test_a_warning_is_not_why_it_ended(tmp_path: Path) -> None:
    guest = Guest(Paths(tmp_path), Settings())
    warnings = ("qemu-system-x86_64: warning: netdev net0 has no peer\n"
                "warning: fd: migration to a file is deprecated. Use file: instead.\n")
    guest.paths.qemu_log.write_text(warnings)
    assert guest.last_words() == ""
    guest.paths.qemu_log.write_text("qemu-system-x86_64: no disk\n" + warnings)
    assert guest.last_words() == "qemu-system-x86_64: no disk"
