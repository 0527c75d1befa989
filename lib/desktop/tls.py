"""TLS to the servers that are shown passwords: their certificates are checked, always.

In: the settings KIND_ca_file and KIND_tls_least of one kind of server (ldap, imap, smtp). Out: a
context for it, a connected socket, and words for the log that say what to do when it fails.
"""

import errno
import socket
import ssl
import time
import warnings
from ipaddress import ip_address
from pathlib import Path

from desktop.errors import Refusal
from desktop.settings import Settings

CONNECT = 3.0  # seconds for all addresses of a server together
LEAST = {"1.0": ssl.TLSVersion.TLSv1, "1.1": ssl.TLSVersion.TLSv1_1,
         "1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}
OLD = frozenset({"UNSUPPORTED_PROTOCOL", "TLSV1_ALERT_PROTOCOL_VERSION", "NO_PROTOCOLS_AVAILABLE",
                 "WRONG_SSL_VERSION", "DH_KEY_TOO_SMALL", "EE_KEY_TOO_SMALL",
                 "SSLV3_ALERT_HANDSHAKE_FAILURE", "UNSAFE_LEGACY_RENEGOTIATION_DISABLED",
                 "INTERNAL_ERROR"})  # of OpenSSL, as SSLError.reason
WEAK = ("too weak", "too small")  # of OpenSSL, when a certificate is below the security level


def context(settings: Settings, kind: str) -> ssl.SSLContext:
    """Return what checks the certificate and the name of a server of this kind.

    With a CA file of its own it trusts no other. A floor below 1.2 also admits the keys, hashes
    and ciphers of that time. Raises Refusal (503) for a CA file that cannot be used.
    """
    file, least = getattr(settings, f"{kind}_ca_file"), getattr(settings, f"{kind}_tls_least")
    try:
        made = ssl.create_default_context(cafile=file or None)
    except OSError as error:  # ssl.SSLError is one
        raise Refusal(f"{kind}_ca_file = {file} cannot be read as certificates: "
                      f"{error.strerror or error}.", 503) from error
    # Python 3.13 demands what the CAs of many institutions leave out; 3.11 does not.
    made.verify_flags &= ~ssl.VERIFY_X509_STRICT
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # that is what the setting is for
        made.minimum_version = LEAST[least]
    if LEAST[least] < ssl.TLSVersion.TLSv1_2:
        made.set_ciphers("DEFAULT:@SECLEVEL=0")
        made.options |= 0x4  # ssl.OP_LEGACY_SERVER_CONNECT, which has a name from Python 3.12
    return made


def connect(host: str, port: int, seconds: float = CONNECT) -> socket.socket:
    """Return a connected socket, of the first address that answers.

    All addresses together have this time, each its share. Raises OSError.
    """
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    end = time.monotonic() + seconds
    problem: OSError = TimeoutError(errno.ETIMEDOUT, "no answer")
    for left, (family, kind, protocol, _, address) in zip(range(len(found), 0, -1), found):
        made = socket.socket(family, kind, protocol)
        try:
            made.settimeout(max(0.1, (end - time.monotonic()) / left))
            made.connect(address)
        except OSError as error:
            made.close()
            problem = error
        else:
            made.settimeout(seconds)
            # A handshake's last packet would wait 40 ms for the answer to the one before.
            made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return made
    raise problem


def must_be_here(connected: socket.socket | None, setting: str) -> None:
    """Raise OSError unless a connection without TLS leads to this computer itself."""
    peer = connected.getpeername()[0] if connected else ""
    if not ip_address(peer.partition("%")[0] or "::").is_loopback:
        raise OSError(f"{setting} = none is for a server on this computer, and {peer} is not")


def explain(settings: Settings, kind: str, error: BaseException) -> str:
    """Return what went wrong between us and a server of this kind, and what to do about it."""
    ca_file = Path(getattr(settings, f"{kind}_ca_file"))
    least = getattr(settings, f"{kind}_tls_least")
    if isinstance(error, ssl.SSLCertVerificationError):
        why = error.verify_message
        if any(word in why for word in WEAK):
            return f"{why}; {kind}_tls_least = 1.0 admits it"
        if "issuer" in why or "self-signed" in why or "self signed" in why:
            return f"{why}; {kind}_ca_file names the CA that has signed it" + (
                f", which is not in {ca_file}" if ca_file.name else "")
        return why
    if isinstance(error, ssl.SSLError):
        said = (error.reason or str(error)).lower().replace("_", " ")
        if error.reason in OLD and least != "1.0":
            return (f"{said}; an old server? {kind}_tls_least = 1.0 admits TLS as old as that "
                    f"(now {least})")
        if error.reason == "WRONG_VERSION_NUMBER":
            return f"{said}; it does not speak TLS at this port"
        return said
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, OSError):
        return error.strerror or str(error)
    return f"{type(error).__name__}: {error}"
