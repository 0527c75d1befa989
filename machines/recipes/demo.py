"""demo: a small Debian desktop that signs in by itself, run from a disc and forgotten afterwards.

In: Debian packages, by mmdebstrap, of the release this host runs. Out: demo.iso: the system as a
squashfs that live-boot finds, with roots/both and roots/demo in it. Needs root; no loop devices.
"""

import os
import platform
import shlex
import shutil
from pathlib import Path

from recipes.steps import ISO_TOOLS, ROOTS, Failed, iso, need, run, say

SUMMARY = "a small Debian desktop: files, terminal, web, clipboard, follows the window's size"

TOOLS = {**ISO_TOOLS, "mmdebstrap": "mmdebstrap", "mksquashfs": "squashfs-tools"}

PACKAGES = (
    # system
    "linux-image-amd64", "live-boot", "systemd-sysv", "libpam-systemd", "udhcpc",
    "dbus", "udev", "kmod", "zstd", "sudo", "iproute2", "iputils-ping", "ca-certificates",
    # screen
    "xserver-xorg-core", "xserver-xorg-input-libinput", "xinit", "x11-xserver-utils",
    "x11-xkb-utils", "x11-utils", "xclip", "fonts-dejavu-core", "adwaita-icon-theme",
    # desktop
    "icewm", "pcmanfm", "lxterminal", "mousepad", "netsurf-gtk", "librsvg2-common",
    # saving one's work elsewhere
    "openssh-client", "rsync",
    # the host's other half
    "spice-vdagent", "qemu-guest-agent",
)

# Drivers and texts that no virtual machine needs: two thirds of the system.
EXCLUDED = (
    "/usr/share/doc/*", "/usr/share/man/*", "/usr/share/info/*", "/usr/share/locale/*",
    "/usr/share/icons/Adwaita/cursors/*_*", "/usr/share/icons/Adwaita/512x512/*",
    *(f"/lib/modules/*/kernel/{folder}/*" for folder in (
        "sound", "fs/btrfs", "net/wireless", "net/mac80211", "net/bluetooth", "drivers/media",
        "drivers/net/wireless", "drivers/net/ethernet/broadcom", "drivers/net/ethernet/chelsio",
        "drivers/net/ethernet/intel/i40e", "drivers/net/ethernet/intel/ice",
        "drivers/net/ethernet/mellanox", "drivers/net/ethernet/qlogic",
        "drivers/net/ethernet/sfc", "drivers/infiniband", "drivers/iio", "drivers/isdn",
        "drivers/staging", "drivers/mtd", "drivers/hwmon", "drivers/bluetooth",
        "drivers/gpu/drm/amd", "drivers/gpu/drm/i915", "drivers/gpu/drm/nouveau",
        "drivers/gpu/drm/radeon")),
)

# Parts of systemd with nothing to do here; each costs a second or so at boot without KVM.
MASKED = (
    "apt-daily.timer", "apt-daily-upgrade.timer", "dpkg-db-backup.timer", "fstrim.timer",
    "e2scrub_all.timer", "e2scrub_reap.service", "man-db.timer", "systemd-random-seed.service",
    "systemd-binfmt.service", "systemd-firstboot.service", "systemd-journal-flush.service",
    "systemd-machine-id-commit.service", "systemd-modules-load.service",
    "systemd-network-generator.service", "systemd-networkd.service", "systemd-pstore.service",
    "systemd-remount-fs.service", "systemd-repart.service", "systemd-rfkill.socket",
    "systemd-sysusers.service", "systemd-update-utmp.service",
    "systemd-update-utmp-runlevel.service", "modprobe@configfs.service", "modprobe@dm_mod.service",
    "modprobe@drm.service", "modprobe@efi_pstore.service", "modprobe@fuse.service",
    "modprobe@loop.service", "dev-hugepages.mount", "dev-mqueue.mount", "sys-kernel-debug.mount",
    "sys-kernel-tracing.mount", "sys-kernel-config.mount", "sys-fs-fuse-connections.mount",
    "proc-sys-fs-binfmt_misc.automount",
)
MASKED_GENERATORS = (
    "systemd-bless-boot", "systemd-cryptsetup", "systemd-debug", "systemd-getty",
    "systemd-gpt-auto", "systemd-hibernate-resume", "systemd-integritysetup", "systemd-rc-local",
    "systemd-run", "systemd-system-update", "systemd-sysv", "systemd-veritysetup",
)

# Run in the new system once all packages are there.
FINISH = f"""
useradd --create-home --shell /bin/bash --groups sudo,video,input,audio demo
echo demo:demo | chpasswd
echo demo > /etc/hostname
echo '127.0.0.1 localhost demo' > /etc/hosts
: > /etc/machine-id
echo LANG=C.UTF-8 > /etc/default/locale
mkdir -p /etc/network /etc/systemd/system-generators
systemctl -q mask {' '.join(MASKED)}
for name in {' '.join(MASKED_GENERATORS)}; do
    ln -s /dev/null /etc/systemd/system-generators/$name-generator
done
systemctl -q set-default multi-user.target
update-initramfs -u
"""


def build(bench: Path) -> Path:
    """Build the draft image on the workbench."""
    if os.geteuid() != 0:
        raise Failed("a Debian system is made of files that belong to root: run as root")
    need(TOOLS)
    files, root, disc = bench / "files", bench / "root", bench / "disc"
    for tree in ("both", "demo"):
        shutil.copytree(ROOTS / tree, files, symlinks=True, dirs_exist_ok=True)
    (files / "etc/sudoers.d/demo").chmod(0o440)
    install(root, files)
    shutil.copytree(ROOTS / "demo-disc", disc)
    (disc / "live").mkdir()
    for source, name in (("vmlinuz-*", "vmlinuz"), ("initrd.img-*", "initrd")):
        newest = max((root / "boot").glob(source))
        shutil.move(newest, disc / "boot" / name)
    say("packing the system")
    run("mksquashfs", root, disc / "live/filesystem.squashfs", "-comp", "zstd",
        "-Xcompression-level", "12", "-no-progress", "-quiet")
    return iso(disc, bench / "demo.iso", "DEMO")


def install(root: Path, files: Path) -> None:
    """Install PACKAGES into `root`, with our files laid out before the packages see them."""
    suite = platform.freedesktop_os_release()["VERSION_CODENAME"]
    say(f"installing Debian {suite}, {len(PACKAGES)} packages and what they depend on")
    run("mmdebstrap", "--quiet", "--mode=root", "--variant=minbase", "--format=directory",
        f"--include={','.join(PACKAGES)}", "--aptopt=APT::Install-Recommends \"false\"",
        *(f"--dpkgopt=path-exclude={pattern}" for pattern in EXCLUDED),
        f"--essential-hook=cp -r {shlex.quote(str(files))}/. \"$1\"",
        f"--customize-hook=chroot \"$1\" sh -ec {shlex.quote(FINISH)}",
        suite, str(root))
