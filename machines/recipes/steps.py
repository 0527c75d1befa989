"""The steps that recipes share: a workbench, programs, packages, and a bootable image at the end.

Programs run in the C locale, in a process group that ends with us; a failure carries their last
lines. Nothing outside the workbench is written, except packages installed by `need`.
"""

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

ROOTS = Path(__file__).resolve().parent / "roots"

# What the ISO is made with: the command or file that shows a package is there, and the package.
ISO_TOOLS = {
    "grub-mkimage": "grub-common",
    "/usr/lib/grub/i386-pc/cdboot.img": "grub-pc-bin",
    "/usr/lib/grub/x86_64-efi/moddep.lst": "grub-efi-amd64-bin",
    "xorriso": "xorriso",
    "mkfs.fat": "dosfstools",
    "mcopy": "mtools",
}
# Enough of GRUB to find the disc, set a screen and start Linux; it has no menu.
GRUB_MODULES = ("iso9660", "search", "search_label", "linux", "all_video", "echo")


class Failed(Exception):
    """The build cannot go on; the text says why and what to do."""


def say(text: str) -> None:
    """Tell the person one step, in few words."""
    print(text, flush=True)


@contextmanager
def workbench(output: Path, name: str) -> Iterator[Path]:
    """Lend a temporary directory inside `output`, gone afterwards even when interrupted."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)
    try:
        output.mkdir(parents=True, exist_ok=True)
        bench = Path(tempfile.mkdtemp(prefix=f".{name}-", dir=output))
    except OSError as error:
        raise Failed(f"cannot write into {output}: {error.strerror}") from error
    try:
        yield bench
    finally:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        shutil.rmtree(bench)


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def run(*command: str | Path, cwd: Path | None = None, text: str = "") -> str:
    """Run a program to its end with `text` on its standard input; return its standard output."""
    process = subprocess.Popen(
        command, cwd=cwd, text=True, start_new_session=True, env=_environment(),
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        output, errors = process.communicate(text)
    except BaseException:
        _end(process)
        raise
    if process.returncode:
        last = "\n  ".join((errors or output).strip().splitlines()[-8:])
        raise Failed(f"{command[0]} failed with status {process.returncode}:\n  {last}")
    return output


def _environment() -> dict[str, str]:
    return {**os.environ, "LC_ALL": "C.UTF-8", "DEBIAN_FRONTEND": "noninteractive",
            "PATH": f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/sbin"}


def _end(process: "subprocess.Popen[str]") -> None:
    """End a program and its children: asked first, since mmdebstrap has mounts to undo."""
    os.killpg(process.pid, signal.SIGTERM)
    try:
        process.wait(30)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def need(tools: dict[str, str]) -> None:
    """Have the packages that bring `tools` (command or file -> package); root installs them."""
    path = _environment()["PATH"]
    missing = sorted({package for tool, package in tools.items()
                      if not shutil.which(tool, path=path) and not Path(tool).is_file()})
    if not missing:
        return
    if os.geteuid() != 0:
        raise Failed(f"packages are missing; as root: apt-get install {' '.join(missing)}")
    say(f"installing {', '.join(missing)}")
    run("apt-get", "update", "-q")
    run("apt-get", "install", "-qy", "--no-install-recommends",
        "-o", "DPkg::Lock::Timeout=600", *missing)


def unpack(package: str, into: Path) -> None:
    """Download a Debian package and unpack its files, without installing it."""
    say(f"fetching {package}")
    into.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=into.parent) as shelf:
        run("apt-get", "download", "-q", package, cwd=Path(shelf))
        for archive in Path(shelf).glob("*.deb"):
            run("dpkg-deb", "-x", archive, into)


def kernel_package() -> str:
    """Name the package of Debian's current kernel, which linux-image-amd64 points to."""
    for line in run("apt-cache", "depends", "--important", "linux-image-amd64").splitlines():
        relation, _, package = line.strip().partition(": ")
        if relation == "Depends" and package.startswith("linux-image-"):
            return package
    raise Failed("apt knows no linux-image-amd64; run apt-get update, on a Debian for amd64")


def iso(disc: Path, image: Path, label: str) -> Path:
    """Make the tree `disc` an ISO image that boots from BIOS and UEFI alike.

    It has boot/start.cfg, what GRUB runs; GRUB itself is added here, all in one piece, so that
    nothing is looked for at boot.
    """
    say("writing the image")
    grub = ("grub-mkimage", f"--config={disc}/boot/start.cfg", "--prefix=/boot")
    bios, uefi, efi = (disc / "boot" / name for name in ("bios.img", "uefi.img", "bootx64.efi"))
    run(*grub, "--format=i386-pc-eltorito", f"--output={bios}", "biosdisk", *GRUB_MODULES)
    run(*grub, "--format=x86_64-efi", f"--output={efi}", *GRUB_MODULES)
    run("mkfs.fat", "-C", uefi, str(efi.stat().st_size // 1024 + 128))
    run("mmd", "-i", uefi, "::efi", "::efi/boot")
    run("mcopy", "-i", uefi, efi, "::efi/boot/")
    efi.unlink()
    run("xorriso", "-as", "mkisofs", "-quiet", "-R", "-V", label, "-o", image,
        "-b", "boot/bios.img", "-no-emul-boot", "-boot-load-size", "4", "-boot-info-table",
        "--grub2-boot-info", "-eltorito-alt-boot", "-e", "boot/uefi.img", "-no-emul-boot", disc)
    report = run("xorriso", "-indev", image, "-report_el_torito", "plain")
    if "BIOS  y" not in report or "UEFI  y" not in report:
        raise Failed(f"{image.name} was written but would not boot")
    return image
