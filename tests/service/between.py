"""What may sit at the other end of a connection instead of a server, or between: on loopback.

In: what it does with each connection. Out: its port, and all that clients have said to it.
"""

import socket
import ssl
import threading
import warnings
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from service.authority import Certificate

Act = Callable[["Between", socket.socket], None]


class Between:
    """A listener in threads of its own. Use it as a context."""

    def __init__(self, act: Act) -> None:
        self.act = act
        self.heard = b""
        self.visits = 0
        self.over = threading.Event()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self.listener.getsockname()[1]
        self.threads = [threading.Thread(target=self.accept)]

    def __enter__(self) -> "Between":
        self.threads[0].start()
        return self

    def __exit__(self, *_: object) -> None:
        self.over.set()
        with suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        for thread in self.threads:
            thread.join(20)
        self.listener.close()

    def accept(self) -> None:
        """Take connections until the end."""
        while not self.over.is_set():
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            self.visits += 1
            self.threads.append(threading.Thread(target=self.serve, args=[connection]))
            self.threads[-1].start()

    def serve(self, connection: socket.socket) -> None:
        """Do with a connection what this one does."""
        with connection, suppress(OSError):
            connection.settimeout(0.2)
            self.act(self, connection)

    def hear(self, connection: socket.socket) -> bytes:
        """Return what comes next, nothing at the end."""
        while not self.over.is_set():
            with suppress(TimeoutError):
                said = connection.recv(65536)
                self.heard += said
                return said
        return b""


def hangs(between: Between, connection: socket.socket) -> None:
    """Say nothing."""
    while between.hear(connection):
        pass


def says(*words: bytes) -> Act:
    """Say something at once and after each thing heard, then close."""
    def act(between: Between, connection: socket.socket) -> None:
        for said in words:
            connection.sendall(said)
            if not between.hear(connection):
                return
    return act


def drips(between: Between, connection: socket.socket) -> None:
    """Say a letter now and then, for ever: no single wait is long."""
    while not between.over.wait(0.1):
        connection.sendall(b"2")


def chatters(between: Between, connection: socket.socket) -> None:
    """Say that much is to come (in BER), and go on saying it."""
    while between.hear(connection):
        connection.settimeout(20)
        connection.sendall(b"\x30\x84\x7f\xff\xff\xff" + bytes(1 << 21))


def passes(port: int, *changes: tuple[bytes, bytes],
           edit: Callable[[bytes], bytes] = lambda said: said) -> Act:
    """Pass everything on to a server, with changes to what it says.

    `edit` is shown what the client says and returns what the server is told; nothing: it ends.
    """
    def act(between: Between, connection: socket.socket) -> None:
        with socket.create_connection(("127.0.0.1", port)) as server:
            server.settimeout(0.2)
            back = threading.Thread(target=answers, args=[between, server, connection, changes])
            back.start()
            with suppress(OSError):
                while said := edit(between.hear(connection)):
                    server.sendall(said)
            with suppress(OSError):
                server.shutdown(socket.SHUT_RDWR)
            back.join()
    return act


def answers(between: Between, server: socket.socket, client: socket.socket,
            changes: Any) -> None:
    """Pass on what a server says."""
    with suppress(OSError):
        while not between.over.is_set():
            with suppress(TimeoutError):
                said = server.recv(65536)
                for old, new in changes:
                    said = said.replace(old, new)
                client.sendall(said)
                if not said:
                    break
    with suppress(OSError):
        client.shutdown(socket.SHUT_RDWR)


def old_tls(certificate: Certificate, act: Act) -> Act:
    """Speak TLS 1.0 and no other, and do the rest within."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate.both)
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1

    def secured(between: Between, connection: socket.socket) -> None:
        connection.settimeout(20)
        with context.wrap_socket(connection, server_side=True) as stream:
            stream.settimeout(0.2)
            act(between, stream)
    return secured
