"""Who somebody is that a mail server knows by several names."""

import pytest

from desktop.auth import mailbox
from desktop.auth.mailbox import Mailbox


@pytest.mark.parametrize(("user", "domain", "found"), [
    ("ada", "", Mailbox("ada", "ada", "", "ada")),
    ("Ada@Example.org", "", Mailbox("ada@example.org", "ada@example.org", "ada@example.org",
                                    "ada")),
    ("ADA", "Example.org", Mailbox("ada", "ada@example.org", "ada@example.org", "ada")),
    ("ada@example.org", "example.org", Mailbox("ada", "ada@example.org", "ada@example.org",
                                               "ada")),
    ("ada@example.com", "example.org", None), ("@example.org", "", None), ("@", "", None),
    ("a@b@example.org", "example.org", None),
    ("ü", "example.org", Mailbox("ü", "ü@example.org", "", "ü"))])
def test_accounts(user: str, domain: str, found: Mailbox | None) -> None:
    assert mailbox.find(user, domain) == found
