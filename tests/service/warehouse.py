"""A web server with images, one that has TLS, and a proxy: one Apache; and a line that breaks.

In: a directory. Out: files put there have addresses; what was asked stands in the logs.
"""

import socket
import threading
from pathlib import Path

from service.apache import MODULES, Apache, free_port
from service.authority import Authority

MORE = """\
LoadModule ssl_module "{modules}/mod_ssl.so"
LoadModule proxy_connect_module "{modules}/mod_proxy_connect.so"
LoadModule socache_shmcb_module "{modules}/mod_socache_shmcb.so"
<Location "/whole">
    RequestHeader unset Range
    RequestHeader unset If-Range
    Header unset Accept-Ranges
</Location>
Alias "/whole" "{directory}/htdocs"
Redirect temp "/moved" "/disk.qcow2"
Redirect permanent "/round" "/round"
Redirect temp "/ftp" "ftp://127.0.0.1/disk.qcow2"
Redirect temp "/local" "file:///etc/passwd"
Listen 127.0.0.1:{tls}
<VirtualHost 127.0.0.1:{tls}>
    DocumentRoot "{directory}/htdocs"
    SSLEngine on
    SSLCertificateFile "{directory}/server.crt"
    SSLCertificateKeyFile "{directory}/server.key"
</VirtualHost>
Listen 127.0.0.1:{proxy}
<VirtualHost 127.0.0.1:{proxy}>
    ProxyRequests On
    AllowCONNECT {tls}
    CustomLog "{directory}/proxy.log" combined
    <Proxy "*">
        Require all granted
    </Proxy>
</VirtualHost>
"""


class Warehouse:
    """The server; use it as a context."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.tls, self.proxy = free_port(), free_port()
        self.server = Apache(directory, "event", directory, directory, directory / "no.ini",
                             MORE.format(modules=MODULES, directory=directory, tls=self.tls,
                                         proxy=self.proxy))
        authority = Authority(directory)
        self.ca = authority.ca
        authority.certify("server")

    def __enter__(self) -> "Warehouse":
        self.server.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.server.stop()

    def shelf(self, name: str) -> Path:
        """Return where a file lies."""
        return self.directory / "htdocs" / name

    def log(self, name: str) -> str:
        """Return a log; a request stands there a moment after it was answered."""
        return (self.directory / name).read_text()


class Line:
    """A line to the server that breaks: each connection after as many bytes of its answers.

    `lengths` has one number per connection, and the last holds for all others. A line that
    `holds` goes silent there instead, says so by `full`, and goes on at `go_on`.
    """

    def __init__(self, warehouse: Warehouse, *lengths: int, holds: bool = False) -> None:
        self.server = warehouse.server.address
        self.lengths = list(lengths)
        self.holds = holds
        self.full, self.go_on = threading.Event(), threading.Event()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self.listener.getsockname()[1]
        self.threads = [threading.Thread(target=self.listen)]

    def __enter__(self) -> "Line":
        self.threads[0].start()
        return self

    def __exit__(self, *_: object) -> None:
        self.go_on.set()
        self.listener.shutdown(socket.SHUT_RDWR)
        for thread in self.threads:
            thread.join(60)
            assert not thread.is_alive()
        self.listener.close()

    def listen(self) -> None:
        """Take connections until the line is closed."""
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            length = self.lengths.pop(0) if len(self.lengths) > 1 else self.lengths[0]
            thread = threading.Thread(target=self.carry, args=(client, length))
            self.threads.append(thread)
            thread.start()

    def carry(self, client: socket.socket, length: int) -> None:
        """Carry one request, and its answer as far as the line does."""
        with client, socket.create_connection(self.server) as server:
            try:
                server.sendall(client.recv(1 << 16))
                while data := server.recv(min(length, 1 << 16) or 1 << 16):
                    client.sendall(data)
                    length = max(0, length - len(data))
                    if not length and not self.full.is_set():
                        if not self.holds:
                            return
                        self.full.set()
                        self.go_on.wait()
            except OSError:
                pass  # somebody has gone
