"""Fixtures of the service tests: installations with an Apache each, and browsers."""

import os
import shutil
import subprocess
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any

import pytest
from service import disk, orphans, websocket
from service.authority import Authority
from service.between import Between, hangs
from service.chromium import Browser, browser
from service.frost import Frost, freeze
from service.installation import RUNNING, Goods, Installation, install_programs, short_directory
from service.mailserver import MailServer
from service.shop import Shop, stock
from service.slapd import Slapd
from service.warehouse import Warehouse

Install = Callable[..., Installation]


def pytest_configure() -> None:
    """Make sure that nothing outlives the tests."""
    orphans.settle()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show with a failure what the servers have said last."""
    report = yield
    if report.failed:
        for installation in RUNNING:
            for path in sorted([installation.directory / "error.log",
                                *installation.run.glob("*/*.log")]):
                report.sections.append((str(path), path.read_text(errors="replace")[-3000:]))
    return report


def machine_image(name: str) -> Path:
    """Return a built machine: where tests/run has put it, else in machines/."""
    folder = os.environ.get("REMOTE_DESKTOP_TEST_MACHINES",
                            Path(__file__).parents[2] / "machines")
    path = Path(folder) / name
    assert path.exists(), f"{path} is not built: machines/build {path.stem}, or tests/run"
    return path


def make_goods(directory: Path) -> Goods:
    """Put programs and accounts into a directory."""
    share = directory / "share"
    share.mkdir()
    install_programs(share)
    passwords = {}
    for name in ("ada", "bob", "root"):
        added = subprocess.run(
            [share / "cgi-bin/admin.py", f"--user_add={name}",
             f"--file_htpasswd={directory}/htpasswd"], capture_output=True, text=True,
            env={"PATH": os.environ["PATH"], "HOME": str(directory)}, check=False)
        assert added.returncode == 0, added
        passwords[name] = added.stdout.strip().rpartition(",")[2]
    return Goods(share, machine_image("tiny.iso"), directory / "htpasswd", passwords,
                 Authority(directory))


@pytest.fixture(scope="session")
def goods() -> Iterator[Goods]:
    """Programs, machines and accounts that installations share."""
    os.umask(0o022)  # www-data is to read what is made here
    directory = short_directory()
    yield make_goods(directory)
    shutil.rmtree(directory)


@pytest.fixture(scope="session")
def mail() -> Iterator[MailServer]:
    """Dovecot and Postfix, for the whole run."""
    if os.geteuid():
        pytest.skip("Postfix starts as root alone")
    directory = short_directory()
    with MailServer(Authority(directory)) as server:
        yield server
    shutil.rmtree(directory)


@pytest.fixture(scope="session")
def event(goods: Goods) -> Iterator[Installation]:
    """An installation with the event MPM, cgid and TLS, for the whole run."""
    with Installation(goods, "event", tls=True) as installation:
        yield installation


@pytest.fixture(scope="session")
def prefork(goods: Goods) -> Iterator[Installation]:
    """An installation with the prefork MPM, cgi and no TLS, for the whole run."""
    with Installation(goods, "prefork") as installation:
        yield installation


@pytest.fixture
def site(event: Installation) -> Iterator[Installation]:
    """An installation with usual settings (`configure` changes them) and without sessions."""
    with websocket.hanging_up():
        yield event
        tidy(event)


@pytest.fixture
def lot(site: Installation) -> Installation:
    """A service that parks after two seconds."""
    site.configure(park_after=2)
    return site


@pytest.fixture(scope="session")
def frost(goods: Goods) -> Iterator[Frost]:
    """The tiny machine, frozen once for the whole run."""
    directory = short_directory()
    with Installation(goods) as installation:
        yield freeze(installation, directory)
    shutil.rmtree(directory)


@pytest.fixture
def icy(site: Installation, frost: Frost) -> Installation:
    """The usual installation, where sessions of the tiny machine start from a template."""
    frost.settle(site)
    return site


@pytest.fixture(params=["event", "prefork"])
def any_site(request: pytest.FixtureRequest) -> Iterator[Installation]:
    """The same with each way in which Apache runs scripts."""
    installation: Installation = request.getfixturevalue(request.param)
    with websocket.hanging_up():
        yield installation
        tidy(installation)


@pytest.fixture(scope="session")
def wide(event: Installation) -> Iterator[Browser]:
    """A browser with a wide window, for the whole run, that trusts the usual installation."""
    with browser(1600, 900) as found:
        yield found


@pytest.fixture
def window(wide: Browser) -> Iterator[Browser]:
    """The same with one empty tab and without cookies."""
    yield wide
    wide.forget()


@pytest.fixture
def install(goods: Goods) -> Iterator[Install]:
    """A way to make installations of one's own, which end with the test."""
    made: list[Installation] = []

    def make(mpm: str = "event", **settings: Any) -> Installation:
        made.append(Installation(goods, mpm, **settings).__enter__())
        return made[-1]
    with websocket.hanging_up():
        yield make
        for installation in made:
            installation.__exit__()


@pytest.fixture(scope="session")
def authority() -> Iterator[Authority]:
    """Who signs the certificates of the tests' servers."""
    directory = short_directory()
    yield Authority(directory)
    shutil.rmtree(directory)


@pytest.fixture(scope="session")
def elsewhere() -> Iterator[Between]:
    """The server that slapd refers to: it only listens, and nobody should come."""
    with Between(hangs) as server:
        yield server


@pytest.fixture(scope="session")
def slapd(authority: Authority, elsewhere: Between) -> Iterator[Slapd]:
    """A server with a plain directory and one like Active Directory, for the whole run."""
    directory = short_directory()
    with Slapd(directory, authority, authority.certify("slapd"), elsewhere.port) as server:
        yield server
    shutil.rmtree(directory)


def tidy(installation: Installation) -> None:
    """End what a test has started, and forget what it has caused; fail when something is left."""
    installation.configure()
    installation.clear()
    installation.forget()


@pytest.fixture
def small_disk() -> Iterator[Path]:
    """A disk of 120 MB."""
    with disk.small() as place:
        yield place


@pytest.fixture(scope="session")
def warehouse() -> Iterator[Warehouse]:
    """A web server and a proxy, with disk.qcow2 of 5 MB on the shelf."""
    directory = short_directory()
    with Warehouse(directory) as server:
        stock(server)
        yield server
    shutil.rmtree(directory)


@pytest.fixture
def shop(tmp_path: Path, warehouse: Warehouse) -> Shop:
    """An empty directory of machines."""
    return Shop(tmp_path, warehouse)
