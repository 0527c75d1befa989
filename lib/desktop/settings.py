"""Every setting, once: its name, type, default and meaning.

The same table reads the settings file and the command line (configuration.py), prints `--help`
and the table of the README.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import Field, dataclass, field, fields
from pathlib import Path
from typing import Any

INSTALLED_FILE = Path("/etc/remote-desktop/desktop.ini")
ROOT = Path(__file__).resolve().parents[2]
TLS = ("1.0", "1.1", "1.2", "1.3")
VIDEO = ("std", "cirrus", "qxl", "vmware", "virtio")  # the cards, as settings and forms name them


def setting(default: Any, meaning: str, *, least: float | None = None, most: float | None = None,
            choices: Sequence[str] = (), secret: bool = False) -> Any:
    """Describe one setting: `meaning` is a sentence for --help, bounds are inclusive.

    A `secret` may be a password itself, unless it is the path of a file with it.
    """
    return field(default=default, metadata={"meaning": meaning, "least": least, "most": most,
                                            "choices": tuple(choices), "secret": secret})


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The settings of one run. Sizes of memory are MB, of disks GB, times seconds."""

    # Places
    dir_service: Path = setting(Path("/usr/share/remote-desktop"), "Programs of the service.")
    dir_html: Path = setting(Path("/usr/share/remote-desktop/html"), "Static pages.")
    dir_machines: Path = setting(Path("/var/lib/remote-desktop/machines"),
                                 "Machines on offer: images and their descriptors.")
    dir_snapshots: Path = setting(Path("/var/lib/remote-desktop/snapshots"),
                                  "What sessions write to their disks, until they end.")
    dir_templates: Path = setting(Path("/var/lib/remote-desktop/templates"),
                                  "Machines frozen after their boot, to start at once.")
    dir_parked: Path = setting(Path("/var/lib/remote-desktop/parked"),
                               "Sessions that were saved, their memory freed.")
    dir_cfg: Path = setting(Path("/run/remote-desktop"),
                            "One directory per session, with its sockets; a short path.")
    dir_state: Path = setting(Path("/var/lib/remote-desktop/state"),
                              "What outlives sessions: the cookie key, refused sign-ins.")
    dir_log: Path = setting(Path("/var/log/remote-desktop"), "The log and history.jsonl.")
    dir_novnc: Path = setting(Path("/usr/share/novnc"), "noVNC; must contain vnc.html.")
    dir_websockify: str = setting("websockify",
                                  "The websockify package, or a directory that contains it.")
    dir_mounts: tuple[str, ...] = setting(("/mnt", "/media"),
                                          "Directories of the server offered to every machine, "
                                          "read-only unless they end in :rw.")
    # A session
    machine: str = setting("tiny.iso", "The machine when none is named.")
    snapshot_lifetime: int = setting(86400, "Seconds after which a session is stopped; 0: never.",
                                     least=0)
    snapshot_alloc_cpu: int = setting(1, "Virtual CPUs of a session.", least=1, most=255)
    snapshot_alloc_mem: int = setting(4096, "Memory of a session in MB.", least=16)
    snapshot_alloc_disk: float = setting(10, "Disk in GB added to a machine that is an ISO.",
                                         least=0.01)
    first_connect_timeout: int = setting(300, "Seconds a session waits for its first viewer; "
                                         "0: for ever.", least=0)
    disconnect_grace: int = setting(30, "Seconds a single-shot session waits for its viewer "
                                    "to come back.", least=0)
    extend_max: int = setting(86400, "Seconds by which people may extend a session in all, while "
                              "nobody waits for a place; 0: not at all.", least=0)
    park_after: int = setting(0, "Seconds without a viewer after which a persistent session is "
                              "saved and its memory freed, unless it has a volume of dir_mounts "
                              "mounted; 0: never.", least=0)
    warn_before_end: int = setting(600, "Seconds before the end at which viewers are told, and "
                                   "owners whose mail address is known; 0: never.", least=0)
    qemu_exec: str = setting("qemu-system-x86_64", "The QEMU program.")
    qemu_video: str = setting("virtio", "The video card.", choices=VIDEO)
    qemu_accel: str = setting("auto", "kvm, tcg (slow, no security boundary), or kvm where it "
                              "works.", choices=("auto", "kvm", "tcg"))
    guest_network: str = setting("internet", "What machines reach: the internet, a card that "
                                 "leads nowhere, or no card.",
                                 choices=("internet", "isolated", "none"))
    gpu_blacklist: tuple[str, ...] = setting((), "GPUs never given away: PCI addresses "
                                             "or vendor:device.")
    # How much
    service_max_load: float = setting(0.8, "No new session above this share of all CPUs in use.",
                                      least=0)
    service_max_instance_nb: int = setting(10, "Most sessions at once.", least=0)
    service_max_session_nb_per_user: int = setting(3, "Most sessions of one person.", least=0)
    service_max_cpu_fraction_nb_per_user: float = setting(0.3, "Most virtual CPUs of one person, "
                                                          "as a share; never the first session.",
                                                          least=0, most=1)
    service_max_mem_fraction_nb_per_user: float = setting(0.3, "Most memory of one person, as a "
                                                          "share; never the first session.",
                                                          least=0, most=1)
    overcommit_cpu: float = setting(4, "Virtual CPUs promised per CPU of the server.", least=0)
    overcommit_memory: float = setting(1.0, "Memory promised per memory of the server, less the "
                                       "reserve.", least=0)
    templates_keep_hot: bool = setting(False, "Keep the memory of frozen machines in the page "
                                       "cache.")
    host_memory_reserve: int = setting(1024, "MB of memory kept for the server itself.", least=0)
    host_disk_reserve: float = setting(1, "GB of disk that new sessions leave free.", least=0)
    # What is kept
    history_days: int = setting(365, "Days for which it is kept who used what; 0: for ever.",
                                least=0)
    history_anonymise_days: int = setting(90, "Days after which names in it are replaced; "
                                          "0: never.", least=0)
    # The service
    server_name: str = setting("", "Public address, such as https://desktop.example.org; "
                               "empty: as the browser says.")
    server_aliases: tuple[str, ...] = setting((), "Other host names that pages may come from.")
    trusted_proxies: tuple[str, ...] = setting((), "Addresses or networks of proxies whose "
                                               "X-Forwarded-For and -Proto are believed.")
    service_allow_persistent: bool = setting(True, "Whether sessions may outlive their viewer.")
    service_use_vnc_token: bool = setting(True, "Whether a token is typed; 0: the address alone "
                                          "opens the session.")
    monitor_thumbnails: str = setting("owner", "Who sees pictures of a screen on the monitor: its "
                                      "owner alone, or administrators (admin) too.",
                                      choices=("owner", "admin"))
    monitor_metrics_from: tuple[str, ...] = setting((), "Addresses or networks that may read "
                                                    "figures for Prometheus.")
    service_min_port: int = setting(6000, "First port of sessions started by hand; 0: any.",
                                    least=0, most=65535)
    # Who may come in
    allow_unauthenticated: bool = setting(False, "Let everybody in. Never on a network.")
    check_user_with_htpasswd: bool = setting(False, "Check passwords against file_htpasswd.")
    file_htpasswd: Path = setting(Path("/etc/remote-desktop/htpasswd"), "Accounts, with bcrypt.")
    check_user_with_ldap: bool = setting(False, "Ask the directory (LDAP, Active Directory).")
    ldap_server: tuple[str, ...] = setting((), "Its servers, host or host:port, tried in turn.")
    ldap_port: int = setting(389, "Their port; with ldaps, 389 means 636.", least=1, most=65535)
    ldap_tls: str = setting("starttls", "How the connection is encrypted; none is for a server "
                            "on this computer.", choices=("starttls", "ldaps", "none"))
    ldap_allow_unencrypted: bool = setting(False, "With ldap_tls = none, show passwords to "
                                           "whoever listens on the way as well.")
    ldap_ca_file: str = setting("", "The CAs that sign its certificates; empty: those that the "
                                "system trusts.")
    ldap_tls_least: str = setting("1.2", "The oldest TLS; below 1.2 weak keys and hashes pass "
                                  "too.", choices=TLS)
    ldap_domain: str = setting("", "Its domain; example.org makes the base dc=example,dc=org.")
    ldap_base: str = setting("", "Where people are looked for; empty: everywhere in ldap_domain.")
    ldap_filter: str = setting("(|(uid={user})(cn={user})(mail={user})(sAMAccountName={user}))",
                               "Whom a name means: exactly one entry matches.")
    ldap_bind_dn: str = setting("", "Who looks for people; empty: nobody in particular.")
    file_ldap_passwd: Path = setting(Path("/etc/remote-desktop/ldap.passwd"),
                                     "The password of ldap_bind_dn; mode 0640.")
    ldap_template: str = setting("", "Who people sign in as, without being looked for: "
                                 "uid={user},ou=people,dc=example,dc=org or {user}@example.org.")
    ldap_group: str = setting("", "Only its members enter: the DN of a group.")
    ldap_admin_group: str = setting("", "Its members administer: the DN of a group.")
    check_user_with_imap: bool = setting(False, "Ask an IMAP server.")
    imap_server: str = setting("", "Its host, as its certificate names it.")
    imap_port: int = setting(993, "Its port; often 143 with starttls.", least=1, most=65535)
    imap_use_ssl: str = setting("ssl", "How the connection is encrypted; none is for a server on "
                                "this computer.", choices=("ssl", "starttls", "none"))
    imap_ca_file: str = setting("", "The CAs that sign its certificate; empty: those that the "
                                "system trusts.")
    imap_tls_least: str = setting("1.2", "The oldest TLS; below 1.2 weak keys and hashes pass "
                                  "too.", choices=TLS)
    imap_domain: str = setting("", "Completes the names it is told: ann becomes ann@example.org, "
                               "and who enters that address is ann here.")
    check_user_with_smtp: bool = setting(False, "Ask an SMTP server whether it would send their "
                                         "mail.")
    smtp_server: str = setting("", "Its host, as its certificate names it; sends mails too.")
    smtp_port: int = setting(587, "Its port; often 465 with ssl.", least=1, most=65535)
    smtp_use_ssl: str = setting("starttls", "How the connection is encrypted; none is for a "
                                "server on this computer.", choices=("ssl", "starttls", "none"))
    smtp_ca_file: str = setting("", "The CAs that sign its certificate; empty: those that the "
                                "system trusts.")
    smtp_tls_least: str = setting("1.2", "The oldest TLS; below 1.2 weak keys and hashes pass "
                                  "too.", choices=TLS)
    smtp_domain: str = setting("", "Completes the names it is told, as imap_domain does.")
    check_user_with_email: bool = setting(False, "Mail a link to a single-shot machine to "
                                          "whoever enters an address; needs server_name.")
    email_domains: tuple[str, ...] = setting((), "What may stand after the @; *: anything.")
    email_from: str = setting("", "The address that mails come from.")
    email_passwd: str = setting("", "Its password at smtp_server; better the path of a file with "
                                "it, mode 0640.", secret=True)
    email_user: str = setting("", "The name that goes with it; empty: email_from.")
    email_method: str = setting("auto", "SSL: sign in at smtp_server; port: do not; simple: at "
                                "port 25; auto: SSL if there is a password, else port.",
                                choices=("auto", "SSL", "port", "simple"))
    email_connect_timeout: int = setting(3600, "Seconds a machine that was mailed waits for its "
                                         "viewer; 0: for ever.", least=0)
    email_max_instance_nb: int = setting(5, "Most machines at once that were mailed: strangers "
                                         "must not fill the server.", least=0)
    email_max_per_address: int = setting(3, "Mails into one mailbox in an hour.", least=0)
    email_max_per_source: int = setting(20, "Mails asked for from one network in an hour.",
                                        least=0)
    check_user_with_remote_user: bool = setting(False, "Believe REMOTE_USER: Apache has asked "
                                                "who it is.")
    remote_user_sign_out: str = setting("", "Address where those whom Apache knows sign out; "
                                        "empty: they cannot.")
    check_user_custom: str = setting("", "A program told the user and the password, a line each, "
                                     "on its standard input; status 0 accepts.")
    check_user_custom_mode: str = setting("or", "or: one more way in; and: it may refuse whom "
                                          "another way accepted.", choices=("or", "and"))
    auth_max_failures: int = setting(5, "Wrong passwords of a name before it must wait; a server "
                                     "of yours sees no more in 15 minutes; 0: no limit.", least=0)
    sign_in_user: str = setting("", "What the field for the name is called; empty: as fits the "
                                "methods.")
    sign_in_password: str = setting("", "What the field for the password is called.")
    sign_in_help: str = setting("", "What to enter there, in the site's own words.")
    sign_in_lifetime: int = setting(28800, "Seconds until people sign in again.", least=60)
    user_admin: tuple[str, ...] = setting((), "People who may use the administration; ldap:ann: "
                                          "if LDAP says it is her.")


TABLE: Mapping[str, Field[Any]] = {entry.name: entry for entry in fields(Settings)}


def nearest(word: str, known: Iterable[str]) -> str:
    """Return the hint that names the nearest known word, or nothing."""
    from difflib import get_close_matches  # only when something is wrong already
    matches = get_close_matches(word, list(known), 1, 0.5)
    return f"Did you mean {matches[0]}?" if matches else ""


def spell(value: Any) -> str:
    """Return a value as the settings file spells it."""
    if isinstance(value, bool):
        return str(int(value))
    return ", ".join(value) if isinstance(value, tuple) else str(value)
