"""The command line of QEMU, built purely: nothing here looks at a disk or starts a program.

What a guest can see follows from Hardware alone; paths, descriptors, ids and secrets are Wiring.
Devices have fixed PCI addresses, so that a volume or a GPU more moves nothing else.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from desktop.errors import Refusal
from desktop.host import network
from desktop.host.volumes import Volume
from desktop.machine.catalogue import Machine
from desktop.machine.emulator import About
from desktop.machine.firmware import Firmware
from desktop.machine.image import Format

VIDEO = {"std": "VGA", "cirrus": "cirrus-vga", "qxl": "qxl-vga", "vmware": "vmware-svga",
         "virtio": "virtio-vga"}
CARD = {"virtio": "virtio-net-pci,disable-legacy=on", "e1000": "e1000", "e1000e": "e1000e",
        "rtl8139": "rtl8139"}
OLDEST = (7, 2)  # the first with -netdev stream, which passt needs
TB_SIZE = 128  # MB of translated code; QEMU's own default is a GB, which a desktop fills in time
SANDBOX = "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny"
MODERN = "disable-legacy=on"


@dataclass(frozen=True, kw_only=True)
class Hardware:
    """What the guest sees. Memory is MB; `video` is one of VIDEO; `accel` is kvm or tcg."""

    machine: Machine
    cpu: int
    memory: int
    video: str
    accel: str
    about: About
    gpu: bool = False


@dataclass(frozen=True, kw_only=True)
class Wiring:
    """What the machine is connected to on this computer.

    Attributes:
        name: the session's id, told by `ps`.
        disk: the overlay, or the empty disk beside an ISO.
        vnc: path of the VNC socket.
        token: file whose text viewers must know; None: whoever reaches the socket may look.
        qmp_fd: a listening socket that QEMU inherits; the keeper's.
        qmp2: path of the second QMP socket.
        network: kind of network.kind; with passt, `network_fd` is a connected socket to it.
        guid: tells the guest, when it changes, that it was cloned (vmgenid).
        firmware, variables: UEFI's program, and this session's copy of what it remembers.
    """

    name: str
    disk: Path
    vnc: Path
    qmp_fd: int
    qmp2: Path
    guid: str
    token: Path | None = None
    network: str = "none"
    network_fd: int = -1
    volumes: tuple[Volume, ...] = ()
    gpu: tuple[str, ...] = ()
    firmware: Firmware | None = None
    variables: Path | None = None


def command(program: str, hardware: Hardware, wiring: Wiring) -> list[str]:
    """Return the command line that starts the machine in the foreground."""
    parts = (base(hardware, wiring), monitors(wiring), display(hardware, wiring),
             firmware(wiring), disks(hardware.machine, wiring), card(hardware, wiring),
             inputs(hardware.machine), extras(hardware, wiring), shares(hardware, wiring),
             gpu(hardware, wiring))
    return [program, *(word for part in parts for option in part for word in option)]


def check(hardware: Hardware) -> None:
    """Raise Refusal for what this QEMU, or this machine's descriptor, does not take."""
    machine, known = hardware.machine, hardware.about
    if known.version[:2] < OLDEST:
        raise Refusal(f"QEMU {'.'.join(map(str, known.version))} is too old; "
                      f"{'.'.join(map(str, OLDEST))} is needed.", 500)
    for name, value, least, most in (
            ("CPUs", hardware.cpu, 1, machine.cpu_max or 255),
            ("MB of memory", hardware.memory, 16, machine.memory_max or 1_000_000)):
        if not least <= value <= most:
            raise Refusal(f"{machine.name} cannot have {value} {name}; from {least} to {most} "
                          "are possible.")
    if hardware.video not in VIDEO:
        raise Refusal(f"There is no video card {hardware.video!r}.", 400,
                      f"One of {', '.join(VIDEO)}.")
    if VIDEO[hardware.video] not in known.devices:
        raise Refusal(f"This QEMU has no video card {hardware.video}.", 409,
                      "Choose another one, such as std.")


Options = Iterator[tuple[str, ...]]


def quote(value: object) -> str:
    """Return a value as it stands in an option: QEMU reads two commas as one."""
    return str(value).replace(",", ",,")


def base(hardware: Hardware, wiring: Wiring) -> Options:
    """Yield the board: processor, memory, clock, and what QEMU may not do."""
    machine = hardware.machine
    yield "-name", f"guest={quote(wiring.name)}"
    yield "-no-user-config",
    yield "-nodefaults",
    yield "-sandbox", SANDBOX
    flash = ",pflash0=code,pflash1=variables" if wiring.firmware else ""
    yield "-machine", (f"{machine.chipset},mem-merge=off,dump-guest-core=off,usb=off,vmport=off,"
                       f"smm=off{flash}")
    if hardware.accel == "kvm":
        yield "-accel", "kvm"
        calm = ",hv_relaxed,hv_vapic,hv_spinlocks=0x1fff,hv_time"
        yield "-cpu", "host" + (calm if machine.os == "windows" else "")
    else:
        yield "-accel", f"tcg,thread=multi,tb-size={TB_SIZE}"
        yield "-cpu", "max"
    yield "-smp", f"{hardware.cpu},sockets=1,cores={hardware.cpu},threads=1"
    yield "-m", f"{hardware.memory}M"
    yield "-rtc", ("base=localtime" if machine.os == "windows" else "base=utc") + ",driftfix=slew"
    power = "ICH9-LPC" if machine.chipset == "q35" else "PIIX4_PM"
    yield "-global", f"{power}.disable_s3=1"  # nobody could wake a machine that sleeps
    yield "-global", f"{power}.disable_s4=1"
    yield "-boot", "menu=off,strict=on"


def monitors(wiring: Wiring) -> Options:
    """Yield the two QMP sockets; each serves one client at a time."""
    yield "-monitor", "none"
    yield "-chardev", f"socket,id=qmp,fd={wiring.qmp_fd},server=on,wait=off"
    yield "-mon", "chardev=qmp,mode=control"
    yield "-chardev", f"socket,id=qmp2,path={quote(wiring.qmp2)},server=on,wait=off"
    yield "-mon", "chardev=qmp2,mode=control"


def display(hardware: Hardware, wiring: Wiring) -> Options:
    """Yield the screen and its VNC socket, which several viewers share."""
    yield "-display", "none"
    secret = ""
    if wiring.token is not None:
        yield "-object", f"secret,id=token,file={quote(wiring.token)}"
        secret = ",password-secret=token"
    yield "-vnc", f"unix:{quote(wiring.vnc)},share=force-shared{secret}"
    heads = ",max_outputs=1" if hardware.video == "virtio" else ""
    yield "-device", f"{VIDEO[hardware.video]},id=video,addr=0x2{heads}"


def block(**facts: object) -> tuple[str, str]:
    """Return a -blockdev. JSON, because only there `backing` can be null: no backing file."""
    return "-blockdev", json.dumps({name.replace("__", ".").replace("_", "-"): value
                                    for name, value in facts.items()})


def firmware(wiring: Wiring) -> Options:
    """Yield the flash chips of UEFI: the program read-only, the variables this session's own."""
    if wiring.firmware is None:
        return
    yield block(driver="file", node_name="code-file", filename=str(wiring.firmware.code),
                read_only=True, auto_read_only=False)
    yield block(driver="raw", node_name="code", file="code-file", read_only=True)
    yield block(driver="file", node_name="variables-file", filename=str(wiring.variables))
    yield block(driver="raw", node_name="variables", file="variables-file")


def disks(machine: Machine, wiring: Wiring) -> Options:
    """Yield the master, read-only, and the session's disk: over the master, or beside an ISO.

    Nothing outlives the session, so flushes are left out; blocks that the guest frees or fills
    with zeroes are given back.
    """
    iso = machine.format is Format.ISO
    yield block(driver="file", node_name="master-file", filename=str(machine.file.absolute()),
                read_only=True, auto_read_only=False, aio="threads")
    layers = {} if machine.format.driver in ("raw", "vdi", "vpc", "vhdx") else {"backing": None}
    yield block(driver=machine.format.driver, node_name="master", file="master-file",
                read_only=True, auto_read_only=False, **layers)
    yield block(driver="file", node_name="disk-file", filename=str(wiring.disk), aio="threads",
                cache={"no-flush": True}, discard="unmap")
    yield block(driver="qcow2", node_name="disk", file="disk-file",
                backing=None if iso else "master", cache={"no-flush": True}, discard="unmap",
                detect_zeroes="unmap")
    if iso:
        where = "ide.0" if machine.chipset == "q35" else "ide.1,unit=0"
        yield "-device", f"ide-cd,id=cd,drive=master,bus={where},bootindex=0"
    yield from disk(machine, 1 if iso else 0)


def disk(machine: Machine, bootindex: int) -> Options:
    """Yield the disk's device, with its controller where the board has none."""
    facts = f"id=disk0,drive=disk,bootindex={bootindex}"
    match machine.disk_bus, machine.chipset:
        case "virtio", _:
            yield "-device", f"virtio-blk-pci,{facts},addr=0x3,{MODERN}"
        case "scsi", _:
            yield "-device", f"virtio-scsi-pci,id=scsi,addr=0x3,{MODERN}"
            yield "-device", f"scsi-hd,{facts},bus=scsi.0"
        case "sata", "pc":
            yield "-device", "ich9-ahci,id=ahci,addr=0x3"
            yield "-device", f"ide-hd,{facts},bus=ahci.0"
        case "sata", _:
            yield "-device", f"ide-hd,{facts},bus=ide.1"
        case _:
            yield "-device", f"ide-hd,{facts},bus=ide.0,unit=0"


def card(hardware: Hardware, wiring: Wiring) -> Options:
    """Yield the network card; without option ROM, which would only cost time at each boot."""
    if wiring.network == "none" or hardware.machine.network_card == "none":
        return
    yield "-netdev", network.netdev(wiring.network, wiring.network_fd)
    yield "-device", (f"{CARD[hardware.machine.network_card]},id=card,netdev=net0,addr=0x4,"
                      "mac=52:54:00:12:34:56,romfile=")


def inputs(machine: Machine) -> Options:
    """Yield a pointer that goes where the viewer's does, and a keyboard.

    The board's PS/2 keyboard is there as well: keys go to it in the firmware's menus and the boot
    loader, until the guest's driver takes the other one (QEMU, hw/input/virtio-input-hid.c).
    """
    if machine.os in ("windows", "other"):
        yield "-device", "qemu-xhci,id=usb,addr=0x5"
        yield "-device", "usb-tablet,id=tablet,bus=usb.0"
    else:
        yield "-device", "virtio-keyboard-pci,id=keyboard,addr=0x5"
        yield "-device", "virtio-tablet-pci,id=tablet,addr=0x6"


def extras(hardware: Hardware, wiring: Wiring) -> Options:
    """Yield what guests use without being seen: agent's bus, balloon, entropy, clone's id, ports.

    The clipboard's port is added to the bus `agent.0` over QMP, as it would block a template. What
    the guest writes to its serial port is read over QMP (ringbuf-read) by whoever wants to know.
    Memory that a GPU reaches is pinned, so it has no balloon.
    """
    yield "-device", f"virtio-serial-pci,id=agent,addr=0x7,{MODERN}"
    if not hardware.gpu:
        yield "-device", f"virtio-balloon-pci,id=balloon,addr=0x8,free-page-reporting=on,{MODERN}"
    yield "-object", "rng-builtin,id=entropy"
    yield "-device", (f"virtio-rng-pci,id=rng,rng=entropy,addr=0x9,max-bytes=65536,period=1000,"
                      f"{MODERN}")
    yield "-device", f"vmgenid,id=generation,guid={quote(wiring.guid)}"
    yield "-chardev", "ringbuf,id=serial0,size=65536"
    yield "-device", "isa-serial,id=serial,chardev=serial0"
    if hardware.machine.chipset == "q35":  # its root bus takes nothing while the machine runs
        for number in range(4):
            first = ",multifunction=on" if number == 0 else ""
            yield "-device", (f"pcie-root-port,id=port{number},chassis={number + 1},"
                              f"addr=0x10.{number}{first}")


def shares(hardware: Hardware, wiring: Wiring) -> Options:
    """Yield the volumes as 9p, eight to a PCI slot."""
    for number, volume in enumerate(wiring.volumes):
        model = "mapped-xattr,fmode=0644,dmode=0755" if volume.mapped else "none"
        readonly = "off" if volume.writable else "on"
        yield "-fsdev", (f"local,id=volume{number},path={quote(volume.path)},"
                         f"security_model={model},readonly={readonly},multidevs=remap")
        first = ",multifunction=on" if number % 8 == 0 else ""
        yield "-device", (f"virtio-9p-pci,id=share{number},fsdev=volume{number},"
                          f"mount_tag={quote(volume.tag)},"
                          f"addr={hex(0x14 + number // 8)}.{number % 8},{MODERN}{first}")


def gpu(hardware: Hardware, wiring: Wiring) -> Options:
    """Yield a GPU and what comes with it: functions of one card stay functions of one card."""
    slots: dict[str, list[str]] = {}
    for address in wiring.gpu:
        slots.setdefault(address.rpartition(".")[0], []).append(address)
    for number, (slot, functions) in enumerate(slots.items()):
        bus = "pci.0"
        if hardware.machine.chipset == "q35":
            bus = f"gpu{number}"
            yield "-device", (f"pcie-root-port,id={bus},chassis={number + 8},"
                              f"addr=0x11.{number}" + (",multifunction=on" if not number else ""))
        where = "0x0" if hardware.machine.chipset == "q35" else hex(0x1c + number)
        for function, address in enumerate(functions):
            first = ",multifunction=on" if not function and len(functions) > 1 else ""
            yield "-device", f"vfio-pci,host={address},bus={bus},addr={where}.{function}{first}"
