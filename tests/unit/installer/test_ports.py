"""The ports of ports.conf, and who has them already."""

import socket
from pathlib import Path

import pytest

import ports
from ports import Listen
from report import Problem

DEBIAN = """\
# Listen 1
Listen 80

<IfModule ssl_module>
\tListen 443
</IfModule>
<IfModule mod_gnutls.c>
\tListen 444
</IfModule>
listen [::1]:8080
Listen 127.0.0.1:8443 https
"""


def test_what_apache_listens_on(ports_conf: Path) -> None:
    assert [one.port for one in ports.listens()] == [80, 443], "as Debian will have it"
    ports_conf.write_text(DEBIAN)
    assert ports.listens() == [Listen("", 80, False), Listen("", 443, True),
                               Listen("::1", 8080, False), Listen("127.0.0.1", 8443, True)]
    assert ports.plain().reach == "127.0.0.1" and ports.secure().port == 443
    assert ports.of(8080).reach == "::1" and ports.of(9999) == Listen("", 9999, True)
    ports_conf.write_text("Listen 443\n")
    with pytest.raises(Problem, match="no Listen"):
        ports.plain()


@pytest.mark.parametrize("host", ["", "127.0.0.1"])
def test_a_port_in_use_is_named_with_its_program(host: str) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(Problem, match=rf"port {port} is in use by py.* \(process \d+\)"):
            ports.must_be_free([Listen(host, port, False)])
    ports.must_be_free([Listen(host, port, False)])
