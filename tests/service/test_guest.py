"""A booted machine: what it shows, what it hears, what it reaches, how it ends."""

import shutil
import socket
import socketserver
import struct
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import psutil
import pytest
from service import websocket
from service.conftest import tidy
from service.guest import BOOT, Guest, Ran
from service.installation import USER, Installation, short_directory
from service.person import Desktop
from service.rfb import Viewer
from service.until import until

BLUE, YELLOW = (0x1d, 0x4e, 0x89), (0xf7, 0xc9, 0x48)
PNG = b"\x89PNG\r\n\x1a\n"


class Booted:
    """A session of tiny that has booted, with a viewer and a shell inside."""

    def __init__(self, site: Installation, **fields: str) -> None:
        self.site = site
        self.desktop: Desktop = site.person().create(**{"machine": "tiny.iso", "memory": "128",
                                                        **fields})
        self.viewer: Viewer = self.desktop.view()
        self.guest = Guest(site.run / self.desktop.id)


@pytest.fixture(scope="module")
def volumes() -> Iterator[Path]:
    """Directories of the host that machines may see: one to read, one to write, one not."""
    directory = short_directory()
    for name in ("media", "work", "private"):
        (directory / name).mkdir(mode=0o755)
        (directory / name / "note").write_text(f"this is {name}\n")
    shutil.chown(directory / "work", USER, USER)
    yield directory
    shutil.rmtree(directory)


@pytest.fixture(scope="module")
def booted(event: Installation, volumes: Path) -> Iterator[Booted]:
    """One machine for all tests here that do not end it."""
    event.configure(dir_mounts=f"{volumes}/media,{volumes}/work:rw", guest_network="internet")
    with websocket.hanging_up():
        yield Booted(event, cpu="2")
        tidy(event)


def test_the_screen_is_the_guests(booted: Booted) -> None:
    viewer = booted.viewer.wait(lambda seen: seen.pixel(5, 5) == BLUE, BOOT)
    assert viewer.colours()[YELLOW] > 20
    reply = booted.desktop.person.get(f"monitor?screen={booted.desktop.id}")
    assert reply.status == 200 and reply.body.startswith(PNG)
    assert reply.headers["Cache-Control"] == "no-store"
    assert struct.unpack(">II", reply.body[16:24]) == (viewer.width, viewer.height)


def test_the_picture_is_the_owners_alone(booted: Booted) -> None:
    for other in (booted.site.person("bob"), booted.site.stranger()):
        reply = other.get(f"monitor?screen={booted.desktop.id}")
        assert reply.status in (401, 403, 404)
        assert PNG not in reply.body


def test_keys_reach_the_guest(booted: Booted) -> None:
    booted.viewer.type('echo "Hello, {World}; ~|<>@#$%^&*_+" > /run/typed\n')
    assert booted.guest.wait("grep . /run/typed").output == 'Hello, {World}; ~|<>@#$%^&*_+'
    other = booted.desktop.view()
    other.type("echo second > /run/second\n")
    assert booted.guest.wait("grep . /run/second").output == "second"
    other.leave()


def test_it_has_what_was_asked_for(booted: Booted) -> None:
    assert booted.guest.run("nproc").output == "2"
    memory = int(booted.guest.run("awk '/MemTotal/ { print $2 }' /proc/meminfo").output) >> 10
    assert 48 < memory <= 128
    assert booted.guest.wait("df -k /disk | awk '$6 == \"/disk\" { print $2 }'").output
    assert booted.guest.run("cat /sys/class/misc/hw_random/rng_current").output.startswith("virt")


def test_a_volume_is_read_and_a_write_refused(booted: Booted, volumes: Path) -> None:
    assert booted.guest.wait("cat /mnt/media/note").output == "this is media"
    refused = booted.guest.run("echo changed > /mnt/media/note")
    assert refused.status and "Read-only" in refused.output
    assert booted.guest.run("touch /mnt/media/new").status
    assert booted.guest.run("mount -o remount,rw /mnt/media; rm /mnt/media/note").status
    assert [path.name for path in (volumes / "media").iterdir()] == ["note"]


def test_a_volume_is_written_where_the_site_says_so(booted: Booted, volumes: Path) -> None:
    assert booted.guest.wait("echo from inside > /mnt/work/new && sync").status == 0
    assert (volumes / "work/new").read_text() == "from inside\n"


def test_volumes_do_not_lead_elsewhere(booted: Booted, volumes: Path) -> None:
    (volumes / "work/away").unlink(missing_ok=True)
    (volumes / "work/away").symlink_to(volumes / "private")
    for path in ("/mnt/work/away/note", "/mnt/media/../private/note", "/mnt/work/../private/note"):
        assert booted.guest.run(f"cat {path}").status, path
    assert "private" not in booted.guest.run("cat /sys/bus/virtio/drivers/9p*/*/mount_tag").output


class Secret(BaseHTTPRequestHandler):
    """A service of the host that trusts whoever comes from the host."""

    asked: list[str] = []

    def do_GET(self) -> None:
        self.asked.append(self.client_address[0])
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"a secret of the host")

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def service_of_the_host() -> Iterator[int]:
    """A server on 127.0.0.1 alone; yields its port."""
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Secret) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_address[1]
        server.shutdown()


def fetch(guest: Guest, address: str) -> Ran:
    """Fetch an address from within; wget's own time limit crashes in this busybox."""
    return guest.run(f"timeout 3 wget -q -O - http://{address}/ 2>&1")


def test_the_guest_can_fetch(booted: Booted) -> None:
    """Else the tests below could not fail."""
    booted.guest.run("mkdir -p /run/www; echo within > /run/www/index.html; "
                     "httpd -p 127.0.0.1:8764 -h /run/www")
    assert fetch(booted.guest, "127.0.0.1:8764").output == "within"


def test_no_service_of_the_host_is_reached(booted: Booted, service_of_the_host: int) -> None:
    gateway = booted.guest.wait(
        "ip route | awk '$1 == \"default\" { print $3; found = 1 } END { exit !found }'").output
    nameservers = booted.guest.run("awk '$1 == \"nameserver\" { print $2 }' /etc/resolv.conf")
    doors = {gateway, "10.0.2.2", "169.254.1.1", *nameservers.output.split(), *own_addresses()}
    for port in (service_of_the_host, booted.site.server.address[1]):
        for door in doors:
            fetched = fetch(booted.guest, f"{door}:{port}")
            assert fetched.status, f"{door}:{port} answered {fetched.output}"
            assert "secret" not in fetched.output
    assert not Secret.asked


def own_addresses() -> list[str]:
    """Return the addresses of the host that are not its loopback."""
    return [address.address for addresses in psutil.net_if_addrs().values()
            for address in addresses if address.family == socket.AF_INET
            and not address.address.startswith("127.")]


def test_the_guest_opens_no_port_on_the_host(booted: Booted) -> None:
    booted.guest.run("(while :; do echo from the guest | nc -l -p 8765; done) > /dev/null 2>&1 &")
    booted.guest.wait("nc 127.0.0.1 8765 < /dev/null | grep guest")
    listening = [line.split()[1] for family in ("tcp", "tcp6")
                 for line in Path(f"/proc/net/{family}").read_text().splitlines()[1:]
                 if line.split()[3] == "0A"]
    assert not [address for address in listening if address.endswith(f":{8765:04X}")]


def test_packets_sent_to_loopback_stay_outside(booted: Booted, service_of_the_host: int) -> None:
    """A guest that gives up its own loopback may send such packets (to passt of Debian 12)."""
    done = booted.guest.run(
        "gateway=$(ip route | awk '$1 == \"default\" { print $3 }') && "
        "ip address flush dev lo && echo 1 > /proc/sys/net/ipv4/conf/all/route_localnet && "
        "ip route add 127.0.0.0/8 via $gateway dev eth0 && ip route get 127.0.0.1")
    assert done.status == 0 and "eth0" in done.output, done
    for door in ("127.0.0.1", "127.0.0.53"):
        fetched = fetch(booted.guest, f"{door}:{service_of_the_host}")
        assert fetched.status and "secret" not in fetched.output
    assert not Secret.asked


def test_a_reboot_inside_goes_on_and_a_power_off_ends(booted: Booted) -> None:
    before = booted.site.pids(booted.desktop.id)
    booted.guest.say("reboot")
    booted.guest.booted_again()
    assert booted.site.pids(booted.desktop.id) == before
    booted.viewer.wait(lambda seen: seen.pixel(5, 5) == BLUE, BOOT)
    person, form = booted.desktop.person, {"session": booted.desktop.id}
    assert booted.site.person("bob").post("monitor", {"action": "restart", **form}).status == 404
    assert person.post("monitor", {"action": "restart", **form}).status == 303
    booted.guest.booted_again()
    assert booted.site.pids(booted.desktop.id) == before
    booted.guest.say("poweroff")
    booted.site.gone(booted.desktop.id, 30)
    assert "inside" in (booted.site.log / "history.jsonl").read_text().splitlines()[-1]


def test_a_guest_shuts_itself_down_when_asked(site: Installation) -> None:
    booted = Booted(site)
    form = {"action": "shutdown", "session": booted.desktop.id}
    assert site.person("bob").post("monitor", form).status == 404
    assert site.record(booted.desktop.id)["state"] == "running"
    assert booted.desktop.person.post("monitor", form).status == 303
    site.gone(booted.desktop.id, 30)
    assert "inside" in (site.log / "history.jsonl").read_text().splitlines()[-1]


def test_two_guests_know_nothing_of_each_other(site: Installation) -> None:
    site.configure(guest_network="internet")
    first, second = Booted(site), Booted(site)
    second.guest.run("(while :; do echo the other | nc -l -p 8766; done) > /dev/null 2>&1 &")
    second.guest.wait("nc 127.0.0.1 8766 < /dev/null | grep other")
    addresses = second.guest.wait("ip -4 -o address | awk '$2 != \"lo\" { print $4; found = 1 } "
                                  "END { exit !found }'").output
    first.guest.wait("ip route | grep default")
    for address in addresses.split():
        heard = first.guest.run(f"timeout 3 nc -w 2 {address.split('/')[0]} 8766 < /dev/null")
        assert "other" not in heard.output
    randoms = [each.guest.run("head -c 16 /dev/urandom | xxd -p").output
               for each in (first, second)]
    assert randoms[0] != randoms[1]
    macs = [each.guest.run("cat /sys/class/net/eth0/address").output for each in (first, second)]
    assert all(macs)


def test_an_isolated_guest_reaches_nothing(site: Installation, service_of_the_host: int) -> None:
    site.configure(guest_network="isolated")
    alone = Booted(site)
    assert "eth0" in alone.guest.run("ls /sys/class/net").output
    for door in ("10.0.2.2", "10.0.2.3", "169.254.1.1"):
        fetched = fetch(alone.guest, f"{door}:{service_of_the_host}")
        assert fetched.status, fetched.output
    assert not Secret.asked
    assert "network" not in site.pids(alone.desktop.id)


def test_stop_may_be_polite(site: Installation) -> None:
    polite = Booted(site)
    done = site.script("admin.py", f"--session_stop={polite.desktop.id}")
    assert done.returncode == 0, done
    until(lambda: not (site.run / polite.desktop.id).exists())
