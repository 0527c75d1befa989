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


def test_nothing_in_a_traceback_looks_like_a_line() -> None:
    stream = io.StringIO()
    before = logging.root.handlers[:]
    try:
        log.set_up("test", stream)
        try:
            raise ValueError("x\n2026-01-02 03:04:05,006 test[7] WARNING forged")
        except ValueError:
            logging.exception("a bug")
    finally:
        logging.root.handlers[:] = before
    first, *rest = stream.getvalue().splitlines()
    assert "a bug" in first and len(rest) > 3
    assert all(line.startswith("    ") for line in rest)
