"""How people reach the service: by TLS with which certificate, in which virtual host."""

from dataclasses import dataclass
from pathlib import Path

from report import Problem

KINDS = ("self", "existing", "off")


@dataclass(frozen=True)
class Tls:
    """What --tls and --site ask for; an empty kind or site is not asked for: as it is."""

    kind: str = ""  # self, files, existing, off
    certificate: Path | None = None  # of kind files
    key: Path | None = None
    site: str = ""  # a virtual host, as its file in sites-available is called


def parse(text: str, site: str = "") -> Tls:
    """Return what is meant by the text of --tls, or raise Problem."""
    if text in ("", *KINDS):
        return Tls(text, site=site)
    certificate, comma, key = text.partition(",")
    if not (certificate and comma and key):
        raise Problem(f"--tls={text} is not one of self, CERT,KEY, existing, off; "
                      "nothing was changed.", "Two files: --tls=CERTIFICATE,KEY")
    return Tls("files", Path(certificate).absolute(), Path(key).absolute(), site)
