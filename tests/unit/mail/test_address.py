"""Which texts are mail addresses, and which of them lead into one mailbox."""

import pytest

from desktop.mail import address


@pytest.mark.parametrize(("text", "spelled", "mailbox"), [
    ("ann@example.org", "ann@example.org", "ann@example.org"),
    (" Ann.Smith@Example.ORG ", "Ann.Smith@example.org", "ann.smith@example.org"),
    ("ann+x@example.org", "ann+x@example.org", "ann@example.org"),
    ("o'neil_1-a@a-b.example.org", "o'neil_1-a@a-b.example.org", "o'neil_1-a@a-b.example.org")])
def test_addresses(text: str, spelled: str, mailbox: str) -> None:
    found = address.parse(text)
    assert found and str(found) == spelled and found.mailbox == mailbox


@pytest.mark.parametrize("text", [
    "", "@", "ann", "ann@", "@example.org", "ann@example", "ann@@example.org", "a b@example.org",
    "ann@example.org\n", "ann@example.org\r\nBcc: bob@example.org", "ann@exam ple.org",
    "ann@example.org, bob@example.org", "ann@example.org;bob@example.org", "*@example.org",
    "<ann@example.org>", "Ann <ann@example.org>", '"ann"@example.org', "ann(x)@example.org",
    "ann%example.org@example.com", "a!ann@example.org", "|ann@example.org", "ann@[127.0.0.1]",
    "@a,@b:ann@example.org", ".ann@example.org", "ann.@example.org", "an..n@example.org",
    "ann@-example.org", "ann@example-.org", "ann@.example.org", "ann@example.org.",
    "ü@example.org", "ann@exämple.org",
    "ann\0@example.org", "+x@example.org", "a" * 65 + "@example.org",
    "ann@" + "a." * 130 + "org", "ann@example.org\u2028", "\u00a0ann@example.org"])
def test_what_is_none(text: str) -> None:
    assert address.parse(text) is None
