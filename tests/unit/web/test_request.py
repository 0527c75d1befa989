"""Requests: what is clear comes through, what is not is refused and never a bug."""

import io
import json

import pytest
from asking import FORM, environ, post
from hypothesis import given
from hypothesis import strategies as st

from desktop import literal
from desktop.errors import Refusal
from desktop.web import request
from desktop.web.body import MOST_BYTES

FIELDS = ("user", "password", "machine", "cpu", "memory")


def read(body: bytes, kind: str = FORM, **changes: str | None) -> dict[str, str]:
    """Return the fields of a POST of these bytes."""
    changes = {"CONTENT_LENGTH": str(len(body)), **changes}
    variables = environ(REQUEST_METHOD="POST", CONTENT_TYPE=kind, **changes)
    return dict(request.read(variables, io.BytesIO(body), fields=FIELDS).fields)


def refused(status: int, body: bytes, kind: str = FORM, **changes: str | None) -> Refusal:
    """Expect a refusal."""
    with pytest.raises(Refusal) as problem:
        read(body, kind, **changes)
    assert problem.value.status == status, problem.value
    return problem.value


def test_a_get() -> None:
    found = request.read(environ(QUERY_STRING="session=abc", HTTP_COOKIE="a=1; b=2;a=3; junk",
                                 HTTP_ORIGIN="https://x", HTTPS="on"), io.BytesIO(b"unread"),
                         query=("session",))
    assert found.method == "GET"
    assert found.query == {"session": "abc"}
    assert found.fields == {}
    assert found.cookies == {"a": "1", "b": "2"}
    assert (found.scheme, found.host, found.base) == ("https", "desktop.example.org", "/desktop")
    assert found.origin == "https://x"


@pytest.mark.parametrize("body", [
    "user=J%C3%BCrgen+M&password=a%26b%3D%2B&cpu=", "user=Jürgen M&password=a%26b%3d%2b&cpu="])
def test_urlencoded(body: str) -> None:
    assert read(body.encode()) == {"user": "Jürgen M", "password": "a&b=+", "cpu": ""}


def multipart(*parts: tuple[str, str], end: str = "--\r\n", extra: str = "") -> bytes:
    """Return a body as browsers send it."""
    return "".join(f'--XX\r\nContent-Disposition: form-data; name="{name}"{extra}\r\n\r\n'
                   f"{value}\r\n" for name, value in parts).encode() + b"--XX" + end.encode()


def test_multipart() -> None:
    kind = "multipart/form-data; boundary=XX"
    assert read(multipart(("user", "Jürgen"), ("password", "")), kind) == {
        "user": "Jürgen", "password": ""}
    refused(400, multipart(("user", "a"), end=""), kind)
    refused(400, multipart(("user", "a"), extra='; filename="x"'), kind)
    refused(400, multipart(("user", "a")), "multipart/form-data")
    refused(400, multipart(("user", "a")), "multipart/form-data; boundary=other")
    refused(400, multipart(("user", "a\0b")), kind)
    refused(400, multipart(("user", "a"), ("user", "b")), kind)
    refused(400, multipart(*[("user", "a")] * 100), kind)
    refused(400, multipart(("user", "a")).replace(b'"a"', b"\xff").replace(b"\r\na", b"\r\n\xff"),
            kind)


def test_json() -> None:
    kind = "application/json; charset=UTF-8"
    assert read(b'{"user": "a", "cpu": 2, "memory": 1e3, "machine": true}', kind) == {
        "user": "a", "cpu": "2", "memory": "1e3", "machine": "1"}
    for body in (b"[]", b"1", b"{", b'{"cpu": null}', b'{"cpu": [1]}', b'{"cpu": {"a": 1}}',
                 b'{"cpu": NaN}', b'{"cpu": Infinity}', b'{"cpu": 1, "cpu": 2}',
                 b'{"user": "\\ud800"}', b'{"user": "a\\u0000"}', b'[["user", "a"]]',
                 b"[" * 60000, b'{"a":' * 10000, b'{"user": "\xff"}', b"\xef\xbb\xbf{}"):
        refused(400, body, kind)


@pytest.mark.parametrize("body", [
    b"user", b"user=a&", b"&user=a", b"=a", b"user=a&user=a", b"user=a&user=b", b"user=%zz",
    b"user=%f", b"user=%00", b"user=a%0Ab", b"user=%7f", b"user=%C2%85", b"user=%E2%80%A8",
    b"user=%ff", b"user=\xe4", b"user=" + b"a" * 1025, b"constructor=1", b"%00=1",
    b"use%72=a&user=b", b"u" * 5000 + b"=1"])
def test_malformed_forms(body: bytes) -> None:
    refused(400, body)


def test_unknown_fields_name_the_nearest() -> None:
    assert refused(400, b"memroy=1").hint == "Did you mean memory?"
    assert "<script>" not in refused(400, b"%3Cscript%3E\x1b=1").message.replace("'<script>", "")


@pytest.mark.parametrize(("status", "changes"), [
    (413, {"CONTENT_LENGTH": str(MOST_BYTES + 1)}), (413, {"CONTENT_LENGTH": "9" * 15}),
    (400, {"CONTENT_LENGTH": "5"}), (400, {"CONTENT_LENGTH": "60"}),
    (400, {"CONTENT_LENGTH": "-1"}), (400, {"CONTENT_LENGTH": "1e3"}),
    (400, {"CONTENT_LENGTH": "٣"}), (400, {"CONTENT_LENGTH": "9" * 16}),
    (415, {"HTTP_CONTENT_ENCODING": "gzip"}), (415, {"CONTENT_TYPE": "text/plain"}),
    (415, {"CONTENT_TYPE": FORM + "; charset=latin-1"}), (415, {"CONTENT_TYPE": None}),
    (400, {"QUERY_STRING": "machine=x"}), (400, {"QUERY_STRING": "x"}),
    (404, {"PATH_INFO": "/"}), (404, {"PATH_INFO": "/../../etc/passwd"}),
    (400, {"HTTP_HOST": "a b"}), (400, {"HTTP_HOST": ""}), (400, {"HTTP_HOST": "a\r\nX: y"}),
    (400, {"HTTP_HOST": "a/../b"}), (400, {"HTTP_HOST": "a:b"}), (400, {"HTTP_HOST": "user@a"}),
    (404, {"SCRIPT_NAME": "/desktop/cre;ate"}), (404, {"SCRIPT_NAME": ""})])
def test_refused_envelopes(status: int, changes: dict[str, str | None]) -> None:
    variables, body = post({"user": "a", "password": "b"})
    with pytest.raises(Refusal) as problem:
        variables = {name: value for name, value in {**variables, **changes}.items()
                     if value is not None}
        request.read(variables, body, fields=FIELDS)
    assert problem.value.status == status


class Endless(io.RawIOBase):
    """A body that never ends; it counts what is read."""

    taken = 0

    def read(self, size: int = -1) -> bytes:
        assert size >= 0
        self.taken += size
        return b"a" * size


@pytest.mark.parametrize("length", [None, "100", str(MOST_BYTES)])
def test_never_reads_more_than_allowed(length: str | None) -> None:
    body = Endless()
    with pytest.raises(Refusal) as problem:
        request.read(environ(REQUEST_METHOD="POST", CONTENT_TYPE=FORM, CONTENT_LENGTH=length),
                     body, fields=FIELDS)  # type: ignore[arg-type]
    assert problem.value.status == (400 if length == "100" else 413)
    assert body.taken <= MOST_BYTES + 1


def test_a_length_that_is_not_told() -> None:
    assert read(b"user=a", CONTENT_LENGTH=None) == {"user": "a"}


@pytest.mark.parametrize("method", ["PUT", "DELETE", "OPTIONS", "TRACE", "", "get", "G\0T"])
def test_other_methods(method: str) -> None:
    with pytest.raises(Refusal, match="GET, HEAD, POST") as problem:
        request.read(environ(REQUEST_METHOD=method), io.BytesIO())
    assert problem.value.status == 405


def test_head_is_a_get() -> None:
    assert request.read(environ(REQUEST_METHOD="HEAD"), io.BytesIO()).method == "GET"


@pytest.mark.parametrize(("accept", "kind", "wanted"), [
    ("", "", False), ("*/*", "", False), ("application/json", "", True),
    ("text/html,application/xhtml+xml,*/*;q=0.8", "", False),
    ("application/json, text/plain, */*", "", True),
    ("text/html, application/json;q=0.9", "", False), ("application/json;q=0", "", False),
    ("application/json;q=nan", "", False), ("*/*", "application/json", True),
    ("text/html", "application/json", False), (";;,,q=", "", False)])
def test_who_wants_json(accept: str, kind: str, wanted: bool) -> None:
    assert request.wants_json(environ(HTTP_ACCEPT=accept, CONTENT_TYPE=kind)) is wanted


@pytest.mark.parametrize("host", ["a", "a.b:8443", "127.0.0.1", "[::1]:80", "[fe80::1]", "A.B"])
def test_hosts(host: str) -> None:
    assert request.host(environ(HTTP_HOST=host)) == host.lower()


def test_no_host() -> None:
    assert request.host(environ(HTTP_HOST=None, SERVER_NAME="a", SERVER_PORT="81")) == "a:81"


def test_variables_that_are_not_looked_at() -> None:
    found = request.read(environ(HTTP_PROXY="http://evil", HTTP_REMOTE_USER="root",
                                 HTTP_X_FORWARDED_FOR="evil", HTTP_X_FORWARDED_HOST="evil",
                                 HTTP_X_FORWARDED_PROTO="https"), io.BytesIO())
    assert "evil" not in repr(found) and "root" not in repr(found)
    assert found.scheme == "http"


KINDS = st.sampled_from([FORM, "application/json", "multipart/form-data; boundary=XX"])
SCRAPS = st.lists(st.sampled_from([
    b"user", b"=", b"&", b"%00", b"%", b"{", b"}", b'"', b":", b"[", b"--XX", b"\r\n", b"--",
    b'Content-Disposition: form-data; name="user"', b"\xff", b"\xc3\xa9", b"1e9999", b"\\ud800"]),
    max_size=30).map(b"".join)


@given(st.one_of(st.binary(max_size=200), SCRAPS), KINDS)
def test_whatever_comes_is_read_or_refused(body: bytes, kind: str) -> None:
    try:
        fields = read(body, kind)
    except Refusal as problem:
        assert 400 <= problem.status < 500
        json.dumps([problem.message, problem.hint]).encode("ascii")
        problem.message.encode()
    else:
        assert set(fields) <= set(FIELDS)
        assert not any(literal.CONTROL.search(value) for value in fields.values())


@given(st.dictionaries(st.sampled_from(["QUERY_STRING", "HTTP_COOKIE", "HTTP_HOST", "HTTP_ACCEPT",
                                        "CONTENT_TYPE", "SCRIPT_NAME", "HTTP_ORIGIN", "PATH_INFO",
                                        "REQUEST_METHOD", "CONTENT_LENGTH"]),
                       st.text(st.characters(exclude_characters="\0"), max_size=60)))
def test_whatever_the_envelope(changes: dict[str, str]) -> None:
    try:
        request.read(environ(**changes), io.BytesIO(), query=("session",), fields=FIELDS)
    except Refusal as problem:
        assert 400 <= problem.status < 500


@given(st.dictionaries(st.sampled_from(FIELDS), st.text(
    st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"]), max_size=50)))
def test_what_browsers_send_comes_through(fields: dict[str, str]) -> None:
    assert request.read(*post(fields), fields=FIELDS).fields == fields
    assert read(json.dumps(fields).encode(), "application/json") == fields
