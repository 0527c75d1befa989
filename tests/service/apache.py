"""A private Apache: its own ServerRoot and ports, the project's apache/*.conf included.

In: a directory, the MPM (event with cgid, prefork with cgi), the places of the service, and its
TLS, if any. It runs in the foreground as a child of the tests and is ended by its pid.
"""

import os
import signal
import socket
import subprocess
from pathlib import Path

from service.authority import Tls
from service.until import until
from service.websocket import Address

ROOT = Path(__file__).resolve().parents[2]
MODULES = Path("/usr/lib/apache2/modules")
DEBIAN = Path("/etc/apache2/mods-available")
USUAL = ("authz_core", "authz_host", "authn_core", "alias", "dir", "env", "mime", "headers",
         "rewrite", "proxy", "proxy_http", "proxy_wstunnel", "setenvif", "filter", "deflate",
         "negotiation", "autoindex", "reqtimeout", "status", "socache_shmcb",
         "ssl")  # ours, and what Debian has enabled
TLS = """\
Listen 127.0.0.1:{port} https
Define DESKTOP_TLS "%{{SERVER_NAME}}:{port}"
Define DESKTOP_PLAIN {plain}
<VirtualHost *:{port}>
    ServerName desktop.example.org
    ServerAlias www.example.org
    DocumentRoot "{directory}/htdocs"
    SSLEngine on
    SSLCertificateFile "{shown.file}"
    SSLCertificateKeyFile "{shown.key}"
</VirtualHost>
"""
CGI = {"event": "cgid", "prefork": "cgi"}

CONF = """\
ServerRoot "{directory}"
ServerName 127.0.0.1
Listen 127.0.0.1:{port}
PidFile "{directory}/apache.pid"
DefaultRuntimeDir "{directory}"
Mutex file:{directory} default
{modules}
{user}
ErrorLog "{directory}/error.log"
LogFormat "%h %l %u %t \\"%r\\" %>s %O \\"%{{Referer}}i\\" \\"%{{User-Agent}}i\\"" combined
CustomLog "{directory}/access.log" combined
Timeout 60
KeepAlive On
DocumentRoot "{directory}/htdocs"
<Directory />
    AllowOverride None
    Require all denied
</Directory>
<Directory "{directory}/htdocs">
    Require all granted
</Directory>
{debian}
Define DESKTOP_SHARE {share}
Define DESKTOP_RUN {run}
Define DESKTOP_NOVNC {novnc}
Define DESKTOP_INI {ini}
{tls}
{ours}
{more}
"""


GIVEN: set[int] = set()


def free_port() -> int:
    """Return a port of 127.0.0.1 that nobody listens on now, and that was not returned before."""
    while True:
        with socket.socket() as sock:
            sock.bind(("127.0.0.1", 0))
            port: int = sock.getsockname()[1]
        if port not in GIVEN:
            GIVEN.add(port)
            return port


class Apache:
    """The server of one installation; with TLS, `plain` is where it sends people on from."""

    def __init__(self, directory: Path, mpm: str, share: Path, run: Path, ini: Path,
                 more: str = "", tls: Tls | None = None,
                 novnc: object = "/usr/share/novnc") -> None:
        self.directory = directory
        self.mpm = mpm
        self.places = {"share": share, "run": run, "ini": ini, "novnc": novnc}
        self.more = more
        self.everywhere = True  # whether the service is in every virtual host
        self.plain = Address("127.0.0.1", free_port())
        self.tls = tls
        self.address = Address("127.0.0.1", free_port(), tls.trust) if tls else self.plain
        self.process: subprocess.Popen[bytes] | None = None
        (directory / "htdocs").mkdir()

    def configuration(self) -> str:
        """Return the text of its configuration file."""
        names = (f"mpm_{self.mpm}", *USUAL, CGI[self.mpm])
        modules = [f'LoadModule {name}_module "{MODULES}/mod_{name}.so"' for name in names]
        if self.mpm == "event":
            modules.append(f'ScriptSock "{self.directory}/cgid.sock"')
        return CONF.format(
            directory=self.directory, port=self.plain[1], modules="\n".join(modules),
            user="User www-data\nGroup www-data" if os.geteuid() == 0 else "",
            debian="\n".join(f'Include "{path}"' for name in USUAL
                             if (path := DEBIAN / f"{name}.conf").exists() and name != "proxy"),
            tls=f'Include "{self.directory}/tls.conf"' if self.tls else "", more=self.more,
            ours=f'Include "{ROOT}/apache/remote-desktop.conf"' if self.everywhere else "",
            **self.places)

    def start(self) -> None:
        """Start, and wait until it answers."""
        conf = self.directory / "apache.conf"
        conf.write_text(self.configuration())
        if self.tls and not (self.directory / "tls.conf").exists():
            (self.directory / "tls.conf").write_text(TLS.format(
                directory=self.directory, port=self.address[1], plain=self.plain[1],
                shown=self.tls.certificate))
        self.process = subprocess.Popen(  # in a group of its own: prefork ends its whole group
            ["/usr/sbin/apache2", "-f", str(conf), "-D", "FOREGROUND"],
            env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C",
                 "APACHE_RUN_DIR": str(self.directory)}, stdin=subprocess.DEVNULL,
            start_new_session=True)
        until(self.answers, 10, "Apache")

    def answers(self) -> bool:
        """Tell whether it accepts connections; fail when it has ended."""
        assert self.process and self.process.poll() is None, self.errors()
        with socket.socket() as sock:
            return sock.connect_ex(self.address) == 0

    def errors(self) -> str:
        """Return what it has written to its error log."""
        path = self.directory / "error.log"
        return path.read_text(errors="replace") if path.exists() else "(no error log)"

    def stop(self) -> None:
        """Stop at once, without regard for requests."""
        if self.process:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(20)
            self.process = None

    def reload(self) -> None:
        """Start again gracefully, as logrotate has it done every day."""
        assert self.process
        self.process.send_signal(signal.SIGUSR1)
