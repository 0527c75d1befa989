"""machines/fetch: nothing half, wrong or dangerous is on offer, and nothing of it is left."""

from pathlib import Path

import pytest
from service.apache import free_port
from service.disk import fill
from service.shop import Shop, sha256
from service.warehouse import Line, Warehouse

from desktop import process

MB = 1 << 20


def test_a_server_that_is_not_there_is_said_at_once(shop: Shop) -> None:
    shop.order(f"http://127.0.0.1:{free_port()}/disk.qcow2")
    done = shop.fetch()
    assert done.returncode == 1 and "cannot be reached (Connection refused)" in done.stderr
    assert shop.images() == []


@pytest.mark.parametrize("facts, words", [
    ({"sha256": "0" * 64}, "is not the file that sha256 of the descriptor is of"),
    ({"sha256": ""}, "has no sha256"), ({"sha256": "abc"}, "64 hexadecimal digits"),
    ({"url": "ftp://127.0.0.1/disk.qcow2"}, "an address such as https:"),
    ({"url": "file:///etc/passwd"}, "an address such as https:")])
def test_what_cannot_be_checked_is_not_on_offer(shop: Shop, facts: dict[str, str], words: str
                                                ) -> None:
    shop.order(**facts)
    done = shop.fetch()
    assert done.returncode == 1 and words in done.stderr, done
    assert shop.images() == []
    assert len(shop.answers(0)) <= (facts.get("sha256") == "0" * 64)


@pytest.mark.parametrize("path, words", [
    ("ftp", "redirected to 'ftp://127.0.0.1/disk.qcow2"), ("local", "redirected to 'file:///etc"),
    ("round", "redirected again and again"), ("nothing", "answers 404 Not Found")])
def test_redirects_lead_to_http_alone(shop: Shop, path: str, words: str) -> None:
    shop.order(shop.url("moved"))
    assert shop.fetch("disk.qcow2").returncode == 0 and shop.complete()
    (shop.machines / "disk.qcow2").unlink()
    shop.order(shop.url(path))
    done = shop.fetch("disk.qcow2")
    assert done.returncode == 1 and words in done.stderr, done
    assert shop.images() == []


def test_dangerous_images_are_refused(shop: Shop) -> None:
    for kind, words, reason in (
            ("qcow2", ["-u", "-b", "/etc/passwd", "-F", "raw"], "backing file"),
            ("vmdk", ["-o", "subformat=twoGbMaxExtentSparse"], "header is refused"),
            ("vdi", [], "it is vdi, not raw")):
        evil = shop.warehouse.shelf(f"evil.{kind}")
        process.run(["qemu-img", "create", "-q", "-f", kind, *words, str(evil), "1M"])
        evil.chmod(0o644)
        shop.order(shop.url(evil.name), sha256=sha256(evil))
        done = shop.fetch("disk.raw" if kind == "vdi" else "disk")
        assert done.returncode == 1 and reason in done.stderr, done
        assert shop.images() == []


def test_nothing_is_put_over_a_machine(shop: Shop) -> None:
    shop.order()
    for name in ("disk.qcow2", "disk.iso"):
        (shop.machines / name).write_text("mine")
        done = shop.fetch("disk.qcow2")
        assert done.returncode == 1 and f"{name} is on offer already" in done.stderr, done
        assert shop.images() == [name] and (shop.machines / name).read_text() == "mine"
        (shop.machines / name).unlink()


def test_a_disk_without_room(small_disk: Path, warehouse: Warehouse) -> None:
    shop = Shop(small_disk, warehouse)
    filling = fill(small_disk, leave=3 * MB)
    shop.order()
    done = shop.fetch()
    assert done.returncode == 1 and "Make room first" in done.stderr, done
    assert shop.images() == ["filling"]
    filling.unlink()
    with Line(warehouse, 2 * MB, holds=True) as line:
        shop.order(shop.url(line=line))
        with shop.begun(line, 2 * MB) as child:
            fill(small_disk, leave=MB)
            line.go_on.set()
            _, said = child.communicate(timeout=60)
    assert child.returncode == 1 and "No space left on device. Nothing of it is left" in said
    assert shop.images() == ["filling"]
