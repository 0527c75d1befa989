"""The log: one line per event on standard error, which Apache, the journal or a file collects.

Secrets that pass through are masked, whoever logs them.
"""

import logging
import os
import re
import sys
from typing import Any, TextIO

SECRETS = re.compile(r"((?:password|passwd|token|secret|cookie|authorization)['\"]?\s*[=:]\s*)"
                     r"('[^']*'|\"[^\"]*\"|[^\s,;&#]+)", re.IGNORECASE)


class OneLine(logging.Formatter):
    """Format an event as one line without secrets; a traceback follows on lines of its own."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the text of the event."""
        return SECRETS.sub(r"\1***", super().format(record))

    def formatException(self, ei: Any) -> str:
        """Return the traceback, indented: nothing in it looks like a line of the log."""
        return "\n".join(f"    {line}" for line in super().formatException(ei).splitlines())

    def formatMessage(self, record: logging.LogRecord) -> str:
        """Return the line, with what could forge another line made visible."""
        record.message = record.message.encode("unicode_escape").decode("ascii")
        return super().formatMessage(record)


def set_up(program: str, stream: TextIO | None = None) -> None:
    """Send the log to `stream` (standard error when None), each line naming the program."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(OneLine(f"%(asctime)s {program}[%(process)d] %(levelname)s %(message)s"))
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)


def incident() -> str:
    """Log the exception that is being handled; return the number it can be found under."""
    number = os.urandom(3).hex()
    logging.getLogger("bug").exception("incident %s", number)
    return number
