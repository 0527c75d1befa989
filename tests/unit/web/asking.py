"""Requests as Apache hands them to a script."""

import io
from collections.abc import Callable, Mapping
from urllib.parse import urlencode

from desktop.web.request import Request

ASK = {"GATEWAY_INTERFACE": "CGI/1.1", "REQUEST_METHOD": "GET", "SCRIPT_NAME": "/desktop/create",
       "HTTP_HOST": "desktop.example.org", "REMOTE_ADDR": "192.0.2.7"}
FORM = "application/x-www-form-urlencoded"
Make = Callable[..., Request]


def environ(**changes: str | None) -> dict[str, str]:
    """Return the environment of a GET with some variables changed; None takes one away."""
    return {name: value for name, value in {**ASK, **changes}.items() if value is not None}


def post(fields: Mapping[str, str], **changes: str | None) -> tuple[dict[str, str], io.BytesIO]:
    """Return environment and body of a form."""
    body = urlencode(fields).encode()
    return environ(REQUEST_METHOD="POST", CONTENT_TYPE=FORM, CONTENT_LENGTH=str(len(body)),
                   **changes), io.BytesIO(body)
