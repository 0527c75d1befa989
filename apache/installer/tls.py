"""How people reach the service: by TLS with which certificate, in which virtual host."""

import ssl
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import ports
import sites
import system
from places import SITE
from report import Problem
from sites import Host

KINDS = ("self", "existing", "off")
EVERYWHERE = "all"  # --site: no longer in one alone
SNAKEOIL = ("/etc/ssl/certs/ssl-cert-snakeoil.pem", "/etc/ssl/private/ssl-cert-snakeoil.key")


@dataclass(frozen=True)
class Tls:
    """What --tls and --site ask for; an empty kind or site is not asked for: as it is."""

    kind: str = ""  # self, files, existing, off
    certificate: Path | None = None  # of kind files
    key: Path | None = None
    site: str = ""  # a virtual host, as its file in sites-available is called


@dataclass(frozen=True)
class Choice:
    """What is to be, all of it decided.

    Attributes:
        kind, site: of Tls.
        certificate, key: of a virtual host of our own; empty where there is to be none.
        names: what it is called; nothing: however it is reached.
        port: of TLS; 0 without.
        by: the sites that have it, of kind existing.
        hosts: the virtual hosts of the site that are to include our conf; none: all have it.
    """

    kind: str
    site: str
    certificate: str
    key: str
    names: tuple[str, ...]
    port: int
    by: tuple[str, ...]
    hosts: tuple[Host, ...]

    def facts(self) -> dict[str, str]:
        """Return what a later run must know."""
        return {name: value for name, value in asdict(self).items()
                if name in ("kind", "site", "certificate", "key")}


def parse(text: str, site: str = "") -> Tls:
    """Return what is meant by the text of --tls, or raise Problem."""
    if text in ("", *KINDS):
        return Tls(text, site=site)
    certificate, comma, key = text.partition(",")
    if not (certificate and comma and key):
        raise Problem(f"--tls={text} is not one of self, CERT,KEY, existing, off; "
                      "nothing was changed.", "Two files: --tls=CERTIFICATE,KEY")
    return Tls("files", Path(certificate).absolute(), Path(key).absolute(), site)


def choose(wanted: Tls, known: Mapping[str, str], hosts: Sequence[Host]) -> Choice:
    """Decide from what is asked for now, what was before, and Apache's virtual hosts.

    Where nothing ever was: the virtual hosts that have TLS already, else a certificate made here.
    Raises Problem for what cannot be.
    """
    theirs = [host for host in hosts if host.file != SITE]
    site = (wanted.site or known.get("site", "")).removesuffix(".conf")
    site = "" if site == EVERYWHERE else site
    chosen = [host for host in theirs if not site or host.site == site]
    if site and not chosen:
        raise Problem(f"--site={site}: no such virtual host is enabled; nothing was changed.",
                      f"There are: {', '.join(sorted({host.site for host in theirs})) or 'none'}.")
    secure = [host for host in chosen if host.tls]
    kind = wanted.kind or known.get("kind", "") or ("existing" if secure else "self")
    if kind == "existing":
        must_exist(secure, site, theirs)
        chosen = secure
    names = tuple(dict.fromkeys(name for host in chosen for name in host.names)) if site else ()
    certificate = key = ""
    if kind == "self":
        certificate, key = SNAKEOIL
    elif kind == "files":
        certificate = str(wanted.certificate or known.get("certificate", ""))
        key = str(wanted.key or known.get("key", ""))
        names = names or subjects(certificate, key)
    if certificate and (wanted.kind or not known):
        must_not_hide(names, theirs)
    port = 0 if kind == "off" else (secure[0].port if kind == "existing" else 0) or \
        ports.secure().port
    by = tuple(sorted({host.site for host in secure})) if kind == "existing" else ()
    return Choice(kind, site, certificate, key, names, port, by,
                  tuple(sites.twins(theirs, chosen)) if site else ())


def must_exist(secure: Sequence[Host], site: str, theirs: Sequence[Host]) -> None:
    """Raise Problem when there is no virtual host with TLS."""
    others = sorted({host.site for host in theirs if host.tls})
    if not secure:
        raise Problem(f"no virtual host {f'of {site} ' if site else ''}has TLS; nothing was "
                      "changed.", f"--site={others[0]} has it." if others else
                      "--tls=self, or a certificate: see certbot in the README.")


def must_not_hide(names: Sequence[str], theirs: Sequence[Host]) -> None:
    """Raise Problem when a virtual host of our own would stand before one of the site's."""
    secure = [host for host in theirs if host.tls]
    if not secure:
        return
    known = ", ".join(sorted({host.site for host in secure}))
    if not names:
        raise Problem(f"Apache has TLS already, in {known}; nothing was changed.",
                      "--tls=existing uses it.")
    for host in secure:
        if taken := set(names) & set(host.names):
            raise Problem(f"{host.site} has TLS for {sorted(taken)[0]} already; nothing was "
                          "changed.", f"--tls=existing --site={host.site}")


def subjects(certificate: str, key: str) -> tuple[str, ...]:
    """Return the names in a certificate; raise Problem when it and its key are of no use."""
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(
            certificate, key, lambda: b"")  # a password could not be asked for at each start
    except (OSError, ValueError) as error:
        raise Problem(f"{certificate} with the key {key} cannot be used: "
                      f"{getattr(error, 'strerror', None) or error}. Nothing was changed.",
                      "Two files in PEM, the certificate with its chain; no password.") from error
    said = system.run("openssl", "x509", "-in", certificate, "-noout", "-ext", "subjectAltName")
    words = said.replace(",", " ").split()
    return tuple(word.removeprefix("DNS:") for word in words if word.startswith("DNS:"))


def redirect(choice: Choice) -> bytes:
    """Return the conf that tells the other one that there is TLS."""
    port = "" if choice.port == 443 else f":{choice.port}"
    plain = [one.port for one in ports.listens() if not one.tls]
    return (f"# remote-desktop: who comes without TLS is sent to it. Written by apache/install.\n"
            f"Define DESKTOP_TLS \"%{{SERVER_NAME}}{port}\"\n"
            + "".join(f"Define DESKTOP_PLAIN {number}\n" for number in plain[:1])).encode()


def virtual_host(choice: Choice) -> bytes:
    """Return a virtual host of our own, for a site that has none with TLS."""
    names = [name for name in choice.names if "*" not in name]
    more = [name for name in choice.names if name not in names[:1]]
    lines = [f"ServerName {names[0]}" if names else "",
             f"ServerAlias {' '.join(more)}" if more else "",
             "SSLEngine on", f'SSLCertificateFile "{choice.certificate}"',
             f'SSLCertificateKeyFile "{choice.key}"', "RedirectMatch 302 ^/$ /desktop/",
             sites.INCLUDE if choice.site else ""]
    body = "".join(f"    {line}\n" for line in lines if line)
    return (f"# remote-desktop: TLS, where the site has none. Written by apache/install --tls.\n"
            f"<VirtualHost *:{choice.port}>\n{body}</VirtualHost>\n").encode()


def described(choice: Choice) -> str:
    """Say in a phrase what was chosen."""
    where = f"in {choice.site}" if choice.site else "in every virtual host"
    how = {"self": "TLS with a certificate made here, which browsers warn of",
           "files": f"TLS with {choice.certificate}",
           "existing": f"the TLS of {', '.join(choice.by)}",
           "off": "WITHOUT TLS: passwords and screens cross the network readable"}[choice.kind]
    return f"{where}, {how}"


def warning(choice: Choice) -> str:
    """Return what is to be said at the end of every run, or nothing."""
    if choice.kind == "off":
        return ("There is no TLS: everybody on the network between can read passwords and screens "
                "and take them over. sudo apache/install --tls=self ends that.")
    if choice.kind == "self":
        return ("Browsers warn of the certificate, which was made here. One they know: see "
                "certbot in the README.")
    return ""
