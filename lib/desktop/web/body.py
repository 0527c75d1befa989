"""The body of a request: the fields of a form, however they are encoded.

Read strictly: what two readers could understand in two ways is refused. The only importer of
multipart.
"""

import json
import re
from collections.abc import Collection, Mapping
from typing import BinaryIO
from urllib.parse import unquote_to_bytes

from desktop.errors import Refusal

MOST_BYTES = 64 * 1024
MOST_FIELDS = 64

Pairs = list[tuple[str, str]]  # names and values in their order, also those that are there twice


def read(environ: Mapping[str, str], stream: BinaryIO, many: Collection[str] = ()) -> Pairs:
    """Return the fields of a POST; those of `many` may be lists in JSON.

    Raises Refusal: 400 for what is malformed, 413 above 64 KiB, 415 for another encoding.
    """
    kind, parameters = content_type(environ)
    return decode(read_bytes(environ, stream), kind, parameters, many)


def read_bytes(environ: Mapping[str, str], stream: BinaryIO) -> bytes:
    """Return the body, never reading more than a byte beyond what is allowed or announced."""
    announced = environ.get("CONTENT_LENGTH", "")
    if announced and not re.fullmatch("[0-9]{1,15}", announced):
        raise Refusal("The length of the request is not a number.")
    length = int(announced) if announced else MOST_BYTES
    too_large = Refusal(f"A request may have {MOST_BYTES // 1024} KiB.", 413)
    if length > MOST_BYTES:
        raise too_large
    data = stream.read(length + 1)
    if len(data) > MOST_BYTES:
        raise too_large
    if announced and len(data) != length:
        raise Refusal("The request is not as long as it says.")
    if environ.get("HTTP_CONTENT_ENCODING", "identity").lower() != "identity":
        raise Refusal("Compressed requests are not read.", 415)
    return data


def content_type(environ: Mapping[str, str]) -> tuple[str, dict[str, str]]:
    """Return the kind of the body and its parameters; kind and names in lower case."""
    kind, *rest = environ.get("CONTENT_TYPE", "").split(";")
    parameters = {}
    for parameter in rest:
        name, _, value = parameter.strip().partition("=")
        parameters[name.lower()] = value.strip('"')
    return kind.strip().lower(), parameters


def decode(data: bytes, kind: str, parameters: Mapping[str, str],
           many: Collection[str] = ()) -> Pairs:
    """Return the fields of a body in their order; raise Refusal for another encoding."""
    if parameters.get("charset", "utf-8").lower() not in ("utf-8", "utf8"):
        raise Refusal("Requests are read in UTF-8 only.", 415)
    if kind == "application/x-www-form-urlencoded" or not data:
        return urlencoded(data)
    if kind == "multipart/form-data":
        return multipart(data, parameters.get("boundary", ""))
    if kind == "application/json":
        return json_object(data, many)
    raise Refusal("The form is sent in an encoding that is not read here.", 415,
                  "Send application/x-www-form-urlencoded, multipart/form-data or JSON.")


def urlencoded(data: bytes) -> Pairs:
    """Return the fields of name=value&... (WHATWG URL standard, 5.1), without its leniency."""
    if re.search(rb"%(?![0-9A-Fa-f]{2})", data):
        raise Refusal("A % in the form is not followed by two hexadecimal digits.")
    pairs = []
    for part in data.split(b"&") if data else []:
        name, equals, value = part.replace(b"+", b" ").partition(b"=")
        if not name or not equals:
            raise Refusal("The form is not made of name=value.")
        pairs.append((text(unquote_to_bytes(name)), text(unquote_to_bytes(value))))
    return pairs


def multipart(data: bytes, boundary: str) -> Pairs:
    """Return the fields of multipart/form-data (RFC 7578); files are refused."""
    import multipart as library  # 19 ms, for the few that send this
    pairs = []
    try:
        with library.PushMultipartParser(boundary, content_length=len(data), strict=True,
                                         max_segment_count=MOST_FIELDS) as parser:
            for event in parser.parse(data):
                if isinstance(event, library.MultipartSegment):
                    if event.filename is not None:
                        raise Refusal("Files are not taken.")
                    name, value = event.name, b""
                elif event is None:
                    pairs.append((text(name.encode("utf-8", "surrogatepass")), text(value)))
                else:
                    value += event
    except (library.MultipartError, UnicodeError, LookupError) as error:
        raise Refusal("The form is not valid multipart/form-data.") from error
    return pairs


def json_object(data: bytes, many: Collection[str] = ()) -> Pairs:
    """Return the fields of a JSON object of texts, numbers and truths, as a form would send them.

    A list of them is one of `many`, there several times. Numbers keep their spelling, so that the
    same strict reading applies to them.
    """
    try:
        found = json.loads(text(data), parse_int=str, parse_float=str,
                           parse_constant=no_number, object_pairs_hook=Members)
    except (ValueError, RecursionError) as error:
        raise Refusal("The request is not valid JSON.") from error
    if not isinstance(found, Members):
        raise Refusal("The request is not a JSON object.")
    spelled = []
    for name, content in found:
        for value in content if isinstance(content, list) and name in many else [content]:
            if isinstance(value, bool):
                value = str(int(value))
            if not isinstance(value, str):
                raise Refusal(f"{shown(name)} is neither a text, a number, true nor false.")
            spelled.append((name, value))
    return spelled


def no_number(word: str) -> None:
    """Refuse NaN and Infinity, which Python takes and JSON has not."""
    raise ValueError(f"{word} is not a number")


class Members(list[tuple[str, object]]):
    """The members of a JSON object, all of them, also those that are there twice."""


def text(data: bytes) -> str:
    """Return bytes as text; raise Refusal when they are not UTF-8."""
    try:
        return data.decode("utf-8")
    except UnicodeError as error:
        raise Refusal("The request is not in UTF-8.") from error


def shown(name: object) -> str:
    """Return a name from outside as it may stand in a sentence."""
    return ascii(str(name)[:32])
