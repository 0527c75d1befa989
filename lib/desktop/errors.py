"""The only exception a person ever sees.

Anything else that escapes is a bug: the web edge answers 500 with an incident number and writes
the traceback to the log; a script run by hand exits with status 2.
"""


class Refusal(Exception):
    """Something that is not done, with the reason in words for whoever asked.

    Attributes:
        message: what is refused and why, one sentence.
        status: the HTTP status that says the same (RFC 9110).
        hint: what to do next, one sentence, or nothing.
        retry_after: seconds after which trying again may help, or None.
    """

    def __init__(self, message: str, status: int = 400, hint: str = "",
                 retry_after: int | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.status = status
        self.hint = hint
        self.retry_after = retry_after

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".rstrip()
