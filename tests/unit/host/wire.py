"""A guest without a machine: talks to passt over its socket, frame by frame, and prints JSON.

Run in a network namespace of its own by test_network.py. Tells the address and name server it was
given by DHCP, whether a web server on the host's 127.0.0.1 could be reached through the gateway,
and what the name server answered. `wire.py map-gw` lets the gateway lead to the host, so that the
test can fail.
"""

import contextlib
import json
import socket
import struct
import subprocess
import sys
import threading
import time
from ipaddress import IPv4Address

from desktop.host import network

MAC = bytes.fromhex("525400123456")
PORT = 8999


def checksum(data: bytes) -> int:
    """Return the internet checksum (RFC 1071)."""
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


class Guest:
    """One end of passt's socket; frames have a length of four bytes before them."""

    def __init__(self, wire: socket.socket) -> None:
        self.wire = wire
        wire.settimeout(0.2)
        self.address = self.gateway = IPv4Address(0)
        self.router = b"\xff" * 6
        self.name_server = ""

    def send(self, kind: int, data: bytes) -> None:
        """Send an Ethernet frame."""
        frame = self.router + MAC + struct.pack("!H", kind) + data
        self.wire.sendall(struct.pack("!I", len(frame)) + frame)

    def ip(self, protocol: int, target: IPv4Address, data: bytes) -> None:
        """Send an IPv4 packet."""
        head = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(data), 1, 0, 64, protocol, 0,
                           self.address.packed, target.packed)
        head = head[:10] + struct.pack("!H", checksum(head)) + head[12:]
        self.send(0x0800, head + data)

    def udp(self, source: int, target: IPv4Address, port: int, data: bytes) -> None:
        """Send a datagram."""
        self.ip(17, target, struct.pack("!HHHH", source, port, 8 + len(data), 0) + data)

    def packets(self, seconds: float = 1) -> "list[tuple[int, bytes]]":
        """Return protocol and payload of the IPv4 packets that come within a time, until one."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            with contextlib.suppress(OSError):
                (length,) = struct.unpack("!I", self.exactly(4))
                frame = self.exactly(length)
                if frame[12:14] == b"\x08\x06" and frame[20:22] == b"\0\1":  # who has us?
                    self.send(0x0806, frame[14:20] + b"\0\2" + MAC + frame[38:42] + frame[22:32])
                if frame[12:14] == b"\x08\0":
                    self.router = frame[6:12]
                    return [(frame[23], frame[34:])]
        return []

    def exactly(self, length: int) -> bytes:
        """Read so many bytes."""
        data = b""
        while len(data) < length:
            more = self.wire.recv(length - len(data))
            if not more:
                raise SystemExit("passt has gone")
            data += more
        return data

    def dhcp(self) -> None:
        """Get an address, a gateway and a name server."""
        ask = struct.pack("!BBBBIHH16s16s192s4s", 1, 1, 6, 0, 7, 0, 0, b"", MAC, b"",
                          b"\x63\x82\x53\x63")
        for kind in (1, 3):
            self.udp(68, IPv4Address("255.255.255.255"), 67,
                     ask + bytes([53, 1, kind, 55, 2, 3, 6, 255]))
            for _, payload in self.packets():
                answer = payload[8:]
                self.given = IPv4Address(answer[16:20])
                options = dict(split(answer[240:]))
                self.gateway = IPv4Address(options[3][:4])
                self.name_server = str(IPv4Address(options[6][:4])) if 6 in options else ""
        self.address = self.given

    def syn(self, target: IPv4Address, port: int) -> bool:
        """Tell whether a TCP connection is answered."""
        source = 40000 + target.packed[0]
        head = struct.pack("!HHIIBBHHH", source, port, 1, 0, 0x50, 2, 65535, 0, 0)
        fake = self.address.packed + target.packed + struct.pack("!BBH", 0, 6, len(head))
        head = head[:16] + struct.pack("!H", checksum(fake + head)) + head[18:]
        self.ip(6, target, head)
        return any(protocol == 6 and payload[13] == 0x12 for protocol, payload in self.packets(1))

    def resolve(self, server: str) -> str:
        """Ask a name server for a name; return the address it gives, or nothing."""
        query = b"\0\7\1\0\0\1\0\0\0\0\0\0\7example\3org\0\0\1\0\1"
        self.udp(40001, IPv4Address(server), 53, query)
        for protocol, payload in self.packets(0.4):
            if protocol == 17:
                return str(IPv4Address(payload[-4:]))
        return ""


def split(options: bytes) -> "list[tuple[int, bytes]]":
    """Return the options of a DHCP answer."""
    found = []
    while options and options[0] != 255:
        found.append((options[0], options[2:2 + options[1]]))
        options = options[2 + options[1]:]
    return found


def web() -> None:
    """Listen where guests must not come."""
    server = socket.create_server(("127.0.0.1", PORT))
    while True:
        server.accept()[0].close()


def names(address: str) -> None:
    """Answer all questions for names with 203.0.113.7."""
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind((address, 53))
    while True:
        query, client = server.recvfrom(512)
        server.sendto(query[:2] + b"\x81\x80\0\1\0\1\0\0\0\0" + query[12:]
                      + b"\xc0\x0c\0\1\0\1\0\0\0\1\0\4\xcb\0\x71\7", client)


def main() -> None:
    """Play the guest."""
    for target, words in ((web, ()), (names, ("127.0.0.53",))):
        threading.Thread(target=target, args=words, daemon=True).start()
    ours, theirs = socket.socketpair()
    argv = network.helper(theirs.fileno())
    if "map-gw" in sys.argv:
        argv.remove("--no-map-gw")
    with subprocess.Popen(argv, pass_fds=(theirs.fileno(),),
                          stderr=subprocess.DEVNULL) as passt:
        theirs.close()
        guest = Guest(ours)
        guest.dhcp()
        facts = {"address": str(guest.address), "name_server": guest.name_server,
                 "loopback": any(guest.syn(target, PORT) for target in
                                 (guest.gateway, *map(IPv4Address, ("127.0.0.1", "0.0.0.0")))),
                 "name": guest.resolve(guest.name_server) if guest.name_server else ""}

        ours.close()
        facts["status"] = passt.wait(5)
    print(json.dumps(facts))


if __name__ == "__main__":
    main()
