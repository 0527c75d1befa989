"""machines/import and machines/list, typed as they are, with real images."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from desktop import process
from desktop.errors import Refusal
from desktop.machine import adopt, descriptor, image, intake
from desktop.machine.image import Format
from desktop.settings import Settings

ROOT = Path(__file__).resolve().parents[3]
KINDS = {"qcow2": "qcow2", "vdi": "vdi", "vmdk": "vmdk", "vhd": "vpc", "vhdx": "vhdx",
         "qed": "qed", "raw": "raw"}

HALF_WAY = """
import pathlib, signal, sys
from desktop.machine import intake
from desktop.settings import Settings
with intake.bench(Settings(dir_machines=pathlib.Path(sys.argv[1]))) as bench:
    (bench / "copy").write_text("half")
    print(".", end="", flush=True)
    signal.pause()
"""


class Place:
    """A directory of machines, and another one with files."""

    def __init__(self, directory: Path) -> None:
        self.machines, self.files = directory / "machines", directory / "files"
        self.machines.mkdir()
        self.files.mkdir()
        self.settings = Settings(dir_machines=self.machines, host_disk_reserve=0)

    def type(self, tool: str, *words: str | Path) -> "subprocess.CompletedProcess[str]":
        """Run machines/import or machines/list."""
        home = self.files.parent
        return subprocess.run(
            [sys.executable, ROOT / "machines" / tool, *words, f"--dir_machines={self.machines}",
             "--host_disk_reserve=0", f"--dir_cfg={home}/cfg"], capture_output=True, text=True,
            cwd=self.files, env={"PATH": os.environ["PATH"], "HOME": str(home)}, check=False)

    def refused(self, *words: str | Path) -> str:
        """Return why machines/import refuses; nothing of it is left."""
        before = self.names()
        done = self.type("import", *words)
        assert done.returncode == 1 and self.names() == before, done
        return done.stderr

    def names(self) -> list[str]:
        return sorted(path.name for path in self.machines.iterdir())

    def list(self) -> dict[str, dict[str, Any]]:
        """Return what machines/list --json says, by name."""
        done = self.type("list", "--json")
        assert done.returncode == 0, done
        return {one["name"]: one for one in json.loads(done.stdout)}

    def disk(self, name: str, kind: str = "qcow2", *words: str) -> Path:
        """Make an image of 8 MiB that holds 1 MiB."""
        path = self.files / name
        process.run(["qemu-img", "create", "-q", "-f", kind, *words, str(path), "8M"])
        process.run(["qemu-io", "-f", kind, "-c", "write -q -P 7 0 1M", str(path)])
        return path


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


@pytest.mark.parametrize("word, kind", KINDS.items())
def test_an_image_is_copied_and_on_offer(place: Place, word: str, kind: str) -> None:
    path = place.disk(f"box.{word}", kind)
    done = place.type("import", path, "--title=My box", "--os=windows", "--memory=512")
    assert done.returncode == 0, done
    copied = place.machines / path.name
    assert copied.read_bytes() == path.read_bytes() and copied.stat().st_mode & 0o777 == 0o644
    assert place.names() == ["box.ini", path.name]
    facts = descriptor.read(place.machines / "box.ini")
    assert facts == {"title": "My box", "os": "windows", "memory": 512}
    listed = place.list()[path.name]
    assert (listed["problem"], listed["title"], listed["descriptor"]) == ("", "My box", "box.ini")
    assert listed["format"] == kind and listed["disk"] >= 8 << 20


@pytest.mark.parametrize("word, kind", KINDS.items())
def test_a_copy_is_converted(place: Place, word: str, kind: str) -> None:
    path = place.disk(f"box.{word}", kind)
    wanted = "vmdk" if word == "qcow2" else "qcow2"
    done = place.type("import", path, f"--format={wanted}", "--name=other")
    assert done.returncode == 0, done
    assert place.names() == ["other.ini", f"other.{wanted}"]
    process.run(["qemu-img", "compare", "-f", kind, "-F", wanted, str(path),
                 str(place.machines / f"other.{wanted}")])
    assert place.list()[f"other.{wanted}"]["problem"] == ""


def test_what_a_file_is_decides_where_its_name_does_not(place: Place) -> None:
    shutil.copyfile(place.disk("box.qcow2"), place.files / "cloud.img")
    shutil.copyfile(place.disk("box.raw", "raw"), place.files / "plain.img")
    shutil.copyfile(place.files / "box.raw", place.files / "v1.2")
    for name in ("cloud.img", "plain.img", "v1.2"):
        assert place.type("import", name).returncode == 0
    assert [name for name in place.names() if not name.endswith(".ini")] == [
        "cloud.qcow2", "plain.img", "v1.2.raw"]
    assert {one["problem"] for one in place.list().values()} == {""}
    (place.files / "box.qcow2").rename(place.files / "box.vdi")
    assert "is qcow2, not what its name says" in place.refused("box.vdi")


@pytest.mark.parametrize("name, words, reason", [
    ("box.qcow2", ["qcow2", "-u", "-b", "/etc/passwd", "-F", "raw"], "backing file"),
    ("box.qcow2", ["qcow2", "-o", "data_file=data"], "data_file"),
    ("box.vmdk", ["vmdk", "-o", "subformat=twoGbMaxExtentSparse"], "header is refused"),
    ("box.vmdk", ["vmdk", "-o", "subformat=monolithicFlat"], "header is refused")])
@pytest.mark.parametrize("convert", [[], ["--format=qed"]])
def test_dangerous_images_are_refused(place: Place, name: str, words: list[str], reason: str,
                                      convert: list[str]) -> None:
    subprocess.run(["qemu-img", "create", "-q", "-f", *words, name, "8M"], cwd=place.files,
                   check=True)
    assert reason in place.refused(name, *convert)


def test_what_is_no_image_is_refused(place: Place) -> None:
    os.mkfifo(place.files / "pipe.raw")
    (place.files / "empty.raw").touch()
    half = place.disk("half.vdi", "vdi")
    os.truncate(half, half.stat().st_size - 5000)
    for name, reason in (("", "Say which file"), ("nothing.raw", "No such file"),
                         ("pipe.raw", "is no file"), ("/etc", "is no file"),
                         ("empty.raw", "it is empty"), ("half.vdi", "it is truncated")):
        assert reason in place.refused(*([name] if name else []))


@pytest.mark.parametrize("words, reason", [
    (["--format=exe"], "is not one of"), (["--os=dos"], "is not one of"),
    (["--name=../up"], "cannot be the name"), (["--name=.dot"], "cannot be the name"),
    (["--cpu=4", "--cpu_max=2"], "cpu above cpu_max"), (["--disk=4"], "only for an ISO"),
    (["--title=a\nhidden = 1"], "cannot be printed"), (["more.raw"], "FILE is given twice"),
    (["--titel=x"], "Did you mean title?"), (["--sha256=1"], "64 hexadecimal digits")])
def test_wrong_words_are_refused(place: Place, words: list[str], reason: str) -> None:
    assert reason in place.refused(place.disk("box.raw", "raw"), *words)


def test_nothing_is_put_over_a_machine_or_its_descriptor(place: Place) -> None:
    path = place.disk("box.vdi", "vdi")
    (place.machines / "box.iso").write_text("mine")
    assert "box.iso is on offer already" in place.refused(path)
    (place.machines / "box.iso").unlink()
    described = place.machines / "box.ini"
    described.write_text("title = Mine\nformat = raw\n")
    assert "There is a descriptor already" in place.refused(path, "--title=Yours")
    assert "says format raw" in place.refused(path)
    described.write_text("title = Mine\n")
    assert place.type("import", path).returncode == 0
    assert described.read_text() == "title = Mine\n"


def test_somebody_who_was_faster_is_not_overwritten(
        place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    path = place.disk("box.raw", "raw")
    monkeypatch.setattr(intake, "admit",
                        lambda *_: (place.machines / "box.raw").write_text("faster"))
    source = adopt.look(path)
    machine = adopt.target(place.settings, source, "", source.format)
    with pytest.raises(Refusal, match="is on offer already"):
        adopt.adopt(place.settings, source, machine, {})
    assert place.names() == ["box.raw"] and machine.file.read_text() == "faster"


def test_a_reserve_of_the_disk_is_kept(place: Place) -> None:
    path = place.disk("box.raw", "raw")
    with pytest.raises(Refusal, match="Make room first"):
        source = adopt.look(path)
        adopt.adopt(Settings(dir_machines=place.machines, host_disk_reserve=10**9), source,
                    adopt.target(place.settings, source, "", Format.RAW), {})
    assert place.names() == []


def test_what_a_killed_run_left_goes_with_the_next(place: Place) -> None:
    with subprocess.Popen(
            [sys.executable, "-c", HALF_WAY, str(place.machines)], stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": str(ROOT / "lib")}) as child:
        assert child.stdout and child.stdout.read(1) == b"."
        with intake.bench(place.settings) as mine:
            assert mine.exists() and len(place.names()) == 2  # one in use is left alone
        child.kill()
    assert len(place.names()) == 1
    assert place.type("import", place.disk("box.raw", "raw")).returncode == 0
    assert place.names() == ["box.ini", "box.raw"]


def test_a_list_says_what_is_wrong_and_what_is_missing(place: Place) -> None:
    place.type("import", place.disk("good.raw", "raw"), "--users=ann, bob", "--hidden=1")
    (place.machines / "bad.qcow2").write_text("no")
    (place.machines / "far.ini").write_text(
        f"url = https://example.org/far.iso\nsha256 = {'0' * 64}\n")
    (place.machines / "wrong.ini").write_text("colour = blue\n")
    text = place.type("list").stdout
    lines = " ".join(text.split())
    for words in ("good.raw raw 1.0 MB 8.4 MB good.ini good hidden for ann, bob",
                  "bad.qcow2 qcow2 4.1 kB - - bad not on offer: it is raw, not qcow2",
                  "far - - - far.ini no image; machines/fetch far",
                  "wrong - - - wrong.ini not on offer: wrong.ini line 1: 'colour' is not known"):
        assert words in lines, text
    assert image.recognise(place.machines / "good.raw") is Format.RAW
