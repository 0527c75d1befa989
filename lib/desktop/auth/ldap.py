"""People of a directory (LDAP, Active Directory): who knows the password of exactly one entry.

Their entry is searched for and its password tried, or they sign in as a template says and then
look themselves up. The account's name is the entry's own: sAMAccountName, else uid.
"""

import logging
import re
import unicodedata
from typing import TYPE_CHECKING

from desktop import secret
from desktop.auth import certificate
from desktop.auth.credentials import REJECTED, Credentials, Verdict, canonical
from desktop.errors import Refusal
from desktop.finding import Finding
from desktop.settings import Settings

if TYPE_CHECKING:
    from desktop.auth.directory import Conversation, Entry

log = logging.getLogger("auth")
# In this order: in Active Directory everybody's sAMAccountName is another, uid is just a field.
NAMES = ("sAMAccountName", "uid")
WANTED = (*NAMES, "mail")
NESTED = "1.2.840.113556.1.4.1941"  # Active Directory's rule for members of members
ADDRESS = re.compile(r"(?=.{3,254}$)[^\s@]+@[^\s@]+")
USER = "{user}"
LDAPS = 636


def check(settings: Settings, credentials: Credentials) -> Verdict:
    """Tell whether somebody's password is that of their entry, asking one server after another.

    Once a server has been shown the password no other one is: it may have counted a wrong one
    without saying so. Raises Refusal (503) when none answers, or the settings do not fit.
    """
    from desktop.auth import directory  # ldap3 takes 50 ms, and a cookie does not need it
    for host, port in servers(settings):
        try:
            with directory.conversation(settings, host, port) as talk:
                return recognise(settings, credentials, talk)
        except directory.Unanswered as problem:
            log.error("ldap_server %s:%d: %s", host, port, problem)
            if problem.told:
                break
    raise Refusal("No ldap_server has answered.", 503)


def recognise(settings: Settings, credentials: Credentials, talk: "Conversation") -> Verdict:
    """Return the verdict of a server that answers."""
    entry = themselves(settings, credentials, talk) if settings.ldap_template else searched(
        settings, credentials, talk)
    if entry is None:
        return REJECTED
    name = name_of(entry)
    if settings.ldap_group and not member(talk, entry, "ldap_group", settings.ldap_group):
        log.info("%s is not in ldap_group", name)
        return REJECTED
    admin = bool(settings.ldap_admin_group) and member(
        talk, entry, "ldap_admin_group", settings.ldap_admin_group)
    return Verdict(True, name, "ldap", admin, mail_of(entry))


def searched(settings: Settings, credentials: Credentials,
             talk: "Conversation") -> "Entry | None":
    """Return the entry that a name means, if the password is its; afterwards we may search."""
    introduce(settings, talk)
    entry = the_one(settings, credentials.user, talk)
    if entry is None:
        return None
    credentials.account(name_of(entry))
    if not talk.bind(entry.dn, credentials.password):
        return None
    introduce(settings, talk)
    return entry


def introduce(settings: Settings, talk: "Conversation") -> None:
    """Say who is asking, where the settings name somebody."""
    if settings.ldap_bind_dn:
        password = secret.read(settings.file_ldap_passwd, "file_ldap_passwd")
        if not talk.bind(settings.ldap_bind_dn, password, of_a_person=False):
            raise Refusal("ldap_bind_dn or the password in file_ldap_passwd is wrong.", 503)


def themselves(settings: Settings, credentials: Credentials,
               talk: "Conversation") -> "Entry | None":
    """Return the entry of somebody who signs in as the template says.

    Where it makes no DN, the entry found must have the same password: else a name could open one
    account and be looked up as another.
    """
    from desktop.auth import directory
    template = checked(settings.ldap_template, "ldap_template")
    by_dn = "=" in template
    me = template.replace(USER, directory.rdn(credentials.user) if by_dn else credentials.user)
    credentials.account(folded(credentials.user))
    if not talk.bind(me, credentials.password):
        return None
    if not by_dn:
        entry = the_one(settings, credentials.user, talk)
        if entry and folded(name_of(entry)) != folded(credentials.user):
            credentials.account(name_of(entry))
        return entry if entry and talk.bind(entry.dn, credentials.password) else None
    entries = talk.search(me, "(objectClass=*)", *WANTED, beneath=False)
    if len(entries) != 1 or not name_of(entries[0]):
        log.error("people may not read the uid of their own entry, where ldap_template leads")
        return None
    return entries[0]


def the_one(settings: Settings, user: str, talk: "Conversation") -> "Entry | None":
    """Return the only entry that a name means, whose own name is no other one's as well."""
    from desktop.auth import directory
    words = checked(settings.ldap_filter, "ldap_filter").replace(USER, directory.value(user))
    found = talk.search(base(settings), words, *WANTED)
    if len(found) != 1:
        log.info("%s entries match ldap_filter", "several" if found else "no")
        return None
    name = name_of(found[0])
    if not name:
        log.error("%s has no uid or sAMAccountName that can be a name here", found[0].dn)
        return None
    same = "".join(f"({attribute}={directory.value(name)})" for attribute in NAMES)
    if len(talk.search(base(settings), f"(|{same})")) != 1:
        log.error("%s is the name of several entries", name)
        return None
    return found[0]


def member(talk: "Conversation", entry: "Entry", setting: str, group: str) -> bool:
    """Tell whether an entry is in a group, by what the group says or the entry."""
    from desktop.auth.directory import value
    if "=" not in group:
        raise Refusal(f"{setting} = {group} is not a DN.", 503,
                      f"Such as {setting} = cn=desktop,ou=groups,dc=example,dc=org.")
    who, where = value(entry.dn), value(group)
    held = (f"(|(member={who})(uniqueMember={who})(member:{NESTED}:={who})"
            f"(memberUid={value(name_of(entry))}))")
    holds = f"(|(memberOf={where})(memberOf:{NESTED}:={where}))"
    return bool(talk.search(group, held, beneath=False)
                or talk.search(entry.dn, holds, beneath=False))


def standing(settings: Settings, name: str) -> str | None:
    """Return what a sign-in hangs on: which directory says who comes in, and who may.

    The directory is not asked again: who is removed there, or gets a new password, is let in by
    an older cookie until sign_in_lifetime is over.
    """
    return "\n".join(map(repr, (
        settings.ldap_server, settings.ldap_domain, settings.ldap_base, settings.ldap_filter,
        settings.ldap_template, settings.ldap_group, settings.ldap_admin_group)))


def servers(settings: Settings) -> list[tuple[str, int]]:
    """Return host and port of each server; raise Refusal (503) for one that is none."""
    usual = LDAPS if settings.ldap_tls == "ldaps" and settings.ldap_port == 389 \
        else settings.ldap_port
    found = []
    for server in settings.ldap_server:
        host, colon, port = server.rpartition(":") if "]:" in server or server.count(":") == 1 \
            else (server, "", "")
        if "/" in server or not host or colon and not port.isdecimal():
            raise Refusal(f"ldap_server = {server} is not host or host:port.", 503,
                          "How to talk to it says ldap_tls.")
        found.append((host.strip("[]"), int(port) if colon else usual))
    if not found:
        raise Refusal("ldap_server is not set.", 503)
    return found


def probe(settings: Settings) -> list[Finding]:
    """Say of each server whether it answers, lets us in, and has what people are looked for in.

    Raises Refusal (503) when the settings name no server.
    """
    return [examine(settings, host, port) for host, port in servers(settings)]


def examine(settings: Settings, host: str, port: int) -> Finding:
    """Say how one server does."""
    from desktop.auth import directory
    where = f"{host}:{port}"
    try:
        with directory.conversation(settings, host, port) as talk:
            shown = certificate.shown(talk.connection.socket)
            introduce(settings, talk)
            if not settings.ldap_template and not talk.search(
                    base(settings), "(objectClass=*)", "objectClass", beneath=False):
                return Finding("ldap", f"{where} answers, and shows no {base(settings)}", False,
                               "ldap_base names where people are; ldap_bind_dn who may look.")
            return certificate.judge("ldap", where, shown)
    except (directory.Unanswered, Refusal) as problem:
        return Finding("ldap", f"{where}: {problem}", False, "Until it answers, the next one of "
                       "ldap_server is asked, if there is one.")


def base(settings: Settings) -> str:
    """Return where people are looked for."""
    if not settings.ldap_base and not settings.ldap_domain:
        raise Refusal("Neither ldap_base nor ldap_domain is set.", 503)
    return settings.ldap_base or ",".join(f"dc={part}" for part in settings.ldap_domain.split("."))


def checked(pattern: str, setting: str) -> str:
    """Return a pattern in which a name has its place."""
    if USER not in pattern:
        raise Refusal(f"{setting} = {pattern} does not contain {USER}.", 503)
    return pattern


def name_of(entry: "Entry") -> str:
    """Return the canonical name of an entry, or nothing; of several, the one in its DN."""
    for attribute in NAMES:
        if values := entry.values(attribute):
            inside = [one for one in values
                      if entry.dn.lower().startswith(f"{attribute}={one},".lower())]
            return canonical(min(inside or values))
    return ""


def mail_of(entry: "Entry") -> str:
    """Return the address of an entry for messages, or nothing."""
    address = next(iter(entry.values("mail")), "")
    return address if ADDRESS.fullmatch(address) and address.isprintable() else ""


def folded(user: str) -> str:
    """Return one text for all spellings that directories take for one name (RFC 4518 and worse).

    Active Directory ignores accents as well.
    """
    letters = unicodedata.normalize("NFKD", user.casefold())
    return "".join(one for one in letters if not unicodedata.combining(one))
