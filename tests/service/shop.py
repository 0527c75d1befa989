"""A directory of machines, and what an administrator types there: machines/fetch."""

import hashlib
import os
import re
import secrets
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from service.installation import ENVIRONMENT, ROOT
from service.until import until
from service.warehouse import Line, Warehouse

from desktop import process


def stock(warehouse: Warehouse, seed: int = 1) -> Path:
    """Put disk.qcow2 on the shelf, whole, with other bytes for another seed, and long since."""
    disk = warehouse.shelf("disk.qcow2")
    draft = disk.with_name("draft")
    process.run(["qemu-img", "create", "-q", "-f", "qcow2", str(draft), "64M"])
    process.run(["qemu-io", "-f", "qcow2", "-c", f"write -q -P {seed} 0 5M", str(draft)])
    os.utime(draft, (1_700_000_000 + seed,) * 2)  # Apache's ETag is weak within a second
    draft.chmod(0o644)
    draft.rename(disk)
    return disk


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


class Shop:
    """A directory of machines, and what is typed there."""

    def __init__(self, machines: Path, warehouse: Warehouse) -> None:
        self.machines = machines
        self.warehouse = warehouse
        self.mark = secrets.token_hex(6)

    def order(self, url: str = "", name: str = "disk", **facts: str) -> None:
        """Write a descriptor; its sha256 is that of disk.qcow2 unless said."""
        facts = {"url": url or self.url(),
                 "sha256": sha256(self.warehouse.shelf("disk.qcow2")), **facts}
        (self.machines / f"{name}.ini").write_text(
            "".join(f"{key} = {value}\n" for key, value in facts.items() if value))

    def url(self, path: str = "disk.qcow2", line: Line | None = None, scheme: str = "http") -> str:
        """Return an address in the warehouse, over a line or not."""
        port = line.port if line else {"http": self.warehouse.server.address[1],
                                       "https": self.warehouse.tls}[scheme]
        return f"{scheme}://127.0.0.1:{port}/{path}?{self.mark}"

    def answers(self, count: int, log: str = "access.log") -> list[tuple[str, int]]:
        """Wait until the server has answered so often; return status and size of each, sorted."""
        def known() -> list[tuple[str, int]]:
            return sorted((status, int(size)) for status, size in re.findall(
                f'{self.mark} HTTP/1[^"]*" ([0-9]+) ([0-9]+)', self.warehouse.log(log)))
        until(lambda: len(known()) >= count, 20, f"{count} answers")
        return known()

    def command(self, name: str = "disk", **environment: str) -> dict[str, Any]:
        """Return what starts machines/fetch, as subprocess takes it."""
        return {"args": [sys.executable, ROOT / "machines/fetch", name, "--host_disk_reserve=0",
                         f"--dir_machines={self.machines}", f"--dir_cfg={self.machines}/cfg"],
                "env": {**ENVIRONMENT, "HOME": str(self.machines), **environment},
                "stdin": subprocess.DEVNULL, "text": True}

    def fetch(self, name: str = "disk", **environment: str) -> "subprocess.CompletedProcess[str]":
        """Type machines/fetch and wait for its end."""
        return subprocess.run(**self.command(name, **environment), capture_output=True, timeout=60)

    @contextmanager
    def begun(self, line: Line, size: int) -> "Iterator[subprocess.Popen[str]]":
        """Type machines/fetch, and wait until all came in that the line lets through."""
        with subprocess.Popen(**self.command(), stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE) as child:
            try:
                assert line.full.wait(60)
                # Headers are among the bytes of the line, and the last block may wait in a buffer.
                until(lambda: self.part.stat().st_size > size - 20_000, 60, "the part")
                yield child
            finally:
                child.kill()

    @property
    def part(self) -> Path:
        """Return where the part of the image lies."""
        return self.machines / ".disk.qcow2.part"

    def images(self) -> list[str]:
        """Return what is there besides descriptors."""
        return sorted(path.name for path in self.machines.iterdir() if path.is_file()
                      and path.suffix != ".ini")

    def complete(self) -> bool:
        """Tell whether the image is there, as on the shelf, and nothing else."""
        return (self.images() == ["disk.qcow2"]
                and sha256(self.machines / "disk.qcow2")
                == sha256(self.warehouse.shelf("disk.qcow2")))
