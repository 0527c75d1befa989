"""A certificate authority of the tests' own, and certificates as good or bad as wanted."""

import ssl
from base64 import b64encode
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (Encoding, NoEncryption, PrivateFormat,
                                                          PublicFormat)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

PINS: set[str] = set()  # of the keys that servers of the tests show, as Chromium takes them
DAY = timedelta(days=1)
HERE = ("localhost", "127.0.0.1")


@dataclass(frozen=True)
class Certificate:
    """What a server shows, and the key to it; `both` has the two in one file."""

    file: Path
    key: Path
    both: Path


@dataclass(frozen=True)
class Tls:
    """What a server shows, and what its visitors know."""

    certificate: Certificate
    trust: ssl.SSLContext


class Authority:
    """An authority; its own certificate, which everybody may read, is the file `ca`."""

    def __init__(self, directory: Path, name: str = "authority") -> None:
        self.directory = directory
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"tests {name}")])
        self.ca = directory / f"{name}.pem"
        made = self.draft(self.name, self.key, DAY).add_extension(
            x509.BasicConstraints(ca=True, path_length=0), critical=True).add_extension(
            usage(signs=True), critical=True).sign(self.key, hashes.SHA256())
        self.ca.write_bytes(made.public_bytes(Encoding.PEM))
        self.ca.chmod(0o644)

    def certify(self, label: str, *hosts: str, lasts: timedelta = DAY) -> Certificate:
        """Return a certificate for hosts, this one unless said; one that lasts < 0 is over."""
        key = ec.generate_private_key(ec.SECP256R1())
        names = [literal(host) for host in hosts or HERE]
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, label)])
        made = self.draft(subject, key, lasts).add_extension(
            x509.SubjectAlternativeName(names), critical=False).add_extension(
            x509.BasicConstraints(ca=False, path_length=None), critical=True).add_extension(
            x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False
            ).add_extension(usage(signs=False), critical=True).sign(self.key, hashes.SHA256())
        pem = made.public_bytes(Encoding.PEM)
        secret = key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
        place = Certificate(*(self.directory / f"{label}.{kind}" for kind in
                              ("crt", "key", "pem")))
        for path, content in ((place.file, pem), (place.key, secret), (place.both, pem + secret)):
            path.touch(0o600)
            path.write_bytes(content)
        return place

    def tls(self, label: str, *hosts: str) -> Tls:
        """Return a certificate for hosts, with what visitors need to trust it.

        Chromium knows nothing of our authority: it is told the checksum of the very key.
        """
        shown = self.certify(label, *hosts)
        key = x509.load_pem_x509_certificate(shown.file.read_bytes()).public_key()
        bits = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        PINS.add(b64encode(sha256(bits).digest()).decode())
        return Tls(shown, ssl.create_default_context(cafile=str(self.ca)))

    def draft(self, subject: x509.Name, key: ec.EllipticCurvePrivateKey,
              lasts: timedelta) -> x509.CertificateBuilder:
        """Return what every certificate of this authority has."""
        now = datetime.now(UTC)
        mine = self.key.public_key()
        return x509.CertificateBuilder(
            issuer_name=self.name, subject_name=subject, public_key=key.public_key(),
            serial_number=x509.random_serial_number(), not_valid_before=now - 7 * DAY,
            not_valid_after=now + lasts).add_extension(
            x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False
            ).add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(mine),
                            critical=False)


def literal(host: str) -> x509.GeneralName:
    """Return a host as certificates spell it: an address or a name."""
    try:
        return x509.IPAddress(ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def usage(signs: bool) -> x509.KeyUsage:
    """Return what a key is for: to sign certificates, or to be a server's."""
    return x509.KeyUsage(digital_signature=not signs, content_commitment=False,
                         key_encipherment=False, data_encipherment=False, key_agreement=False,
                         key_cert_sign=signs, crl_sign=signs, encipher_only=False,
                         decipher_only=False)
