"""Machines on offer, snapshots of them, and QEMU."""
