"""One line per event, no secrets."""

import io
import logging

from desktop import log


def test_lines_cannot_be_forged_and_secrets_are_masked() -> None:
    stream = io.StringIO()
    before = logging.root.handlers[:]
    try:
        log.set_up("test", stream)
        logging.warning("user=%s", "ann\n2026 keeper ERROR forged")
        logging.warning("password=hunter2 token: 'ab cd' {\"secret\": \"xyz\"} machine=a.iso")
    finally:
        logging.root.handlers[:] = before
    text = stream.getvalue()
    assert text.count("\n") == 2
    assert "hunter2" not in text and "ab cd" not in text and "xyz" not in text
    assert "machine=a.iso" in text
