"""People of a directory, against a real slapd: who comes in, as whom, and who never does."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from service.authority import Authority
from service.between import Between
from service.slapd import LONG, ODD, Slapd

from desktop.auth import chain, ldap
from desktop.auth.credentials import REJECTED, Credentials, Verdict, canonical
from desktop.errors import Refusal
from desktop.settings import Settings

PEOPLE, GROUPS = "ou=people,dc=example,dc=org", "ou=groups,dc=example,dc=org"
USERS = "ou=Users,dc=ad,dc=test"
ADA = Verdict(True, "ada", "ldap", mail="ada.lovelace@example.org")
GRACE = Verdict(True, "Grace", "ldap", mail="grace.hopper@ad.test")


@pytest.fixture
def plain(slapd: Slapd, authority: Authority) -> Settings:
    """Settings for the plain directory."""
    return Settings(check_user_with_ldap=True, ldap_server=("localhost",), ldap_port=slapd.port,
                    ldap_ca_file=str(authority.ca), ldap_domain="example.org")


@pytest.fixture
def active(plain: Settings, tmp_path: Path) -> Settings:
    """Settings for the one like Active Directory, where one must be somebody to look around."""
    path = tmp_path / "ldap.passwd"
    path.write_text("reader-secret\n")
    path.chmod(0o640)
    return replace(plain, ldap_domain="ad.test", ldap_bind_dn=f"cn=Reader,{USERS}",
                   file_ldap_passwd=path)


@pytest.fixture(autouse=True)
def nobody_goes_elsewhere(elsewhere: Between) -> Iterator[None]:
    """Fail whenever the server that slapd refers to has a visitor."""
    yield
    assert not elsewhere.visits


def verdict(settings: Settings, user: str, password: str) -> Verdict:
    """Return what the chain says to what is typed."""
    return chain.check(settings, Credentials(canonical(user), password, "192.0.2.7"))


@pytest.mark.parametrize(("encryption", "port"), [
    ("starttls", "port"), ("ldaps", "ldaps"), ("none", "port")])
def test_each_way_to_talk(plain: Settings, slapd: Slapd, encryption: str, port: str) -> None:
    ours = replace(plain, ldap_tls=encryption, ldap_port=getattr(slapd, port))
    assert verdict(ours, "ada", "ada-secret") == ADA
    for wrong in ("ada-secre", "ada-secret ", "Ada-secret", "bob-secret", "{CLEARTEXT}x", "*"):
        assert verdict(ours, "ada", wrong) == REJECTED
    assert verdict(ours, "nobody", "ada-secret") == REJECTED


@pytest.mark.parametrize("server", ["localhost:{}", "127.0.0.1:{}"])
def test_a_server_with_its_port(plain: Settings, slapd: Slapd, server: str) -> None:
    ours = replace(plain, ldap_server=(server.format(slapd.port),), ldap_port=1)
    assert verdict(ours, "ada", "ada-secret") == ADA


@pytest.mark.parametrize(("typed", "name", "password"), [
    ("ada", "ada", "ada-secret"), (" ADA ", "ada", "ada-secret"),
    ("lovelace", "ada", "ada-secret"), ("Ada.Lovelace@EXAMPLE.org", "ada", "ada-secret"),
    ("bob", "Bob", "bob-secret"), ("aaron", "Bob", "bob-secret"),
    ("u\u0308", "\u00fc", ODD), ("long", "long", LONG)])
def test_one_name_for_all_that_people_type(plain: Settings, typed: str, name: str,
                                           password: str) -> None:
    found = verdict(plain, typed, password)
    assert (found.accepted, found.name, found.method) == (True, name, "ldap")
    assert verdict(plain, typed, password[:-1]) == REJECTED


def test_an_address_that_is_none_is_none(plain: Settings) -> None:
    assert verdict(plain, "long", LONG) == Verdict(True, "long", "ldap")


@pytest.mark.parametrize(("typed", "password"), [
    ("twin", "twin-secret"), ("twin1", "twin-secret"), ("mallory", "twin-secret"),
    ("carl", "carl-secret"), ("carl@example.org", "carl-secret"),
    ("carl.guest@example.org", "guest-secret"), ("shadow", "ada-secret"),
    ("nameless", "nameless-secret"), ("blank", "x"), ("people", "x"), ("desktop", "x")])
def test_whoever_is_not_exactly_one_person(plain: Settings, typed: str, password: str) -> None:
    assert verdict(plain, typed, password) == REJECTED


def test_whoever_is_one_person_all_the_same(plain: Settings) -> None:
    assert verdict(plain, "twin2", "twin-secret").name == "twin2"
    assert verdict(plain, "twin1@example.org", "twin-secret").name == "twin1"
    assert verdict(plain, "mallory", "mallory-secret").name == "mallory"


BAD_NAMES = ("", " ", "*", "a)(cn=*", "\\2a", "\\", "a b", "ada\r\n", "\r\nada", "a\0b", "ada\0",
             "ada,ou=people", "uid=ada", "x" * 129, "ada\u2028", "|", "&", "(uid=ada)", "#ada")
BAD_PASSWORDS = ("", " ", "\t", "\u00a0", "ada-secret\0", "\0", "ada\r\nsecret", LONG + "x",
                 "x" * 10000)


def test_what_never_reaches_a_server(plain: Settings, slapd: Slapd) -> None:
    before = slapd.log()
    template = replace(plain, ldap_template=f"uid={{user}},{PEOPLE}")
    for ours in (plain, template):
        for name in BAD_NAMES:
            assert verdict(ours, name, "ada-secret") == REJECTED
        for password in BAD_PASSWORDS:
            assert verdict(ours, "ada", password) == REJECTED
    assert slapd.log() == before


@pytest.mark.parametrize("name", ["*", "a)(cn=*", "\\2a", "a b", "ada)", "(", "ada\0", "\r\n",
                                  "ad\\61", "*)(uid=ada", "ada,ou=people", "+", "#ada"])
def test_nor_would_a_name_be_more_than_a_value(plain: Settings, name: str) -> None:
    for template in ("", f"uid={{user}},{PEOPLE}"):
        ours = replace(plain, ldap_template=template)
        assert ldap.check(ours, Credentials(name, "ada-secret", "192.0.2.7")) == REJECTED


def test_a_password_that_is_as_good_as_none_is_not_none(plain: Settings, slapd: Slapd) -> None:
    for password in ("\u00ad", "\u200b", "\ufeff"):  # SASLprep makes nothing of them
        assert verdict(plain, "ada", password) == REJECTED
    template = replace(plain, ldap_template=f"uid={{user}},{PEOPLE}")
    assert verdict(template, "ada", "\u00ad") == REJECTED
    assert 'BIND dn="" ' not in slapd.log()


def test_in_active_directory(active: Settings) -> None:
    for typed in ("grace", "GRACE", "grace.hopper@ad.test"):
        assert verdict(active, typed, "grace-secret") == GRACE
    assert verdict(active, "alan", "alan-secret").name == "alan"
    assert verdict(active, "Grace2", "alan-secret").name == "alan"  # its uid is but a field
    assert verdict(active, "grace", "alan-secret") == REJECTED


def test_nobody_in_particular_may_not_look_around(
        active: Settings, caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(Refusal, match="cannot be checked now"):
        verdict(replace(active, ldap_bind_dn=""), "grace", "grace-secret")
    assert "ldap_bind_dn names who may" in caplog.text


def test_the_password_of_who_looks_around(active: Settings) -> None:
    path = active.file_ldap_passwd
    path.chmod(0o644)
    with pytest.raises(Refusal, match="open to everybody"):
        ldap.check(active, Credentials("Grace", "grace-secret", ""))
    path.chmod(0o600)
    path.write_text("wrong")
    with pytest.raises(Refusal, match="file_ldap_passwd is wrong"):
        ldap.check(active, Credentials("Grace", "grace-secret", ""))
    path.unlink()
    with pytest.raises(Refusal, match="cannot be checked now"):  # and not a word of the reason
        verdict(active, "grace", "grace-secret")


STAFF, ADMINS = rf"CN=Staff (all) *,{USERS}", rf"CN=Admins\, of desktops,{USERS}"


@pytest.mark.parametrize(("group", "grace", "alan"), [
    (STAFF, True, False), (ADMINS, True, False), (f"cn=none,{USERS}", False, False)])
def test_groups_of_active_directory(active: Settings, group: str, grace: bool,
                                    alan: bool) -> None:
    only = replace(active, ldap_group=group)
    assert verdict(only, "grace", "grace-secret").accepted == grace
    assert verdict(only, "alan", "alan-secret").accepted == alan
    assert verdict(only, "grace", "alan-secret") == REJECTED
    led = replace(active, ldap_admin_group=group)
    assert verdict(led, "grace", "grace-secret") == replace(GRACE, admin=grace)
    assert verdict(led, "alan", "alan-secret").admin == alan


@pytest.mark.parametrize("group", ["desktop", "unique", "posix"])
@pytest.mark.parametrize("template", ["", f"uid={{user}},{PEOPLE}"])
def test_groups_of_every_kind(plain: Settings, group: str, template: str) -> None:
    only = replace(plain, ldap_group=f"cn={group},{GROUPS}", ldap_template=template)
    assert verdict(only, "ada", "ada-secret") == ADA
    assert verdict(only, "bob", "bob-secret") == REJECTED
    led = replace(plain, ldap_admin_group=f"cn={group},{GROUPS}", ldap_template=template)
    assert verdict(led, "ada", "ada-secret").admin
    assert verdict(led, "bob", "bob-secret") == Verdict(True, "Bob", "ldap")


def test_signing_in_without_being_looked_for(plain: Settings, slapd: Slapd) -> None:
    ours = replace(plain, ldap_template=f"uid={{user}},{PEOPLE}")
    before = slapd.binds()
    assert verdict(ours, "ADA", "ada-secret") == ADA
    assert slapd.binds()[len(before):] == [f"uid=ADA,{PEOPLE}"] * 1
    assert verdict(ours, "ada", "bob-secret") == REJECTED
    assert verdict(ours, "lovelace", "ada-secret") == REJECTED
    assert verdict(ours, "shadow", "ada-secret") == REJECTED
    hidden = replace(plain, ldap_template="uid={user},ou=hidden,dc=example,dc=org")
    assert verdict(hidden, "hidden", "hidden-secret").name == "hidden"
    sealed = replace(plain, ldap_template="uid={user},ou=sealed,dc=example,dc=org")
    assert verdict(sealed, "sealed", "sealed-secret") == REJECTED


def test_referrals_are_not_followed(plain: Settings) -> None:
    away = "ou=elsewhere,dc=example,dc=org"  # and see nobody_goes_elsewhere
    assert verdict(replace(plain, ldap_base=away), "eve", "eve-secret") == REJECTED
    template = replace(plain, ldap_template=f"uid={{user}},{away}")
    assert verdict(template, "eve", "eve-secret") == REJECTED
    assert verdict(replace(plain, ldap_group=f"cn=all,{away}"), "ada", "ada-secret") == REJECTED


def test_the_account_is_said_before_the_password_is_shown(plain: Settings, slapd: Slapd) -> None:
    said: list[str] = []

    def account(name: str) -> None:
        said.append(name)
        raise Refusal("Too many.", 429)
    before = slapd.binds()
    template = replace(plain, ldap_template=f"uid={{user}},{PEOPLE}")
    for ours, name in ((plain, "ada.lovelace@example.org"), (plain, "ADA"),
                       (template, "\uff21dà")):
        with pytest.raises(Refusal, match="Too many"):
            chain.check(ours, Credentials(name, "x", "192.0.2.7", account))
    assert said == ["ada"] * 3 and slapd.binds() == before


@pytest.mark.parametrize("change", [
    {"ldap_server": ()}, {"ldap_server": ("ldap://localhost",)}, {"ldap_server": ("host:port",)},
    {"ldap_domain": ""}, {"ldap_filter": "(uid=ada)"}, {"ldap_filter": "(uid={user}"},
    {"ldap_filter": "{user}"}, {"ldap_template": f"uid=ada,{PEOPLE}"}, {"ldap_group": "desktop"},
    {"ldap_ca_file": "/nonexistent"}])
def test_settings_that_do_not_fit_let_nobody_in(plain: Settings, change: dict[str, str]) -> None:
    ours = replace(plain, **change)  # type: ignore[arg-type]
    with pytest.raises(Refusal) as problem:
        ldap.check(ours, Credentials("ada", "ada-secret", ""))
    assert problem.value.status == 503 and next(iter(change)) in str(problem.value)


def test_what_a_sign_in_hangs_on(plain: Settings) -> None:
    now = chain.standing(plain, "ldap", "ada")
    assert now and now == chain.standing(replace(plain, ldap_port=1), "ldap", "ada")
    assert chain.standing(replace(plain, check_user_with_ldap=False), "ldap", "ada") is None
    for change in ({"ldap_group": "cn=x"}, {"ldap_server": ("other",)}, {"ldap_base": "dc=x"}):
        ours = replace(plain, **change)  # type: ignore[arg-type]
        assert chain.standing(ours, "ldap", "ada") != now
