"""The command line of QEMU, built purely: nothing here looks at a disk or starts a program.

What a guest can see follows from Hardware alone; paths, descriptors, ids and secrets are Wiring.
"""

from desktop.errors import Refusal
from desktop.host import vfio
from desktop.machine import devices
from desktop.machine.wiring import READONLY_MEMORY, Hardware, Options, Wiring, block, quote

OLDEST = (7, 2)  # the first with -netdev stream, which passt needs
TB_SIZE = 32  # MB of translated code per CPU: booting Linux is no slower than with QEMU's 1 GB,
TB_MOST = 256  # and takes 40 MB less; a busy desktop fills whatever it is given
VIDEO_DEVICES = {"std": "VGA", "cirrus": "cirrus-vga", "qxl": "qxl-vga", "vmware": "vmware-svga",
                 "virtio": "virtio-vga"}  # by settings.VIDEO
SANDBOX = "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny"


def command(program: str, hardware: Hardware, wiring: Wiring) -> list[str]:
    """Return the command line that starts the machine in the foreground."""
    parts = (base(hardware, wiring), monitors(wiring), display(hardware, wiring),
             firmware(wiring), devices.ports(hardware.machine),
             devices.disks(hardware.machine, wiring),
             devices.card(hardware, wiring), devices.inputs(hardware.machine),
             devices.extras(hardware, wiring), devices.shares(hardware, wiring),
             devices.gpu(hardware, wiring))
    return [program, *(word for part in parts for option in part for word in option)]


def check(hardware: Hardware) -> None:
    """Raise Refusal for what this QEMU, or this machine's descriptor, does not take."""
    machine, known = hardware.machine, hardware.about
    if known.version[:2] < OLDEST:
        raise Refusal(f"QEMU {known.release} is too old; "
                      f"{'.'.join(map(str, OLDEST))} is needed.", 500)
    for name, value, least, most in (
            ("CPUs", hardware.cpu, 1, machine.cpu_max or 255),
            ("MB of memory", hardware.memory, 16, machine.memory_max or 1_000_000)):
        if not least <= value <= most:
            raise Refusal(f"{machine.name} cannot have {value} {name}; from {least} to {most} "
                          "are possible.")
    if hardware.video not in VIDEO_DEVICES:
        raise Refusal(f"There is no video card {hardware.video!r}.", 400,
                      f"One of {', '.join(VIDEO_DEVICES)}.")
    if VIDEO_DEVICES[hardware.video] not in known.devices:
        raise Refusal(f"This QEMU has no video card {hardware.video}.", 409,
                      "Choose another one, such as std.")
    if hardware.gpu:
        vfio.check_memory(hardware.memory)


def base(hardware: Hardware, wiring: Wiring) -> Options:
    """Yield the board: processor, memory, clock, and what QEMU may not do."""
    machine = hardware.machine
    yield "-name", f"guest={quote(wiring.name)}"
    yield "-no-user-config",
    yield "-nodefaults",
    yield "-sandbox", SANDBOX
    flash = ",pflash0=code,pflash1=variables" if wiring.firmware else ""
    backend = ",memory-backend=pc.ram" if wiring.memory else ""
    yield "-machine", (f"{machine.chipset},mem-merge=off,dump-guest-core=off,usb=off,vmport=off,"
                       f"smm=off{flash}{backend}")
    if hardware.accel == "kvm":
        yield "-accel", "kvm"
        calm = ",hv_relaxed,hv_vapic,hv_spinlocks=0x1fff,hv_time"
        yield "-cpu", "host" + (calm if machine.os == "windows" else "")
    else:
        cache = min(TB_SIZE * hardware.cpu, TB_MOST)
        yield "-accel", f"tcg,thread=multi,tb-size={cache}"
        yield "-cpu", "max"
    yield "-smp", f"{hardware.cpu},sockets=1,cores={hardware.cpu},threads=1"
    yield "-m", f"{hardware.memory}M"
    yield from memory(hardware, wiring)
    yield "-rtc", ("base=localtime" if machine.os == "windows" else "base=utc") + ",driftfix=slew"
    power = "ICH9-LPC" if machine.chipset == "q35" else "PIIX4_PM"
    yield "-global", f"{power}.disable_s3=1"  # nobody could wake a machine that sleeps
    yield "-global", f"{power}.disable_s4=1"
    yield "-boot", "menu=off,strict=on"
    if wiring.incoming:
        yield "-incoming", "defer"


def memory(hardware: Hardware, wiring: Wiring) -> Options:
    """Yield the file with the memory of a template: written as it is made, read by its copies.

    Copies write to pages of their own. The name is that of the memory of machines without it.
    """
    if wiring.memory is None:
        return
    kept = "on" if not wiring.incoming else "off"
    if wiring.incoming and hardware.about.version >= READONLY_MEMORY:
        kept += ",readonly=on,rom=off"
    yield "-object", (f"memory-backend-file,id=pc.ram,size={hardware.memory}M,"
                      f"mem-path={quote(wiring.memory)},share={kept}")


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
    yield "-device", f"{VIDEO_DEVICES[hardware.video]},id=video,addr=0x2{heads}"


def firmware(wiring: Wiring) -> Options:
    """Yield the flash chips of UEFI: the program read-only, the variables this session's own."""
    if wiring.firmware is None:
        return
    yield block(driver="file", node_name="code-file", filename=str(wiring.firmware.code),
                read_only=True, auto_read_only=False)
    yield block(driver="raw", node_name="code", file="code-file", read_only=True)
    yield block(driver="file", node_name="variables-file", filename=str(wiring.variables))
    yield block(driver="raw", node_name="variables", file="variables-file")
