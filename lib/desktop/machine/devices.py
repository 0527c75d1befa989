"""The devices a guest finds, as options of QEMU: disks, network card, input, volumes, GPU.

Each has a fixed PCI address, so that a volume or a GPU more moves nothing else.
"""

from collections.abc import Iterator, Mapping

from desktop.host import network
from desktop.machine.descriptor import Machine
from desktop.machine.image import Format
from desktop.machine.wiring import Hardware, Options, Wiring, block, device, quote

MODERN = "disable-legacy=on"
CARD: Mapping[str, Mapping[str, object]] = {
    "virtio": {"driver": "virtio-net-pci", "disable-legacy": "on"}, "e1000": {"driver": "e1000"},
    "e1000e": {"driver": "e1000e"}, "rtl8139": {"driver": "rtl8139"}}


def ports(machine: Machine) -> Options:
    """Yield slots for what is plugged in while the machine runs: q35's root bus takes nothing."""
    if machine.chipset == "q35":
        for number in range(4):
            first = ",multifunction=on" if number == 0 else ""
            yield "-device", (f"pcie-root-port,id=port{number},chassis={number + 1},"
                              f"addr=0x10.{number}{first}")


def disks(machine: Machine, wiring: Wiring) -> Options:
    """Yield the master, read-only, and the session's disk: over the master, or beside an ISO.

    Nothing outlives the session, so flushes are left out; blocks that the guest frees or fills
    with zeroes are given back.
    """
    iso = machine.format is Format.ISO
    yield block(driver="file", node_name="master-file", filename=str(machine.file.absolute()),
                read_only=True, auto_read_only=False, aio="threads")
    chains = {} if machine.format.driver in ("raw", "vdi", "vpc", "vhdx") else {"backing": None}
    yield block(driver=machine.format.driver, node_name="master", file="master-file",
                read_only=True, auto_read_only=False, **chains)
    below = None if iso else "master"
    if wiring.layer:
        yield block(driver="file", node_name="layer-file", filename=str(wiring.layer),
                    read_only=True, auto_read_only=False, aio="threads")
        yield block(driver="qcow2", node_name="layer", file="layer-file", backing=below,
                    read_only=True, auto_read_only=False)
        below = "layer"
    yield block(driver="file", node_name="disk-file", filename=str(wiring.disk), aio="threads",
                cache={"no-flush": True}, discard="unmap")
    yield block(driver="qcow2", node_name="disk", file="disk-file",
                backing=below, cache={"no-flush": True}, discard="unmap",
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
    """Yield the network card and what it leads to."""
    if wiring.network == "none" or hardware.machine.network_card == "none":
        return
    yield "-netdev", network.netdev(wiring.network, wiring.network_fd)
    if not wiring.copy:
        yield device(card_facts(hardware, wiring))


def card_facts(hardware: Hardware, wiring: Wiring) -> dict[str, object]:
    """Return the network card; without option ROM, which would only cost time at each boot."""
    hotplugged = hardware.template and hardware.machine.chipset == "q35"
    where = {"bus": "port0", "addr": "0x0"} if hotplugged else {"addr": "0x4"}
    return {**CARD[hardware.machine.network_card], "id": "card", "netdev": "net0", **where,
            "mac": wiring.mac, "romfile": ""}


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
    """Yield what guests use without being seen: agent's bus, balloon, entropy, clone's id.

    The clipboard's port is added to the bus `agent.0` over QMP, as it would block a template. What
    the guest writes to its serial port is read over QMP (ringbuf-read) by whoever wants to know.
    """
    yield "-device", f"virtio-serial-pci,id=agent,addr=0x7,{MODERN}"
    if hardware.balloon:
        yield "-device", f"virtio-balloon-pci,id=balloon,addr=0x8,free-page-reporting=on,{MODERN}"
    yield "-object", "rng-builtin,id=entropy"
    yield "-device", (f"virtio-rng-pci,id=rng,rng=entropy,addr=0x9,max-bytes=65536,period=1000,"
                      f"{MODERN}")
    yield "-device", f"vmgenid,id=generation,guid={quote(wiring.guid)}"
    yield "-chardev", "ringbuf,id=serial0,size=65536"
    yield "-device", "isa-serial,id=serial,chardev=serial0"


def shares(hardware: Hardware, wiring: Wiring) -> Options:
    """Yield the volumes as 9p."""
    for number, volume in enumerate(wiring.volumes):
        model = "mapped-xattr,fmode=0644,dmode=0755" if volume.mapped else "none"
        readonly = "off" if volume.writable else "on"
        yield "-fsdev", (f"local,id=volume{number},path={quote(volume.path)},"
                         f"security_model={model},readonly={readonly},multidevs=remap")
    if not wiring.copy:
        for facts in share_facts(hardware, wiring):
            yield device(facts)


def share_facts(hardware: Hardware, wiring: Wiring) -> Iterator[dict[str, object]]:
    """Yield the volumes' devices, eight to a PCI slot."""
    hotplugged = hardware.template and hardware.machine.chipset == "q35"
    for number, volume in enumerate(wiring.volumes):
        slot, function = divmod(number, 8)
        where = {"bus": f"port{1 + slot}", "addr": f"0x0.{function}"} if hotplugged else {
            "addr": f"{hex(0x14 + slot)}.{function}"}
        yield {"driver": "virtio-9p-pci", "id": f"share{number}", "fsdev": f"volume{number}",
               "mount_tag": volume.tag, **where, "disable-legacy": "on",
               **({} if function else {"multifunction": True})}


def plugged(hardware: Hardware, wiring: Wiring) -> list[dict[str, object]]:
    """Return what is plugged into a copy of a template once it is there, in that order.

    The first function of a slot comes last: with it the guest looks at the others.
    """
    found = [] if wiring.network == "none" or hardware.machine.network_card == "none" else [
        card_facts(hardware, wiring)]
    return found + list(reversed(list(share_facts(hardware, wiring))))


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
