"""A class of twenty behind one address, with the settings that the README gives for it."""

import subprocess
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from service.conftest import Goods
from service.installation import Installation
from service.person import Desktop, Person, Reply
from service.readme import blocks, section

from desktop import literal

PEOPLE = 20
MISTYPE = {3: 1, 7: 2, 8: 1, 12: 2, 19: 1}  # how often, of whom
USUAL = ("service_max_load", "service_max_session_nb_per_user", "host_disk_reserve",
         "service_max_cpu_fraction_nb_per_user", "service_max_mem_fraction_nb_per_user",
         "snapshot_alloc_disk")  # back to their defaults


def enrolled(goods: Goods, directory: Path) -> Goods:
    """Return the goods with accounts for a class, made from a list as the README says."""
    names = [f"pupil{number}" for number in range(PEOPLE)]
    passwords = {name: f"right horse of {name}" for name in names}
    accounts, roll = directory / "htpasswd", directory / "class.csv"
    accounts.write_bytes(goods.htpasswd.read_bytes())
    roll.write_text("".join(f"{name},{word}\n" for name, word in passwords.items()))
    subprocess.run([goods.share / "cgi-bin/admin.py", f"--user_import={roll}",
                    f"--file_htpasswd={accounts}"], check=True, capture_output=True,
                   env={"PATH": "/usr/bin:/bin", "HOME": str(directory)})
    return replace(goods, htpasswd=accounts, passwords={**goods.passwords, **passwords})


def test_twenty_who_start_at_once_all_see_their_screen(goods: Goods, tmp_path: Path) -> None:
    (block,) = blocks(section("A class"))
    said = {name: value for name, value, _ in literal.lines(block, "README.md")}
    settings = {**dict.fromkeys(USUAL), **said}
    with Installation(enrolled(goods, tmp_path), **settings) as site:
        assert set(said) <= set(site.settings)
        pupils = [site.stranger(f"pupil{number}") for number in range(PEOPLE)]
        gate = threading.Barrier(PEOPLE)

        def begin(number: int) -> Desktop:
            pupil = pupils[number]
            pupil.timeout = 300
            gate.wait()
            for _ in range(MISTYPE.get(number, 0)):
                assert start(pupil, "wrong" + pupil.password).status == 401
            reply = start(pupil, pupil.password)
            assert reply.status == 201, str(reply)
            return Desktop(pupil, reply.json)
        with ThreadPoolExecutor(PEOPLE) as pool:
            desktops = list(pool.map(begin, range(PEOPLE)))
        assert len({desktop.id for desktop in desktops}) == PEOPLE
        viewers = [desktop.view() for desktop in desktops]
        for viewer in viewers:  # all at once, each its own
            viewer.look()
        for viewer in viewers:
            viewer.leave()


def start(pupil: Person, password: str) -> Reply:
    """Send the form with name and password, as one does who has not signed in."""
    return pupil.try_create(user=pupil.name, password=password)
