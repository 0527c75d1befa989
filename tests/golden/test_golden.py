"""The command line of each interesting machine: compared with NAME.cmd, and accepted by QEMU.

NAME.ini says what is asked for; [machine] is the descriptor, plus `file`. After a change of
qemu.py, `REWRITE_GOLDEN=1 pytest tests/golden` writes the .cmd files anew, for review with git.
"""

import configparser
import json
import os
import socket
import subprocess
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

from desktop import process
from desktop.errors import Refusal
from desktop.host.volumes import Volume
from desktop.machine import catalogue, descriptor, emulator, firmware, qemu, snapshot
from desktop.machine.wiring import Hardware, Wiring
from desktop.settings import Settings

HERE = Path(__file__).parent
NAMES = sorted(path.stem for path in HERE.glob("*.ini"))
QMP_FD, NETWORK_FD = 5, 6


class Golden:
    """One NAME.ini, made real in a directory."""

    def __init__(self, name: str, directory: Path) -> None:
        parser = configparser.ConfigParser(interpolation=None)
        parser.read(HERE / f"{name}.ini")
        self.session = parser["session"]
        facts = dict(parser["machine"])
        file = directory / "machines" / facts.pop("file")
        file.parent.mkdir()
        make_image(file)
        file.with_suffix(".ini").write_text("".join(
            f"{key} = {value}\n" for key, value in facts.items()))
        self.settings = Settings(dir_machines=file.parent, dir_state=directory / "state",
                                 dir_snapshots=directory / "snapshots")
        self.machine = catalogue.find(self.settings, file.name, "somebody")
        self.directory = directory

    def hardware(self) -> Hardware:
        """Return what the session asks for."""
        return Hardware(
            machine=self.machine, cpu=self.session.getint("cpu", 1),
            memory=self.session.getint("memory", 256),
            video=self.session.get("video") or self.machine.video or "virtio",
            accel=self.session.get("accel", "tcg"), gpu="gpu" in self.session,
            about=about(), template="template" in self.session)

    def wiring(self) -> Wiring:
        """Return how the session is connected, its disk made."""
        disks = self.settings.dir_snapshots / self.session.get("directory", "session")
        disk = snapshot.create(self.settings, self.machine, disks, 1)
        (self.directory / "token").write_text("secret12")
        kind = self.session.get("template", "")  # frozen: being made; copy: one of it; woken
        memory, layer = self.directory / "memory", self.directory / "layer.qcow2"
        if kind == "copy":
            process.run(["qemu-img", "create", "-q", "-f", "qcow2", "-b",
                         str(self.machine.file), "-F", self.machine.format.driver, str(layer)])
            process.run(["qemu-img", "create", "-q", "-f", "qcow2", "-b", str(layer), "-F",
                         "qcow2", str(disk)])
            memory.write_bytes(bytes(self.session.getint("memory") << 20))
        return Wiring(
            name="demo", disk=disk, vnc=self.directory / "vnc.sock", qmp_fd=QMP_FD,
            qmp2=self.directory / "qmp2.sock", guid="324e6eaf-d1d1-4bf6-bf41-b9bb6c91fb87",
            token=self.directory / "token" if self.session.getboolean("token", True) else None,
            network=self.session.get("network", "none"), network_fd=NETWORK_FD,
            volumes=tuple(map(self.volume, self.session.get("volumes", "").split())),
            gpu=tuple(self.session.get("gpu", "").split()),
            firmware=firmware.of(self.machine), variables=disks / snapshot.VARS,
            memory=memory if kind in ("frozen", "copy") else None,
            layer=layer if kind == "copy" else None, incoming=kind in ("copy", "woken"))

    def volume(self, word: str) -> Volume:
        """Make a volume from a word such as `media` or `data:rw` or `data:mapped`."""
        name, _, mode = word.partition(":")
        path = self.directory / name
        path.mkdir()
        return Volume(path, f"host_{name.split(',')[0]}", mode != "", mode == "mapped")


@cache
def about() -> emulator.About:
    """Return what this QEMU is, asked once."""
    return emulator.about(Settings(dir_state=Path("/proc/nowhere")))


def make_image(file: Path) -> None:
    """Make an empty image of the format that the name tells."""
    kind = descriptor.ENDINGS[catalogue.ending(file.name)]
    if kind == "iso":
        volume = bytearray(2048)
        volume[:6], volume[80], volume[129] = b"\x01CD001", 20, 8
        file.write_bytes(bytes(32 << 10) + volume + bytes(6 << 10))
    else:
        process.run(["qemu-img", "create", "-q", "-f", kind.driver, str(file), "8M"])


def lines(argv: list[str], directory: Path) -> str:
    """Return a command line with one option and its value per line."""
    text = "\n".join(argv).replace(str(directory), "/tmp/golden")
    return text.replace("\n-", " \\\n-").replace("\n", " ").replace(" \\ ", " \\\n    ") + "\n"


@pytest.mark.parametrize("name", NAMES)
def test_command_line_is_as_reviewed(name: str, tmp_path: Path) -> None:
    golden = Golden(name, tmp_path)
    argv = qemu.command("qemu-system-x86_64", golden.hardware(), golden.wiring())
    now, file = lines(argv, tmp_path), HERE / f"{name}.cmd"
    if os.environ.get("REWRITE_GOLDEN"):
        file.write_text(now)
    assert now == file.read_text()


@pytest.mark.parametrize("name", NAMES)
def test_qemu_accepts_the_command_line(name: str, tmp_path: Path) -> None:
    golden = Golden(name, tmp_path)
    try:
        qemu.check(golden.hardware())
        emulator.accelerator(replace(golden.settings, qemu_accel=golden.hardware().accel))
    except Refusal as refusal:
        pytest.skip(str(refusal))
    qmp, (ours, theirs) = socket.socket(socket.AF_UNIX), socket.socketpair()
    with qmp, ours, theirs:
        qmp.bind(str(tmp_path / "qmp.sock"))
        qmp.listen(1)
        wiring = replace(golden.wiring(), qmp_fd=qmp.fileno(), network_fd=theirs.fileno())
        argv = qemu.command("qemu-system-x86_64", golden.hardware(), wiring)
        with subprocess.Popen([*argv, "-S"], pass_fds=(qmp.fileno(), theirs.fileno()),
                              stderr=subprocess.PIPE, text=True) as child:
            assert child.stderr is not None
            try:
                answers = talk(tmp_path / "qmp.sock", "qmp_capabilities", "query-block", "quit")
            except OSError:
                child.kill()
                words = child.stderr.read()
                if golden.hardware().gpu and "no such host device" in words:
                    return  # all but the card itself was taken
                pytest.fail(words)
            assert child.wait(5) == 0
            words = child.stderr.read()
            assert words == "" or wiring.copy and words.endswith("net0 has no peer\n")
    assert "error" not in json.dumps(answers[0])


def talk(path: Path, *words: str) -> list[object]:
    """Say QMP commands and return the answers."""
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(5)
        client.connect(str(path))
        stream = client.makefile("rw")
        stream.readline()
        answers = []
        for word in words:
            stream.write(json.dumps({"execute": word}) + "\n")
            stream.flush()
            answer = json.loads(stream.readline())
            while "event" in answer:
                answer = json.loads(stream.readline())
            answers.append(answer)
    return answers
