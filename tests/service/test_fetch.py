"""machines/fetch: through real servers, proxies and lines that break."""

import json
import os
import pty
import shutil
import signal
import subprocess
import sys

import pytest
from service.installation import Installation
from service.shop import Shop, sha256, stock
from service.until import until
from service.warehouse import Line

from desktop.errors import Refusal
from desktop.machine import download, fetch
from desktop.machine.progress import Progress
from desktop.settings import Settings

MB = 1 << 20


def test_an_image_is_fetched_and_can_be_started(site: Installation, shop: Shop) -> None:
    shop.machines = site.machines
    shop.order(title="From the web", memory="32")
    done = shop.fetch()
    assert done.returncode == 0, done
    assert done.stdout == f"{site.machines}/disk.qcow2: 5.6 MB, sha256 as it should be\n"
    assert done.stderr.endswith("disk.qcow2: 100 % of 5.6 MB\n") and "\r" not in done.stderr
    desktop = site.person().create(machine="disk.qcow2")
    assert desktop.facts["machine"] == "disk.qcow2"
    desktop.view().look()
    assert (site.machines / "disk.qcow2").stat().st_mode & 0o777 == 0o644
    assert "it was there already" in shop.fetch("disk.qcow2").stdout
    (site.machines / "disk.qcow2").unlink()
    (site.machines / "disk.ini").unlink()


def test_a_bar_where_somebody_watches(shop: Shop) -> None:
    shop.order()
    screen, end = pty.openpty()
    with subprocess.Popen(**shop.command(), stdout=end, stderr=end) as child:
        os.close(end)
        seen = b""
        try:
            while block := os.read(screen, 4096):
                seen += block
        except OSError:  # EIO: everybody has left the terminal
            pass
        assert child.wait(60) == 0, seen
    os.close(screen)
    assert b"\r[" + b"#" * 30 + b"] disk.qcow2 100 % of 5.6 MB" in seen
    assert shop.complete()


def test_a_line_that_breaks_is_gone_on_with(shop: Shop) -> None:
    with Line(shop.warehouse, 2 * MB, MB, 100 * MB) as line:
        shop.order(shop.url(line=line))
        done = shop.fetch()
    assert done.returncode == 0, done
    assert done.stderr.count("the connection was cut; going on from") == 2
    assert shop.complete()
    assert [status for status, _ in shop.answers(3)] == ["200", "206", "206"]


def test_a_line_that_always_breaks_is_given_up(shop: Shop, monkeypatch: pytest.MonkeyPatch
                                               ) -> None:
    monkeypatch.setattr(download, "PAUSES", (0, 0))
    with Line(shop.warehouse, 2 * MB, 100) as line:
        shop.order(shop.url(line=line))
        settings = Settings(dir_machines=shop.machines, host_disk_reserve=0)
        with pytest.raises(Refusal, match=r"2\.1 MB are there\. Run this again"):
            fetch.fetch(settings, fetch.ordered(settings, "disk"), Progress("disk", sys.stderr))
    shop.order()  # from elsewhere: what is there may be of another file
    assert shop.fetch().returncode == 0
    assert shop.complete()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_a_run_that_is_ended_is_gone_on_with(shop: Shop, number: signal.Signals) -> None:
    with Line(shop.warehouse, 2 * MB, holds=True) as line:
        shop.order(shop.url(line=line))
        with shop.begun(line, 2 * MB) as child:
            other = shop.fetch()
            assert other.returncode == 1 and "is being fetched already" in other.stderr
            child.send_signal(number)
            _, said = child.communicate(timeout=60)
        assert child.returncode == (1 if number == signal.SIGINT else -number)
        assert number == signal.SIGKILL or "Interrupted; 2.1 MB are there. Run this" in said
        assert "disk.qcow2" not in shop.images()
        done = shop.fetch()
    assert done.returncode == 0, done
    assert shop.complete()
    (first, _), (second, size) = shop.answers(2)
    assert (first, second) == ("200", "206") and size < 3.6e6


def test_a_file_that_changed_in_between_is_fetched_anew(shop: Shop) -> None:
    with Line(shop.warehouse, 2 * MB, holds=True) as line:
        shop.order(shop.url(line=line))
        with shop.begun(line, 2 * MB) as child:
            child.kill()
        old = sha256(shop.warehouse.shelf("disk.qcow2"))
        assert sha256(stock(shop.warehouse, seed=2)) != old
        shop.order(shop.url(line=line))
        done = shop.fetch()
    assert done.returncode == 0 and shop.complete(), done
    assert [status for status, _ in shop.answers(2)] == ["200", "200"]


def test_a_server_without_ranges_sends_all_of_it_again(shop: Shop) -> None:
    with Line(shop.warehouse, 2 * MB, 100 * MB) as line:
        shop.order(shop.url("whole/disk.qcow2", line))
        done = shop.fetch()
    assert done.returncode == 0 and shop.complete(), done
    assert [status for status, _ in shop.answers(2)] == ["200", "200"]


def test_a_part_that_is_complete_already_is_only_checked(shop: Shop) -> None:
    shop.order()
    disk = shop.warehouse.shelf("disk.qcow2")
    state = disk.stat()
    shutil.copyfile(disk, shop.part)
    etag = f'"{state.st_size:x}-{int(state.st_mtime) * 10**6:x}"'
    shop.part.with_name(".disk.qcow2.part.json").write_text(
        json.dumps({"url": shop.url(), "mark": etag}))
    assert shop.fetch().returncode == 0 and shop.complete()
    assert [status for status, _ in shop.answers(1)] == ["416"]


def test_through_a_proxy_and_tls(shop: Shop) -> None:
    proxy = f"http://127.0.0.1:{shop.warehouse.proxy}"
    shop.order()
    assert shop.fetch(http_proxy=proxy).returncode == 0 and shop.complete()
    assert [status for status, _ in shop.answers(1, "proxy.log")] == ["200"]
    (shop.machines / "disk.qcow2").unlink()
    shop.order(shop.url(scheme="https"))
    done = shop.fetch(https_proxy=proxy)
    assert done.returncode == 1 and "its certificate is not trusted" in done.stderr, done
    done = shop.fetch(https_proxy=proxy, SSL_CERT_FILE=str(shop.warehouse.ca))
    assert done.returncode == 0 and shop.complete(), done
    until(lambda: "CONNECT 127.0.0.1" in shop.warehouse.log("proxy.log"), 20, "the log")
    done = shop.fetch("disk", https_proxy=proxy, no_proxy="127.0.0.1")
    assert "it was there already" in done.stdout
