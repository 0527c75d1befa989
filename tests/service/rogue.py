"""Servers that behave badly, on ports of their own, and remember what they were told.

A `Rogue` answers each connection in one way of being wrong; a `Relay` passes a conversation on to
a real server and interferes with it.
"""

import random
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, suppress

MEANWHILE = 0.05  # seconds between two looks at whether it is over
Reply = Callable[[bytes], "bytes | None"]


def hang(_: bytes) -> bytes:
    """Say nothing."""
    return b""


def close(_: bytes) -> None:
    """Go, in the middle of what was said."""


def garbage(_: bytes) -> bytes:
    """Say something that means nothing."""
    return b"\x30\x10" + random.Random(0).randbytes(1000)


def flood(_: bytes) -> bytes:
    """Say that much is to come, and go on saying it."""
    return b"\x30\x84\x7f\xff\xff\xff" + bytes(1 << 21)


class Server:
    """What listens on a port of 127.0.0.1 and serves each connection in a thread."""

    def __init__(self) -> None:
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self.listening.getsockname()[1]
        self.heard: list[bytes] = []  # one for each connection
        self.over = threading.Event()
        self.threads = [threading.Thread(target=self.accept)]

    def __enter__(self) -> "Server":
        self.threads[0].start()
        return self

    def __exit__(self, *_: object) -> None:
        self.over.set()
        for thread in self.threads:
            thread.join(20)
            assert not thread.is_alive()
        self.listening.close()

    def accept(self) -> None:
        """Serve everybody until it is over."""
        self.listening.settimeout(MEANWHILE)
        while not self.over.is_set():
            with suppress(TimeoutError):
                sock, _ = self.listening.accept()
                self.heard.append(b"")
                self.threads.append(threading.Thread(
                    target=self.run, args=(sock, len(self.heard) - 1)))
                self.threads[-1].start()

    def run(self, sock: socket.socket, number: int) -> None:
        """Serve one connection; it may end at any time."""
        with closing(sock), suppress(OSError):
            self.serve(sock, number)

    def chunks(self, sock: socket.socket) -> Iterator[bytes]:
        """Yield what comes, until no more does."""
        sock.settimeout(MEANWHILE)
        while not self.over.is_set():
            with suppress(TimeoutError):
                if not (data := sock.recv(65536)):
                    return
                yield data

    def serve(self, sock: socket.socket, number: int) -> None:
        """Serve one connection."""
        raise NotImplementedError


class Rogue(Server):
    """One that answers whatever it is told by its only habit."""

    def __init__(self, reply: Reply) -> None:
        super().__init__()
        self.reply = reply

    def serve(self, sock: socket.socket, number: int) -> None:
        for data in self.chunks(sock):
            self.heard[number] += data
            if (answer := self.reply(data)) is None:
                return
            sock.settimeout(20)
            sock.sendall(answer)
            sock.settimeout(MEANWHILE)


class Relay(Server):
    """One in the middle, before the real server at `port`.

    `change` sees each piece that the client says and returns what the server is told instead, and
    what the client is answered at once; None ends the connection.
    """

    def __init__(self, port: int,
                 change: Callable[[bytes], "tuple[bytes, bytes] | None"]) -> None:
        super().__init__()
        self.behind = port
        self.change = change

    def serve(self, sock: socket.socket, number: int) -> None:
        with socket.create_connection(("127.0.0.1", self.behind)) as server:
            back = threading.Thread(target=self.pass_on, args=(server, sock))
            back.start()
            try:
                for data in self.chunks(sock):
                    self.heard[number] += data
                    if (changed := self.change(data)) is None:
                        return
                    server.sendall(changed[0])
                    sock.sendall(changed[1])
            finally:
                with suppress(OSError):
                    server.shutdown(socket.SHUT_RDWR)
                back.join(20)

    def pass_on(self, server: socket.socket, sock: socket.socket) -> None:
        """Pass on what the server says."""
        with suppress(OSError):
            for data in self.chunks(server):
                sock.sendall(data)
