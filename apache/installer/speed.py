"""Whether machines run at the processor's speed: KVM, and who may use it."""

import re
from pathlib import Path

import system
from report import Result

KVM = Path("/dev/kvm")


def kvm() -> Result:
    """Say whether the web server may use KVM, and if not, what is in the way."""
    flags = re.search(r"^flags\s*:.*\b(vmx|svm)\b", Path("/proc/cpuinfo").read_text(), re.M)
    if not flags:
        return slow("the processor shows neither vmx nor svm",
                    "switch on virtualization in its firmware, or nested in its hypervisor")
    if not KVM.exists():
        return slow(f"there is no {KVM}", "modprobe kvm_intel or kvm_amd")
    if not system.works("test", "-r", KVM, "-a", "-w", KVM, user=system.WEB):
        return slow(f"{system.WEB} may not open {KVM}",
                    f"give it to group kvm: chgrp kvm {KVM}; chmod 660 {KVM}")
    return Result(False, f"{system.WEB} may use it")


def slow(reason: str, cure: str) -> Result:
    """Say that machines will be slow."""
    return Result(False, f"not used: {reason}",
                  f"for fast machines with a wall between them and this server, {cure}")
