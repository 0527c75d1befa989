"""The least that the parts of a start cost, with nothing of ours in between."""

import socket
import subprocess
import sys
import time
from pathlib import Path

from service.guest import qmp
from service.until import until


def python(words: str = "") -> None:
    """Start Python, have it do something, and end it."""
    subprocess.run([sys.executable, "-I", "-c", words], check=True)


def image(directory: Path) -> None:
    """Make an overlay."""
    path = directory / "floor.qcow2"
    subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", "-F", "raw", "-b",
                    directory / "machines/empty.raw", path], check=True)
    path.unlink()


def machine(directory: Path) -> tuple[float, float]:
    """Start QEMU up to its RFB banner, and have it quit; return the seconds of both."""
    screen, control = directory / "floor.vnc", directory / "floor.qmp"
    start = time.perf_counter()
    with subprocess.Popen(
            ["qemu-system-x86_64", "-machine", "q35", "-accel", "tcg", "-nodefaults", "-m", "32",
             "-no-user-config", "-display", "none", "-device", "virtio-vga", "-vnc",
             f"unix:{screen}", "-qmp", f"unix:{control},server=on,wait=off"]) as process:
        until(lambda: banner(screen))
        started = time.perf_counter() - start
        start = time.perf_counter()
        qmp(control, "quit")
        process.wait(10)
    return started, time.perf_counter() - start


def banner(path: Path) -> bool:
    """Tell whether a VNC server greets on this socket."""
    with socket.socket(socket.AF_UNIX) as sock:
        try:
            sock.connect(str(path))
        except OSError:
            return False
        return sock.recv(12).startswith(b"RFB ")
