"""A VNC viewer without a window (RFC 6143): looks at pixels, types, points, resizes.

In: a stream (websocket.Stream or WebSocket) to a VNC server, and the password. Raw encoding only.
Waiting is always for an event, with a deadline in seconds.
"""

import struct
import time
from collections import Counter
from collections.abc import Callable

from service import des
from service.websocket import Stream

RAW, DESKTOP_SIZE, EXTENDED_SIZE, QEMU_KEYS = 0, -223, -308, -258
SHIFT, ENTER = 0xffe1, 0xff0d
KEYS = {character: (code, shifted)
        for start, plain, upper in ((2, "1234567890-=", "!@#$%^&*()_+"),
                                    (16, "qwertyuiop[]", "QWERTYUIOP{}"),
                                    (30, "asdfghjkl;'`", 'ASDFGHJKL:"~'),
                                    (43, "\\zxcvbnm,./", "|ZXCVBNM<>?"),
                                    (57, " ", ""), (28, "\n", ""))
        for shifted, row in ((False, plain), (True, upper))
        for code, character in enumerate(row, start)}  # XT scan codes of a US keyboard


class Denied(Exception):
    """The VNC server did not let us in; the text is its reason."""


class Viewer:
    """A connected viewer. `screen` holds rows of blue, green, red, nothing."""

    def __init__(self, stream: Stream, password: str | None = None, shared: bool = True) -> None:
        self.stream = stream
        self.width = self.height = self.updates = self.pictures = 0
        self.qemu_keys = self.resizable = False
        self.resize_answer: int | None = None
        self.screen = bytearray()
        self.authenticate(password)
        stream.write(bytes([shared]))
        width, height = struct.unpack(">HH", stream.read(4))
        stream.read(16)
        self.name = self.text(">I")
        self.reshape(width, height)
        stream.write(struct.pack(">BxxxBBBBHHHBBBxxx", 0, 32, 24, 0, 1, 255, 255, 255, 16, 8, 0))
        wanted = (RAW, DESKTOP_SIZE, EXTENDED_SIZE, QEMU_KEYS)
        stream.write(struct.pack(f">BxH{len(wanted)}i", 2, len(wanted), *wanted))

    def authenticate(self, password: str | None) -> None:
        """Get through the security handshake, or raise Denied."""
        banner = self.stream.read(12)
        assert banner == b"RFB 003.008\n", banner
        self.stream.write(banner)
        kinds = self.stream.read(self.stream.read(1)[0])
        if not kinds:
            raise Denied(self.text(">I"))
        if password is None:
            assert 1 in kinds, f"no password was asked for in vain: {kinds!r}"
            self.stream.write(b"\1")
        else:
            assert 2 in kinds, f"VNC authentication is not offered: {kinds!r}"
            self.stream.write(b"\2")
            self.stream.write(des.vnc_response(password, self.stream.read(16)))
        if struct.unpack(">I", self.stream.read(4))[0]:
            raise Denied(self.text(">I"))

    def text(self, length: str) -> str:
        size, = struct.unpack(length, self.stream.read(struct.calcsize(length)))
        return self.stream.read(size).decode("latin-1")

    def reshape(self, width: int, height: int) -> None:
        self.width, self.height = width, height
        self.screen = bytearray(4 * width * height)

    # What is seen

    def ask(self, whole: bool = False) -> None:
        """Ask for an update: of everything, or as soon as something changes."""
        self.stream.write(struct.pack(">BBHHHH", 3, not whole, 0, 0, self.width, self.height))

    def message(self) -> int:
        """Read one message of the server; return its kind (0: an update of the screen)."""
        kind = self.stream.read(1)[0]
        if kind == 0:
            self.stream.read(1)
            parts = struct.unpack(">H", self.stream.read(2))[0]
            self.pictures += any([self.rectangle() for _ in range(parts)])
            self.updates += 1
        elif kind == 3:
            self.stream.read(3)
            self.text(">I")
        else:
            assert kind == 2, f"unexpected message {kind}"
        return kind

    def rectangle(self) -> bool:
        """Read one part of an update; tell whether it was pixels."""
        x, y, width, height, encoding = struct.unpack(">HHHHi", self.stream.read(12))
        if encoding == RAW:
            pixels = memoryview(self.stream.read(4 * width * height))
            for row in range(height):
                start = 4 * ((y + row) * self.width + x)
                self.screen[start:start + 4 * width] = \
                    pixels[4 * width * row:4 * width * (row + 1)]
        elif encoding == QEMU_KEYS:
            self.qemu_keys = True
        else:
            assert encoding in (DESKTOP_SIZE, EXTENDED_SIZE), f"unexpected encoding {encoding}"
            if encoding == EXTENDED_SIZE:
                self.resizable = True
                self.stream.read(16 * (self.stream.read(4)[0]))
                if x == 1:
                    self.resize_answer = y
            if (width, height) != (self.width, self.height):
                self.reshape(width, height)
        return encoding == RAW

    def look(self, timeout: float = 10) -> "Viewer":
        """Read the whole screen as it is now."""
        end = time.monotonic() + timeout
        self.ask(whole=True)
        size, seen = (self.width, self.height), self.pictures
        while self.pictures == seen or size != (self.width, self.height):
            self.stream.socket.settimeout(max(0.01, end - time.monotonic()))
            if size != (self.width, self.height):
                self.ask(whole=True)
                size, seen = (self.width, self.height), self.pictures
            self.message()
        return self

    def wait(self, seen: Callable[["Viewer"], object], timeout: float = 60) -> "Viewer":
        """Look on until `seen(viewer)` is true."""
        end = time.monotonic() + timeout
        self.look(timeout)
        while not seen(self):
            self.stream.socket.settimeout(max(0.01, end - time.monotonic()))
            self.ask()
            while self.message():
                pass
        return self

    def pixel(self, x: int, y: int) -> tuple[int, int, int]:
        """Return red, green and blue."""
        place = 4 * (y * self.width + x)
        blue, green, red = self.screen[place:place + 3]
        return red, green, blue

    def colours(self, step: int = 8) -> Counter[tuple[int, int, int]]:
        """Count the colours of every `step`th pixel both ways."""
        return Counter(self.pixel(x, y) for y in range(0, self.height, step)
                       for x in range(0, self.width, step))

    # What is done

    def key(self, keysym: int, code: int, down: bool) -> None:
        """Press or release a key, by its place on the keyboard when the server knows how."""
        if self.qemu_keys:
            self.stream.write(struct.pack(">BBHII", 255, 0, down, keysym, code))
        else:
            self.stream.write(struct.pack(">BBxxI", 4, down, keysym))

    def type(self, text: str) -> None:
        """Type on a US keyboard; a newline is Enter."""
        for character in text:
            code, shifted = KEYS[character]
            keysym = ENTER if character == "\n" else ord(character)
            if shifted:
                self.key(SHIFT, 42, True)
            self.key(keysym, code, True)
            self.key(keysym, code, False)
            if shifted:
                self.key(SHIFT, 42, False)
            self.settle()

    def settle(self) -> None:
        """Wait until the server has read what was sent: it answers in order."""
        seen = self.updates
        self.stream.socket.settimeout(10)
        self.stream.write(struct.pack(">BBHHHH", 3, 0, 0, 0, 1, 1))
        while self.updates == seen:
            self.message()

    def point(self, x: int, y: int, buttons: int = 0) -> None:
        """Move the pointer, with the buttons of the mask held (1: left)."""
        self.stream.write(struct.pack(">BBHH", 5, buttons, x, y))

    def resize(self, width: int, height: int) -> None:
        """Ask the machine for another resolution, as resize=remote does."""
        self.stream.write(struct.pack(">BxHHBxIHHHHI", 251, width, height, 1, 0, 0, 0,
                                      width, height, 0))

    def leave(self) -> None:
        """Close the connection."""
        getattr(self.stream, "leave", self.stream.close)()
