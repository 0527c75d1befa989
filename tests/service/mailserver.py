"""Dovecot and Postfix of the tests' own: mailboxes to sign in to, and what is sent to them.

One directory, loopback addresses, certificates of the tests' authority. Both run in the
foreground, as children of the tests, and are ended by their pids; Postfix asks Dovecot who
somebody is. At 127.0.0.2 Dovecot's certificate is over, at 127.0.0.3 it names another host;
Postfix has ports with such ones.
"""

import os
import pwd
import shutil
import signal
import socket
import subprocess
from contextlib import suppress
from email import message_from_bytes, policy
from email.message import EmailMessage

from service.apache import free_port
from service.authority import DAY, Authority
from service.installation import short_directory
from service.until import until

PEOPLE = {"ada": "ada-mailbox-1", "ü": "ü-Wort-€", "long": "x" * 1024,
          "desktop": "desktop-mailbox-2"}
HOST = "127.0.0.1"
OVER, OTHER = "127.0.0.2", "127.0.0.3"
KEEPER = "nobody"  # whose the mailboxes are

DOVECOT = """\
base_dir = {directory}/dovecot
state_dir = {directory}/dovecot
log_path = {directory}/dovecot.log
protocols = imap
listen = {HOST}, {OVER}, {OTHER}
ssl = yes
ssl_dh =
ssl_cert = <{good.file}
ssl_key = <{good.key}
local {OVER} {{
  ssl_cert = <{over.file}
  ssl_key = <{over.key}
}}
local {OTHER} {{
  ssl_cert = <{other.file}
  ssl_key = <{other.key}
}}
auth_mechanisms = plain login
auth_failure_delay = 0
auth_username_chars =
auth_username_format = %Ln
passdb {{
  driver = passwd-file
  args = scheme=PLAIN username_format=%Ln {directory}/people
}}
userdb {{
  driver = static
  args = uid={KEEPER} gid=nogroup home={directory}/mail/%Ln
}}
mail_location = maildir:{directory}/mail/%Ln
service imap-login {{
  inet_listener imap {{
    port = {imap}
  }}
  inet_listener imaps {{
    port = {imaps}
  }}
}}
service anvil {{
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
service auth {{
  unix_listener {directory}/queue/private/auth {{
    mode = 0600
    user = postfix
  }}
}}
"""

MAIN = """\
compatibility_level = 3.6
queue_directory = {directory}/queue
data_directory = {directory}/postfix
maillog_file = {directory}/postfix.log
maillog_file_prefixes = {directory}
inet_protocols = ipv4
myhostname = mail.example.org
mydestination =
local_recipient_maps =
proxy_read_maps =
mynetworks =
virtual_mailbox_domains = example.org
virtual_mailbox_base = {directory}/mail
virtual_mailbox_maps = texthash:{directory}/mailboxes
recipient_delimiter = +
virtual_uid_maps = static:{uid}
virtual_gid_maps = static:{gid}
virtual_minimum_uid = 1
smtpd_tls_cert_file = {good.file}
smtpd_tls_key_file = {good.key}
smtpd_tls_security_level = may
smtpd_tls_auth_only = yes
smtpd_sasl_auth_enable = yes
smtpd_sasl_type = dovecot
smtpd_sasl_path = private/auth
smtpd_relay_restrictions = permit_sasl_authenticated, reject
smtpd_error_sleep_time = 0
smtpd_client_connection_count_limit = 0
"""

# What Debian's has, but for the ports, without chroot, and without what these tests never use.
MASTER = """\
postlog unix-dgram n - n - 1 postlogd
{HOST}:{submission} inet n - n - - smtpd
{HOST}:{submissions} inet n - n - - smtpd
    -o smtpd_tls_wrappermode=yes
{HOST}:{over_port} inet n - n - - smtpd
    -o smtpd_tls_cert_file={over.file} -o smtpd_tls_key_file={over.key}
{HOST}:{other_port} inet n - n - - smtpd
    -o smtpd_tls_cert_file={other.file} -o smtpd_tls_key_file={other.key}
{HOST}:{old_port} inet n - n - - smtpd
    -o smtpd_tls_protocols=TLSv1 -o tls_medium_cipherlist=DEFAULT:@SECLEVEL=0
{HOST}:{relay} inet n - n - - smtpd
    -o smtpd_tls_security_level=none -o smtpd_sasl_auth_enable=no
    -o smtpd_relay_restrictions=permit_mynetworks,reject -o mynetworks=127.0.0.0/8
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
error unix - - n - - error
retry unix - - n - - error
proxymap unix - - n - - proxymap
anvil unix - - n - 1 anvil
virtual unix - n n - - virtual
"""


class MailServer:
    """Both servers. Use it as a context: they end with everything they keep."""

    def __init__(self, authority: Authority) -> None:
        self.directory = short_directory()
        self.ca = authority.ca
        self.imap, self.imaps = free_port(), free_port()
        self.submission, self.submissions, self.relay = free_port(), free_port(), free_port()
        self.over_port, self.other_port, self.old_port = free_port(), free_port(), free_port()
        names = {"good": authority.certify("mail"),
                 "over": authority.certify("mail-over", HOST, OVER, lasts=-DAY),
                 "other": authority.certify("mail-other", "mail.example.org")}
        keeper = pwd.getpwnam(KEEPER)
        self.facts = {**vars(self), **names, "HOST": HOST, "OVER": OVER, "OTHER": OTHER,
                      "KEEPER": KEEPER, "uid": keeper.pw_uid, "gid": keeper.pw_gid}
        self.mail = self.directory / "mail"
        self.running: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> "MailServer":
        for room, owner in (("mail", KEEPER), ("postfix", "postfix"), ("conf", "root"),
                            ("queue", "root"), ("dovecot", "root")):
            (self.directory / room).mkdir()
            shutil.chown(self.directory / room, owner)
        self.write("people", "".join(f"{name}:{word}\n" for name, word in PEOPLE.items()))
        self.write("mailboxes", "".join(f"{name}@example.org {name}/\n" for name in PEOPLE))
        self.write("dovecot.conf", DOVECOT)
        self.write("conf/main.cf", MAIN)
        self.write("conf/master.cf", MASTER)
        for name in ("active", "bounce", "corrupt", "defer", "deferred", "flush", "hold",
                     "incoming", "maildrop", "pid", "private", "public", "saved", "trace"):
            (self.directory / "queue" / name).mkdir()
            shutil.chown(self.directory / "queue" / name, "root" if name == "pid" else "postfix")
        self.start("/usr/sbin/dovecot", "-F", "-c", self.directory / "dovecot.conf")
        until((self.directory / "queue/private/auth").exists, 30, "Dovecot")
        self.start("/usr/lib/postfix/sbin/master", "-s", "-c", self.directory / "conf")
        for port in (self.imap, self.relay):
            until(lambda: listens(port), 30, f"the mail servers: {self.words()}")
        return self

    def write(self, name: str, text: str) -> None:
        """Write a file of settings, readable by both servers' users."""
        path = self.directory / name
        path.write_text(text if name in ("people", "mailboxes") else
                        text.format(**self.facts), encoding="utf-8")
        path.chmod(0o644)

    def start(self, *argv: object) -> None:
        """Start a server in the foreground, in a group of its own."""
        log = (self.directory / "said.log").open("ab")
        with log:
            self.running.append(subprocess.Popen(
                [*map(str, argv)], stdin=subprocess.DEVNULL,
                stdout=log, stderr=log, start_new_session=True, cwd="/",
                env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8"}))

    def __exit__(self, *_: object) -> None:
        for process in reversed(self.running):
            process.send_signal(signal.SIGTERM)
            process.wait(20)
            with suppress(ProcessLookupError):  # Postfix's master does not wait for its children
                os.killpg(process.pid, signal.SIGKILL)
            until(lambda: gone(process.pid), 20, "the end of a mail server")
        shutil.rmtree(self.directory)

    def settings(self, **others: object) -> dict[str, object]:
        """Return the settings of a site that uses both; not which of them is asked."""
        return {"imap_server": HOST, "imap_port": self.imaps, "imap_ca_file": str(self.ca),
                "smtp_server": HOST, "smtp_port": self.submission, "smtp_ca_file": str(self.ca),
                **others}

    def received(self, name: str) -> list[EmailMessage]:
        """Return the mails in somebody's mailbox."""
        return [message_from_bytes(path.read_bytes(), policy=policy.default)  # type: ignore
                for path in sorted((self.mail / name / "new").glob("*"),
                                   key=lambda path: path.stat().st_ctime_ns)]

    def clear(self) -> None:
        """Empty all mailboxes, once what was sent has come."""
        until(lambda: not [path for room in ("maildrop", "incoming", "active")
                           for path in (self.directory / "queue" / room).rglob("*")
                           if path.is_file()], 30, "mails that were sent")
        for path in self.mail.glob("*/new/*"):
            path.unlink()

    def words(self) -> str:
        """Return all that both servers have logged."""
        return "".join(path.read_text(errors="replace")
                       for path in sorted(self.directory.glob("*.log")))


def gone(group: int) -> bool:
    """Tell whether nothing is left of a group of processes."""
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return True
    return False


def listens(port: int) -> bool:
    """Tell whether somebody does at this port."""
    with socket.socket() as sock:
        return sock.connect_ex((HOST, port)) == 0
