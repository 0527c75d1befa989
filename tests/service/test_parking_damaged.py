"""A parked session of which something is lost: that is said, and it can be removed."""

import os

from service.installation import Installation
from service.parking import parked, wake


def test_what_is_damaged_is_said(lot: Installation) -> None:
    ada, root, stranger = lot.person(), lot.person("root"), lot.stranger()
    desktop, other = ada.create(), ada.create()
    home, second = parked(lot, desktop), parked(lot, other)
    for path in (home / "volumes.json", home / "settings.ini", home / "token", home / "state"):
        content = path.read_bytes()
        path.unlink()
        for _ in range(2):
            reply = wake(ada, desktop)
            assert (reply.status, reply.json["message"]) == (
                500, "What was saved of this machine is damaged.")
        if path.name != "state":
            reply = wake(stranger, desktop, token=desktop.token or "")
            assert reply.status == 500 and "damaged" in reply.json["message"]
        assert f"{desktop.id} cannot go on: {path.name} cannot be read" in (
            lot.directory / "error.log").read_text()
        assert {one["state"] for one in ada.sessions()} == {"parked"}
        path.write_bytes(content)
        path.chmod(0o644)
    (second / "token").unlink()
    os.truncate(home / "state", 1000)
    assert wake(ada, desktop).status == wake(ada, other).status == 500
    assert desktop.stop().status == 200
    assert root.stop(other.id).status == 200
    assert not list(lot.leftovers())
