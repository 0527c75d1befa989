"""apache/install --check and the monitor, on a server from nothing to one that somebody hardened.

One system for all of it: the tests go on from each other, in the order in which they stand.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from install.debian import CLONE, Debian
from install.desk import Desk, password
from install.listing import difference, listing

DROP_INS = "/etc/systemd/system/apache2.service.d"
OWN = ("/var/lib/remote-desktop/state", "/var/log/remote-desktop")  # counts sign-ins, tells all
RESTART = "systemctl daemon-reload && systemctl restart apache2"
LINE = re.compile(r"^(.{13}) (good|note|BAD |ok  |failed|to do) {3,5}(\S.*)$", re.M)


@pytest.fixture(scope="module")
def desk(trixie: Debian) -> Desk:
    """An installation on a new system, and a session on it."""
    said = trixie.install()
    trixie.run("echo service_max_load = 0 >> /etc/remote-desktop/desktop.ini")
    return Desk(trixie, password(said))


def check(system: Debian) -> tuple[int, dict[str, str]]:
    """Return the exit status of --check, and what it says of each thing, with what to do."""
    said = system.run(f"{CLONE}/apache/install --check; echo $?", check=False)
    lines, status = said.strip().rsplit("\n", 1)
    found: dict[str, str] = {}
    last = ""
    for name, verdict, text in LINE.findall(lines):
        last = name.strip() or last
        found[last] = f"{found.get(last, '')} {verdict.strip()}: {text}".strip()
    assert found, said
    return int(status), found


def bad(found: dict[str, str]) -> set[str]:
    """Return the names of what is not good."""
    return {name for name, text in found.items() if "BAD: " in text or "failed: " in text}


def warnings(desk: Desk) -> str:
    """Return what the monitor warns administrators of."""
    return " ".join(desk.browser.get("/desktop/monitor").json()["host"]["warnings"])


@contextmanager
def unit(system: Debian, *lines: str) -> Iterator[None]:
    """Have Apache run with these lines in its unit, for a while; whatever else is said there."""
    system.write(f"{DROP_INS}/site.conf", "\n".join(["[Service]", *lines, ""]))
    try:
        system.run(RESTART)
        yield
    finally:
        system.run(f"rm {DROP_INS}/site.conf && {RESTART}")


def test_a_server_without_the_service(trixie: Debian) -> None:
    before = listing(trixie)
    status, found = check(trixie)
    assert status == 1 and found["service"].startswith("BAD: not installed on this server")
    assert not difference(before, listing(trixie))


def test_a_server_with_it(desk: Desk) -> None:
    before = listing(desk.system)
    status, found = check(desk.system)
    assert status == 0 and not bad(found), found
    for name in ("KVM", "QEMU", "UEFI", "passt", "noVNC", "websockify", "Apache's unit", "disk",
                 "directories", "machines", "IOMMU", "GPU", "memlock", "htpasswd", "rights",
                 "Apache", "modules", "systemd", "TLS", "housekeeping", "desktop"):
        assert name in found, found
    assert "not used" in found["GPU"] and "its screen answered, stopped" in found["desktop"]
    changed = difference(before, listing(desk.system))
    assert not [line for line in changed if not line[2:].startswith(OWN)]
    assert desk.screen_answers()


def test_a_unit_that_ends_sessions(desk: Desk) -> None:
    assert "KillMode" not in warnings(desk)
    desk.system.run(f"mv {DROP_INS}/remote-desktop.conf /root")
    try:
        status, found = check(desk.system)
        assert status == 1 and {"Apache's unit", "systemd"} <= bad(found), found
        assert "ends all sessions (KillMode=mixed)" in found["Apache's unit"]
        assert "ends all sessions (KillMode=mixed)" in warnings(desk)
        assert "systemctl daemon-reload" in warnings(desk)
    finally:
        desk.system.run(f"mv /root/remote-desktop.conf {DROP_INS}/")
    assert check(desk.system)[0] == 0


def test_a_unit_that_hides_things(desk: Desk) -> None:
    with unit(desk.system, "ProtectSystem=strict", "PrivateDevices=yes", "ProtectHome=yes",
              "ReadWritePaths=/run /var/log /var/lib/remote-desktop/state",
              "InaccessiblePaths=/var/lib/remote-desktop/machines"):
        status, found = check(desk.system)
        assert status == 1, found
        assert "may not write to dir_snapshots" in found["dir_snapshots"]
        assert "hides dir_machines" in found["dir_machines"]
        assert "PrivateDevices=yes" in found["Apache's unit"]
        assert "dir_state" not in found and "BAD" in found["desktop"]
        said = warnings(desk)
        for words in ("ReadWritePaths=/var/lib/remote-desktop/snapshots", "PrivateDevices=no",
                      "hides dir_machines"):
            assert words in said
    assert not bad(check(desk.system)[1]) and desk.screen_answers()
    assert warnings(desk) == "" or "emulated" in warnings(desk)


def test_rights_and_what_is_missing(desk: Desk) -> None:
    system = desk.system
    system.run("cd /var/lib/remote-desktop; chmod 777 state; chmod 644 /etc/remote-desktop/*.ini;"
               " mv /usr/share/novnc/vnc.html /root; a2dismod -q reqtimeout;"
               " systemctl stop remote-desktop.timer; rm /etc/remote-desktop/htpasswd")
    try:
        status, found = check(system)
        assert status == 1 and {"rights", "noVNC", "modules", "htpasswd"} <= bad(found), found
        for path in ("desktop.ini has mode 644", "state has mode 777", "htpasswd: No such file"):
            assert path in found["rights"]
        assert "reqtimeout" in found["modules"] and "note: " in found["housekeeping"]
    finally:
        system.run("mv /root/vnc.html /usr/share/novnc")
    for name in ("rights", "modules", "housekeeping"):
        system.run(f"cd {CLONE} && {found[name].rpartition('to do: ')[2]}")
    assert not bad(check(system)[1])
