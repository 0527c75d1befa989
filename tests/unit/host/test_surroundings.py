"""Apache's unit and what it hinders, on made-up /proc and /etc."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from desktop.finding import Finding
from desktop.host import surroundings, unit
from desktop.settings import Settings

DEBIAN = """[Unit]
Description=The Apache HTTP Server
KillMode=process
[Service]
Type=forking
ExecStart=/usr/sbin/apachectl start
KillMode=mixed
PrivateTmp=true
[Install]
KillMode=none
"""
MOUNTS = """22 1 254:1 / / rw,relatime shared:1 - ext4 /dev/vda1 rw
23 22 0:21 / /proc rw,nosuid shared:2 - proc proc rw
24 22 0:22 / /run rw,nosuid shared:3 - tmpfs tmpfs rw
40 22 254:1 /tmp/systemd-private-1f-apache2.service-x/tmp /tmp rw - ext4 /dev/vda1 rw
41 22 254:1 /srv/a\\040b /srv/a\\040b rw - ext4 /dev/vda1 rw
"""
OURS = "[Service]\nKillMode=process\n"
Look = Callable[..., list[Finding]]


class Server:
    """A made-up server whose Apache is a service."""

    def __init__(self, root: Path) -> None:
        self.root, self.process = root, root / "proc/80"
        self.process.mkdir(parents=True)
        self.cgroup("0::/system.slice/apache2.service\n")
        self.mounts(MOUNTS)
        self.write("lib/systemd/system/apache2.service", DEBIAN)

    def cgroup(self, text: str) -> None:
        """Put Apache into a control group."""
        (self.process / "cgroup").write_text(text)

    def mounts(self, text: str) -> None:
        """Have Apache see these mounts."""
        (self.process / "mountinfo").write_text(text)

    def write(self, name: str, text: str) -> None:
        """Write a file of systemd's."""
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def drop(self, text: str, name: str = "remote-desktop") -> None:
        """Give Apache's unit a drop-in."""
        self.write(f"etc/systemd/system/apache2.service.d/{name}.conf", f"[Service]\n{text}\n")

    def lines(self, name: str = "apache2.service") -> dict[str, str]:
        """Return what the unit says."""
        return unit.read(name, self.root).lines

    def look(self, settings: Settings = Settings()) -> list[Finding]:
        """Return what is in Apache's way."""
        return list(surroundings.look(settings, self.process, self.root))


@pytest.fixture
def server(tmp_path: Path) -> Server:
    """Return a server with Debian's unit."""
    return Server(tmp_path)


def test_debians_unit_ends_all_sessions(server: Server) -> None:
    [found] = server.look()
    assert not found.good and "KillMode=mixed" in found.text
    assert "KillMode=process and PIDFile=/run/apache2/apache2.pid" in found.cure
    assert "apache2.service.d/local.conf" in found.cure and "systemctl restart" not in found.cure


def test_our_drop_in_is_enough(server: Server) -> None:
    shipped = Path(__file__).resolve().parents[3] / "apache/apache2.service.conf"
    server.write("etc/systemd/system/apache2.service.d/remote-desktop.conf", shipped.read_text())
    assert server.look() == []
    assert server.lines()["KillMode"] == "process"


def test_a_unit_that_says_nothing_ends_all_too(server: Server) -> None:
    server.write("lib/systemd/system/apache2.service", "[Service]\nType=forking\n")
    [found] = server.look()
    assert "KillMode=control-group" in found.text


@pytest.mark.parametrize("group", [
    "0::/\n", "", "0::/user.slice/user-0.slice/session-1.scope\n",
    "0::/user.slice/user-0.slice/user@0.service/app.slice/x.service\n",
    "0::/system.slice/docker-0123.scope\n", "0::/system.slice/containerd.service\n"])
def test_no_service_of_this_system(server: Server, group: str) -> None:
    server.cgroup(group)
    assert server.look() == []


def test_old_control_groups(server: Server) -> None:
    server.cgroup("2:memory:/system.slice/apache2.service\n"
                  "1:name=systemd:/system.slice/apache2.service\n0::/\n")
    assert len(server.look()) == 1


def test_a_process_that_is_gone(server: Server) -> None:
    assert list(surroundings.look(Settings(), server.root / "proc/81", server.root)) == []


def test_drop_ins_are_read_as_systemd_does(server: Server) -> None:
    server.write("usr/lib/systemd/system/apache2.service.d/a.conf", "[Service]\nA=1\nB=1\nC=1\n")
    server.write("etc/systemd/system/apache2.service.d/b.conf", "[Service]\nB=2\n# A=2\n;A=2\n")
    server.write("run/systemd/system/apache2.service.d/c.conf", "[Service]\nC=2\n")
    server.write("etc/systemd/system/apache2.service.d/c.conf", "[Service]\nC=3 \\\n 4\n")
    server.write("lib/systemd/system/service.d/d.conf", "[Service]\nD=1\n")
    found = server.lines()
    assert (found["A"], found["B"], found["C"], found["D"]) == ("1", "2", "3   4", "1")


def test_a_unit_in_etc_replaces_debians(server: Server) -> None:
    server.write("etc/systemd/system/apache2.service", "[Service]\nKillMode=none\n")
    assert server.lines() == {"KillMode": "none"} and server.look() == []


def test_one_of_several_apaches(server: Server) -> None:
    server.write("lib/systemd/system/apache2@.service", DEBIAN)
    server.write("etc/systemd/system/apache2@.service.d/x.conf", OURS)
    assert server.lines("apache2@site.service")["KillMode"] == "process"
    server.cgroup("0::/system.slice/system-apache2.slice/apache2@site.service\n")
    assert server.look() == []


def test_a_private_tmp(server: Server) -> None:
    server.drop("KillMode=process")
    ours = Settings(dir_cfg=Path("/tmp/run"), dir_log=Path("/var/tmp/log"))
    assert [found.name for found in server.look(ours)] == ["dir_cfg", "dir_log"]
    assert "for itself" in server.look(ours)[0].text
    server.drop("KillMode=process\nPrivateTmp=no")
    assert len(server.look(ours)) == 2  # it was when Apache was started
    server.mounts("")
    assert server.look(ours) == []
    server.drop("KillMode=process\nPrivateTmp=disconnected")
    assert len(server.look(ours)) == 2


def test_what_may_only_be_read(server: Server) -> None:
    server.drop("KillMode=process")
    server.mounts("22 1 254:1 / / ro,relatime - ext4 /dev/vda1 rw\n"
                  "24 22 0:22 / /run rw,nosuid - tmpfs tmpfs rw\n")
    found = server.look()
    assert [one.name for one in found] == [
        "dir_snapshots", "dir_state", "dir_log", "dir_templates", "dir_parked"]
    assert "ReadWritePaths=/var/lib/remote-desktop/state" in found[1].cure


def test_what_is_hidden(server: Server) -> None:
    server.drop("KillMode=process")
    server.mounts(MOUNTS + "50 22 0:22 /systemd/inaccessible/dir /home ro - tmpfs tmpfs rw\n")
    ours = replace(Settings(), dir_machines=Path("/home/machines"), dir_cfg=Path("/home/cfg"))
    assert [one.name for one in server.look(ours)] == ["dir_cfg", "dir_machines"]
    assert "hides dir_cfg = /home/cfg" in server.look(ours)[0].text


@pytest.mark.parametrize("lines", [
    "PrivateDevices=yes", "DevicePolicy=closed", "DevicePolicy=strict\nDeviceAllow=/dev/null rw",
    "PrivateNetwork=true", "ProcSubset=pid", "RestrictNamespaces=yes", "RestrictNamespaces=net",
    "MemoryDenyWriteExecute=on", "RestrictAddressFamilies=AF_UNIX AF_INET",
    "RestrictAddressFamilies=~AF_NETLINK", "RestrictAddressFamilies=none"])
def test_what_machines_need(server: Server, lines: str) -> None:
    server.drop(f"KillMode=process\n{lines}")
    [found] = server.look()
    assert f"{lines.splitlines()[0].partition('=')[0]}=" in found.text and found.cure
    server.drop(found.cure.partition("Put ")[2].partition(" below")[0], name="zz")
    assert server.look() == []


@pytest.mark.parametrize("lines", [
    "PrivateDevices=no", "DevicePolicy=closed\nDeviceAllow=/dev/kvm rw\nDeviceAllow=/dev/null",
    "RestrictNamespaces=no", "RestrictAddressFamilies=~AF_PACKET",
    "RestrictAddressFamilies=AF_UNIX AF_NETLINK\nRestrictAddressFamilies=AF_INET AF_INET6"])
def test_what_does_no_harm(server: Server, lines: str) -> None:
    server.drop(f"KillMode=process\n{lines}")
    assert server.look() == []


def test_below_the_pages(server: Server) -> None:
    server.cgroup("0::/\n")
    for name in surroundings.OWN:
        [found] = server.look(Settings(**{name: Settings().dir_html / "here"}))
        assert found.name == name and "downloaded" in found.text


def test_mounts() -> None:
    mounts = [surroundings.Mount("/", Path("/"), "rw"), surroundings.Mount("/", Path("/a"), "ro"),
              surroundings.Mount("/x", Path("/a"), "rw")]
    assert surroundings.covering(mounts, Path("/a/b")) == mounts[2]
    assert surroundings.covering(mounts, Path("/ab")) == mounts[0]
    assert surroundings.covering([], Path("/a")) is None
    assert surroundings.unescape("/a\\040b\\134") == "/a b\\"


def test_here() -> None:
    assert surroundings.read_mounts(surroundings.SELF)
    list(surroundings.look(Settings()))
