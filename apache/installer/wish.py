"""The command line of apache/install: one frozen record of what is wanted."""

import argparse
from dataclasses import dataclass

import tls

ABOUT = """\
Set up remote-desktop on this Debian server, or bring it up to date: packages, programs, settings,
an administrator's account, a machine, Apache. Safe to run again: what the site edited is kept,
running desktops go on."""


@dataclass(frozen=True)
class Wish:
    """What is to be done: install, print, check, uninstall or purge."""

    work: str
    tls: tls.Tls


def read() -> Wish:
    """Parse the command line; answer --help, refuse what is not known.

    Raises Problem for a wrong --tls.
    """
    parser = argparse.ArgumentParser(prog="apache/install", description=ABOUT,
                                     allow_abbrev=False)
    work = parser.add_mutually_exclusive_group()
    work.add_argument("--check", dest="work", action="store_const", const="check",
                      help="look whether all is well and say what to do; nothing is changed")
    work.add_argument("--print", dest="work", action="store_const", const="print",
                      help="say what would be done; nothing is changed")
    work.add_argument("--uninstall", dest="work", action="store_const", const="uninstall",
                      help="end all sessions and remove the service; machines, settings, accounts "
                      "and history stay")
    work.add_argument("--purge", dest="work", action="store_const", const="purge",
                      help="remove also these, and the packages that came with it")
    parser.add_argument("--tls", default="", metavar="HOW", help="self: a certificate made here; "
                        "CERTIFICATE,KEY: these files; existing: a virtual host has it; off: "
                        "passwords cross the network readable")
    parser.add_argument("--site", default="", metavar="NAME", help="the virtual host of Apache, "
                        "by the name of its file in sites-available; all: every one")
    parser.set_defaults(work="install")
    typed = parser.parse_args()
    return Wish(typed.work, tls.parse(typed.tls, typed.site))
