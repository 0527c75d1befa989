"""What a network leads to; passt itself is tried by a guest made of frames, in a namespace."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from desktop.host import network
from desktop.settings import Settings

HERE = Path(__file__).parent
ROUTE = ("Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\n"
         "eth0\t00000000\t010200C0\t0003\t0\t0\t0\t00000000\t0\t0\t0\n")
NAMESPACE = """mount --make-rprivate / && ip link set lo up && sysctl -qw \
net.ipv4.ip_unprivileged_port_start=0 && ip link add v0 type veth peer name v1 && \
ip link set v0 up && ip link set v1 up && ip addr add 198.51.100.2/24 dev v0 && \
ip route add default via 198.51.100.1 && mount --bind "$1" /etc/resolv.conf && shift && exec "$@"
"""

works = network.works(Settings(dir_state=Path("/proc/nowhere")))
passt_works = pytest.mark.skipif(not works, reason="passt does not work here")
passt_can_be_tried = pytest.mark.skipif(not works or os.getuid() != 0,
                                        reason="needs passt, and root for a network namespace")


def proc(tmp_path: Path, route: str, route6: str = "") -> Path:
    """Make the two files of /proc that are read."""
    (tmp_path / "net").mkdir()
    (tmp_path / "net" / "route").write_text(route)
    (tmp_path / "net" / "ipv6_route").write_text(route6)
    return tmp_path


@passt_works
@pytest.mark.parametrize("route, route6, expected", [
    (ROUTE, "", "passt"),
    (ROUTE.replace("eth0\t0", "eth0\t1"), "", "isolated"),
    ("", f"{'0' * 32} 00 {'0' * 32} 00 fe80 0 0 0 1 eth0\n", "passt"),
    ("", f"{'0' * 32} 00 {'0' * 32} 00 {'0' * 32} 0 0 0 1 lo\n", "isolated")])
def test_the_internet_needs_a_route(tmp_path: Path, route: str, route6: str,
                                    expected: str) -> None:
    settings = Settings(dir_state=tmp_path)
    assert network.kind(settings, proc(tmp_path, route, route6)) == expected


@passt_works
def test_passt_is_tried_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = Settings(dir_state=tmp_path)
    assert network.works(settings)
    monkeypatch.setattr(network, "tried", None)
    assert network.works(settings)


@pytest.mark.parametrize("program", ["", "/bin/false", "/bin/yes"])
def test_a_passt_that_does_not_run_is_not_used(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch, program: str) -> None:
    monkeypatch.setattr(network, "passt", lambda: program)
    monkeypatch.setattr(network, "TRY_SECONDS", 0.1)
    assert network.kind(Settings(dir_state=tmp_path), proc(tmp_path, ROUTE)) == "user"
    assert not (tmp_path / "network.json").exists()


@passt_can_be_tried
def test_a_passt_without_a_tun_device_leaves_nothing(tmp_path: Path) -> None:
    try_it = ("from desktop.host import network; print(network.tried(), flush=True); import os\n"
              "os.system('ps -o args= -e | grep -c [p]asta.*--fd')")
    done = subprocess.run(
        ["unshare", "-mp", "--fork", "--mount-proc", "sh", "-c",
         'mount --bind /dev/null /dev/net/tun && exec "$@"', "sh", sys.executable, "-c", try_it],
        capture_output=True, text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)})
    assert done.stdout.split() == [str(not network.wrapping(network.passt())), "0"]


@pytest.mark.parametrize("kind", ["isolated", "none"])
def test_a_setting_cuts_machines_off(kind: str) -> None:
    assert network.kind(Settings(guest_network=kind)) == kind


def test_only_what_people_must_know_is_announced() -> None:
    assert network.announce("passt") == ""
    assert "10.0.2.2" in network.announce("user")


def test_name_servers_behind_a_local_one_are_told(tmp_path: Path) -> None:
    etc, run = tmp_path / "etc", tmp_path / "run/systemd/resolve"
    etc.mkdir()
    run.mkdir(parents=True)
    (etc / "resolv.conf").write_text("# stub\nnameserver 127.0.0.53\nnameserver ::1\nnameserver\n")
    assert network.names(tmp_path) == ["--dns-forward", network.FORWARD]
    (run / "resolv.conf").write_text("nameserver fe80::1%eth0\nnameserver 192.0.2.53\nsearch x\n")
    assert network.names(tmp_path) == ["--dns", "192.0.2.53"]
    (etc / "resolv.conf").write_text("nameserver 192.0.2.7\n")
    assert network.names(tmp_path) == []


@pytest.fixture
def readable() -> Iterator[Path]:
    """A copy of the library and of wire.py that every user can read, wherever the checkout is."""
    place = Path(tempfile.mkdtemp())
    place.chmod(0o755)
    shutil.copy(HERE / "wire.py", place)
    shutil.copytree(HERE.parents[2] / "lib", place / "lib")
    yield place
    shutil.rmtree(place)


def wire(readable: Path, resolver: str, *words: str, user: int = 0) -> dict[str, object]:
    """Run wire.py in a namespace of its own, as a user, with a resolv.conf."""
    (readable / "resolv.conf").write_text(f"nameserver {resolver}\n")
    run = ["unshare", "-nm", "sh", "-c", NAMESPACE, "sh", str(readable / "resolv.conf"),
           "setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups",
           sys.executable, str(readable / "wire.py"), *words]
    done = subprocess.run(run, capture_output=True, text=True, timeout=30,
                          env={**os.environ, "PYTHONPATH": str(readable / "lib")})
    assert done.returncode == 0, done.stderr
    facts: dict[str, object] = json.loads(done.stdout)
    return facts


@passt_can_be_tried
@pytest.mark.parametrize("user", [0, 65534])
def test_a_guest_gets_an_address_and_never_the_loopback(readable: Path, user: int) -> None:
    facts = wire(readable, "198.51.100.9", user=user)
    assert facts == {"address": "198.51.100.2", "name_server": "198.51.100.9", "name": "",
                     "loopback": False, "status": 0}


@passt_can_be_tried
def test_the_loopback_would_be_seen_if_it_were_reached(readable: Path) -> None:
    assert wire(readable, "127.0.0.53", "map-gw")["loopback"] is True
