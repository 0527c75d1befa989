"""A domain of Active Directory, Samba's, in a network of its own: a program for its namespace.

On standard input: the directory for its files, a certificate, and questions (name, password,
changes of settings). On standard output: the verdict on each, or the reason why there is none.
"""

import json
import signal
import subprocess
import sys
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from service.until import until

from desktop import tls
from desktop.auth import chain
from desktop.auth.credentials import Credentials
from desktop.errors import Refusal
from desktop.settings import Settings

USERS = "CN=Users,DC=ad,DC=test"
SYSTEM = "/usr/bin/python3"  # Debian's, which has Samba's modules
# grace is a member of `outer` because `inner` is.
POPULATE = """
import sys
from samba.auth import system_session
from samba.param import LoadParm
from samba.samdb import SamDB
settings = LoadParm()
settings.load(sys.argv[1])
domain = SamDB(lp=settings, session_info=system_session())
for name in ("reader", "grace", "alan", "gone"):
    domain.newuser(name, name.title() + "-secret1", mailaddress=name + "@example.org")
domain.disable_account("(sAMAccountName=gone)")
for group, member in (("inner", "grace"), ("outer", "inner"), ("other", "alan")):
    domain.newgroup(group)
    domain.add_remove_group_members(group, [member])
"""


def provision(place: Path, certificate: str, key: str, ca: str) -> Path:
    """Make the domain; return its smb.conf."""
    options = {"interfaces": "lo", "bind interfaces only": "yes", "server services": "ldap",
               "tls certfile": certificate, "tls keyfile": key, "tls cafile": ca,
               "pid directory": place, "ncalrpc dir": place / "ncalrpc", "log file": place / "log"}
    subprocess.run(
        ["samba-tool", "domain", "provision", "--realm=AD.TEST", "--domain=ADT",
         "--server-role=dc", "--dns-backend=NONE", "--host-name=dc1", "--host-ip=127.0.0.1",
         f"--targetdir={place}", *(f"--option={name}={value}" for name, value in options.items())],
        check=True, stdout=subprocess.DEVNULL, stderr=(place / "provision.log").open("w"))
    conf = place / "etc/smb.conf"
    subprocess.run([SYSTEM, "-c", POPULATE, conf], check=True, stdout=subprocess.DEVNULL)
    return conf


def answers() -> bool:
    """Tell whether the domain's LDAP server accepts connections."""
    try:
        tls.connect("127.0.0.1", 389).close()
    except OSError:
        return False
    return True


def verdict(settings: Settings, user: str, password: str) -> dict[str, Any]:
    """Return the verdict on somebody, or why there is none."""
    try:
        return asdict(chain.check(settings, Credentials(user, password, "192.0.2.7")))
    except Refusal as problem:
        return {"refused": str(problem.__cause__)}


def main() -> None:
    """Make the domain, ask it, end it."""
    asked = json.load(sys.stdin)
    place, certificate = Path(asked["directory"]), asked["certificate"]
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    conf = provision(place, *certificate)
    password = place / "passwd"
    password.touch(0o600)
    password.write_text("Reader-secret1")
    settings = Settings(check_user_with_ldap=True, ldap_server=("localhost",),
                        ldap_domain="ad.test", ldap_ca_file=certificate[2],
                        ldap_bind_dn=f"CN=reader,{USERS}", file_ldap_passwd=password)
    samba = subprocess.Popen(["samba", "-i", "--debug-stdout", "-d", "1", "-s", conf],
                             stdin=subprocess.PIPE, stdout=(place / "samba.log").open("w"))
    try:
        until(answers, 60, "Samba")
        json.dump([verdict(replace(settings, **changes), user, password)
                   for user, password, changes in asked["questions"]], sys.stdout)
    finally:
        samba.send_signal(signal.SIGTERM)
        samba.wait(30)


if __name__ == "__main__":
    main()
