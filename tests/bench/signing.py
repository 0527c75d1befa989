"""What a sign-in by the directory costs, beside a request of somebody who has signed in."""

import shutil
import statistics
from collections.abc import Callable

from bench import floor
from service.authority import Authority
from service.installation import Installation, short_directory
from service.person import Person
from service.slapd import Slapd

Row = Callable[[str, float, float | None, str, str], None]
Timed = Callable[[Callable[[], object]], float]


def directory(site: Installation, row: Row, timed: Timed, rounds: int) -> None:
    """Sign in with StartTLS; the floor is a page plus what it takes to load ldap3."""
    place = short_directory()
    authority = Authority(place)
    with Slapd(place, authority, authority.certify("slapd")) as slapd:
        site.configure(check_user_with_htpasswd=0, check_user_with_ldap=1,
                       ldap_server=f"localhost:{slapd.port}", ldap_ca_file=authority.ca,
                       ldap_domain="example.org")
        ada = Person(site.server.address, "ada", "ada-secret")
        assert ada.sign_in().status == 303
        sign_ins, pages, bare, loading = ([] for _ in range(4))
        for _ in range(rounds):
            sign_ins.append(timed(Person(ada.address, "ada", "ada-secret").sign_in))
            pages.append(timed(lambda: ada.get("monitor")))
            bare.append(timed(floor.python))
            loading.append(timed(lambda: floor.python("import ldap3")))
    site.configure()
    shutil.rmtree(place)
    page, library = statistics.median(pages), statistics.median(loading) - statistics.median(bare)
    row("sign-in by LDAP", statistics.median(sign_ins), page + library, "s", "floor + 0.06 s")
