"""What `resumed` does in a copy of a frozen machine, tried on whole systems with systemd and sshd.

These have no virtio, so the port that tells is a file. Their clock is this machine's: they may not
set it.
"""

import pytest
from install.debian import CLONE, Debian

CLASS = "/run/class"
PORT = "vport1p1"
RESUMED = f"{CLONE}/machines/recipes/roots/both/usr/libexec/resumed"


@pytest.mark.parametrize("release", ["bookworm", "trixie"])
def test_a_copy_takes_an_identity_of_its_own(release: str,
                                             request: pytest.FixtureRequest) -> None:
    system: Debian = request.getfixturevalue(release)
    system.write("/etc/ssh/sshd_config.d/here.conf",
                 f"ListenAddress 127.0.0.1:{system.ports[0]}\n")
    system.run("apt-get -qq update && DEBIAN_FRONTEND=noninteractive "
               "apt-get -qq install --no-install-recommends openssh-server")
    system.write(f"/dev/{PORT}", "")
    system.write(f"{CLASS}/virtio-ports/{PORT}/name", "org.remote-desktop.copied\n")
    before = identity(system)
    assert before["name"] == ["debian"] and len(before["keys"]) == 3
    system.run(f"unshare -m sh -c 'mount --bind {CLASS} /sys/class && sh {RESUMED} {PORT}'")
    after = identity(system)
    for what, facts in after.items():
        assert not set(facts) & set(before[what]), what
    for one in (before, after):
        assert one["keys"] == one["files"] and one["journal"] == one["machine"]
    assert system.run("hostnamectl hostname; getent hosts $(hostname)").split() == [
        *after["name"], "127.0.1.1", *after["name"]]


def identity(system: Debian) -> dict[str, list[str]]:
    """Return what tells a system from others: what lies on its disk and what its services say."""
    return {what: system.run(command).splitlines() for what, command in {
        "name": "hostname",
        "machine": "cat /etc/machine-id",
        "journal": "logger -t probe here && journalctl --sync && "
                   "journalctl -t probe -n 1 -o export | sed -n s/^_MACHINE_ID=//p",
        "keys": f"ssh-keyscan -p {system.ports[0]} 127.0.0.1 2> /dev/null | "
                "sed -n 's/^\\[[^ ]* //p' | sort",
        "files": "cut -d' ' -f1,2 /etc/ssh/ssh_host_*_key.pub | sort"}.items()}
