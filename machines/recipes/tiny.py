"""tiny: Debian's kernel and busybox, a few MB, on the screen within seconds even without KVM.

In: the packages linux-image-amd64 and busybox-static. Out: tiny.iso, whose whole system is an
initial RAM disk made of roots/both and roots/tiny, busybox, and the modules listed here.
"""

import os
import shutil
from pathlib import Path

from recipes.steps import ISO_TOOLS, ROOTS, Failed, iso, kernel_package, need, run, say, unpack

SUMMARY = "Linux and busybox: boots in seconds, for trying out and for tests"

TOOLS = {**ISO_TOOLS, "cpio": "cpio", "zstd": "zstd", "depmod": "kmod"}

# Loaded by what the machine's devices ask for (see roots/tiny/bin/devices), each with what it
# depends on. The screen needs none: the kernel draws on what the firmware has set up.
MODULES = (
    "virtio_pci", "virtio_blk", "virtio_net", "virtio_input", "virtio_console", "virtio_balloon",
    "virtio-rng", "virtio_scsi", "9pnet_virtio", "9p",
    "ahci", "sd_mod", "sr_mod", "isofs", "ext4", "crc32c_generic", "e1000", "e1000e",
    "xhci-pci", "usbhid", "hid-generic", "button", "evdev",
)


def build(bench: Path) -> Path:
    """Build the draft image on the workbench."""
    need(TOOLS)
    packages, root, disc = bench / "packages", bench / "root", bench / "disc"
    kernel = kernel_package()
    unpack(kernel, packages)
    unpack("busybox-static", packages)
    for name in ("bin", "lib"):  # since Debian 13 packages put them below /usr
        if not (packages / name).exists():
            (packages / name).symlink_to(f"usr/{name}")
    version = kernel.removeprefix("linux-image-")
    boot = disc / "boot"
    boot.mkdir(parents=True)
    shutil.copyfile(packages / f"boot/vmlinuz-{version}", boot / "vmlinuz")
    furnish(root, packages, version)
    pack(root, boot / "initrd")
    shutil.copytree(ROOTS / "tiny-disc", disc, dirs_exist_ok=True)
    return iso(disc, bench / "tiny.iso", "TINY")


def furnish(root: Path, packages: Path, version: str) -> None:
    """Lay out the system: our files, busybox under each of its names, the kernel's modules."""
    for files in ("both", "tiny"):
        shutil.copytree(ROOTS / files, root, symlinks=True, dirs_exist_ok=True)
    for folder in ("dev", "proc", "sys", "run", "tmp", "mnt", "disk", "root"):
        (root / folder).mkdir(exist_ok=True)
    for alias in ("sbin", "usr/bin", "usr/sbin"):
        (root / alias).parent.mkdir(exist_ok=True)
        (root / alias).symlink_to("/bin")
    shutil.copyfile(packages / "bin/busybox", root / "bin/busybox")
    (root / "bin/busybox").chmod(0o755)
    for name in run(root / "bin/busybox", "--list").split():
        if not os.path.lexists(root / "bin" / name):
            (root / "bin" / name).symlink_to("busybox")
    add_modules(root, packages, version)


def add_modules(root: Path, packages: Path, version: str) -> None:
    """Copy MODULES, but for those in the kernel itself, and all they depend on; index them."""
    source = packages / f"lib/modules/{version}"
    run("depmod", "-b", packages, version)
    needs = {}
    for line in (source / "modules.dep").read_text().splitlines():
        path, _, rest = line.partition(":")
        needs[Path(path).name.split(".")[0]] = [path, *rest.split()]
    for line in (source / "modules.builtin").read_text().splitlines():
        needs[Path(line).name.split(".")[0]] = []
    if absent := [name for name in MODULES if name not in needs]:
        raise Failed(f"the kernel {version} has no module {', '.join(absent)}")
    target = root / f"lib/modules/{version}"
    for path in sorted({path for name in MODULES for path in needs[name]}):
        (target / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source / path, target / path)
    for index in ("modules.order", "modules.builtin", "modules.builtin.modinfo"):
        shutil.copyfile(source / index, target / index)
    run("depmod", "-b", root, version)
    for unused in target.glob("modules.*"):
        if unused.name not in ("modules.dep", "modules.alias"):
            unused.unlink()


def pack(root: Path, archive: Path) -> None:
    """Pack the system as an initial RAM disk; zstd unpacks fastest where there is no KVM."""
    say("packing the system")
    names = sorted(str(path.relative_to(root)) for path in root.rglob("*"))
    plain = archive.with_suffix(".cpio")
    run("cpio", "--create", "--format=newc", "--owner=0:0", "--quiet", f"--file={plain}",
        cwd=root, text="\n".join(names))
    run("zstd", "-q", "-19", "--rm", plain, "-o", archive)
