"""Whether this computer and its settings do for the service, looked at with the service's rights.

One finding for each thing, good or with what to do; a thing that machines can do without is good.
Nothing is changed, but for what is remembered anyway.
"""

import os
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

from desktop.auth import doctor
from desktop.errors import Refusal
from desktop.finding import Finding
from desktop.host import capacity, network, surroundings, unit, vfio, volumes
from desktop.machine import catalogue, emulator, firmware, qemu
from desktop.settings import VIDEO, Settings

APACHE = surroundings.PID_FILE
KVM = ("It takes virtualization switched on in the firmware, or nested in this server's "
       "hypervisor; modprobe kvm_intel or kvm_amd; /dev/kvm of group kvm, mode 0660.")


def look(settings: Settings) -> Iterator[Finding]:
    """Look at everything, in the order in which it depends on each other."""
    process = apache()
    for part in (kvm(settings), program(settings), uefi(), card(settings), viewer(settings),
                 stop(settings, process), directories(settings), disk(settings),
                 machines(settings), volumes.look(settings), vfio.look(settings, process),
                 doctor.look(settings)):
        try:
            yield from part
        except Refusal as problem:
            yield Finding("settings", problem.message, False, problem.hint)


def apache() -> Path:
    """Return the directory in /proc of this system's Apache; our own where there is none."""
    try:
        process = Path("/proc") / str(int(APACHE.read_text()))
    except (OSError, ValueError):
        return surroundings.SELF
    return process if process.is_dir() else surroundings.SELF


def kvm(settings: Settings) -> Iterator[Finding]:
    """Say how machines are run: without KVM they are slow, and walls are thin."""
    name, reason = emulator.accelerator(settings)
    if name == "kvm":
        yield Finding("KVM", "machines run at the processor's speed")
    elif settings.qemu_accel == "tcg":
        yield Finding("KVM", f"not used: {reason}")
    else:
        yield Finding("KVM", f"not used: {reason}; machines are slow, and kept apart from this "
                      "server less strictly", True, KVM)


def program(settings: Settings) -> Iterator[Finding]:
    """Say which QEMU there is, and what it lacks."""
    known = emulator.about(settings)
    lacking = sorted(needed(settings) - known.devices)
    others = [name for name in VIDEO if qemu.VIDEO_DEVICES[name] not in known.devices]
    if known.version[:2] < qemu.OLDEST or lacking:
        problem = (f"without {', '.join(lacking)}" if lacking else
                   f"too old; {'.'.join(map(str, qemu.OLDEST))} is needed")
        yield Finding("QEMU", f"{known.release}, {problem}", False,
                      "apt install qemu-system-x86, or let qemu_exec name another one.")
    else:
        yield Finding("QEMU", f"{known.release}, with all devices" + (
            f" but the video cards {', '.join(others)}" if others else ""))


def needed(settings: Settings) -> set[str]:
    """Return the devices that every machine has."""
    return {"virtio-blk-pci", "virtio-net-pci", "virtio-serial-pci", "virtio-rng-pci",
            "virtio-balloon-pci", "virtio-keyboard-pci", "virtio-tablet-pci", "qemu-xhci",
            "usb-tablet", "ide-cd", "ide-hd", "vmgenid", "isa-serial", "pcie-root-port",
            qemu.VIDEO_DEVICES[settings.qemu_video]}


def uefi() -> Iterator[Finding]:
    """Say whether machines that need UEFI have it."""
    there = firmware.installed()
    yield Finding("UEFI", str(there.code) if there else f"not used: {firmware.MISSING}", True,
                  "" if there else "apt install ovmf, for machines with firmware = uefi.")


def card(settings: Settings) -> Iterator[Finding]:
    """Say what machines reach."""
    kind = network.kind(settings)
    if kind == "user":
        yield Finding("passt", "machines reach local services of this server through 10.0.2.2: "
                      + ("passt does not run here" if network.passt() else "there is no passt"),
                      False, "apt install passt; /dev/net/tun must be open to all (mode 0666)."
                      if not network.passt() else "It needs /dev/net/tun, mode 0666, and user "
                      "namespaces: sysctl user.max_user_namespaces.")
    elif kind == "isolated" and settings.guest_network == "internet":
        yield Finding("passt", "machines reach nothing: this server has no default route", True,
                      "Give it one, or set guest_network = isolated.")
    else:
        yield Finding("passt", "machines reach the network through it, and not this server"
                      if kind == "passt" else f"not used: guest_network = {kind}")


def viewer(settings: Settings) -> Iterator[Finding]:
    """Say whether browsers get a viewer, and their websockets somebody to talk to."""
    there = (settings.dir_novnc / "vnc.html").is_file()
    yield Finding("noVNC", f"{settings.dir_novnc}" + ("" if there else " has no vnc.html"), there,
                  "" if there else "apt install novnc, or set dir_novnc to where it is.")
    yield Finding("websockify", metadata.version("websockify"))


def stop(settings: Settings, process: Path) -> Iterator[Finding]:
    """Say what systemd makes of Apache's children."""
    found = list(surroundings.look(settings, process))
    fine = ("hides nothing, and its stop ends no session" if unit.of(process) else
            "none: Apache is no service of systemd, and its stop ends no session")
    yield from found or [Finding(surroundings.NAME, fine)]


def directories(settings: Settings) -> Iterator[Finding]:
    """Say whether the service may use its directories, and no more than it should."""
    shut = [f"{name} = {getattr(settings, name)}" for name in surroundings.WRITTEN
            if not os.access(getattr(settings, name), os.R_OK | os.W_OK | os.X_OK)]
    yield Finding("directories", "not there, or closed to the service: " + ", ".join(shut)
                  if shut else "the service may write where it must", not shut,
                  "They belong to the web server's user, mode 0700." if shut else "")
    if os.access(settings.dir_machines, os.W_OK):
        yield Finding("dir_machines", f"the service may write to {settings.dir_machines}: a guest "
                      "that breaks out could change what others start from", True,
                      f"chown root: {settings.dir_machines}; chmod 755 {settings.dir_machines}")


def disk(settings: Settings) -> Iterator[Finding]:
    """Say how much room sessions have."""
    free, reserve = capacity.disk_free(settings.dir_snapshots), settings.host_disk_reserve
    yield Finding("disk", f"{free:.1f} GB free for {settings.dir_snapshots}", free > reserve,
                  "" if free > reserve else f"No session starts below host_disk_reserve = "
                  f"{reserve:g} GB: make room, or set dir_snapshots to a larger disk.")


def machines(settings: Settings) -> Iterator[Finding]:
    """Say what is on offer, and what cannot be started."""
    known = catalogue.offered(settings, "", admin=True)
    good = [machine.name for machine in known if not machine.problem]
    yield Finding("machines", f"{len(good)} can be started from {settings.dir_machines}",
                  bool(good), "" if good else "machines/build tiny --output=" +
                  str(settings.dir_machines))
    for machine in known:
        if machine.problem:
            yield Finding("machines", f"{machine.name}: {machine.problem}", True,
                          "Mend it, or remove it.")
    if good and settings.machine not in good:
        yield Finding("machine", f"{settings.machine} cannot be started, and is the one of a form "
                      "that names none", True, f"machine = {good[0]}, for instance.")
