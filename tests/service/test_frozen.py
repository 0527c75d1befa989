"""A machine that is told it was frozen: its clock, its name, its addresses."""

import re

from service.guest import Guest
from service.installation import Installation

ADDRESS = "ip -4 -o address show dev eth0 | grep -o 'inet [0-9.]*'"


def test_it_sets_its_clock_and_a_copy_takes_a_name_of_its_own(site: Installation) -> None:
    site.configure(guest_network="internet")
    desktop = site.person().create(machine="tiny.iso", memory="128")
    guest = Guest(site.run / desktop.id)
    address = guest.wait(ADDRESS).output
    names = [guest.run("hostname").output]
    for word in ("copied", "woken"):
        assert guest.run("date -s @1000000000").status == 0
        assert guest.clock() < -1000
        guest.run("ip -4 address flush dev eth0")
        guest.frozen(word)
        assert abs(guest.clock()) < 3
        names.append(guest.run("hostname").output)
    assert names[0] == "tiny"
    assert re.fullmatch("tiny-[0-9a-f]{4}", names[1])
    assert names[2] == names[1]
    assert guest.wait(ADDRESS).output == address
    report = guest.run("report").output
    assert f'"hostname":"{names[1]}"' in report and '"forks":0' in report
