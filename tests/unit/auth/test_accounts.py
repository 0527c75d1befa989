"""Changing accounts: atomically, with the file's owner and mode, all or none."""

import os
import stat
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from desktop.auth import accounts, htpasswd
from desktop.auth.credentials import Credentials
from desktop.errors import Refusal
from desktop.settings import Settings


def lets_in(settings: Settings, user: str, password: str) -> bool:
    """Tell whether somebody can sign in."""
    return htpasswd.check(settings, Credentials(user, password, "")).accepted


def names(settings: Settings) -> list[str]:
    """Return the accounts in their order."""
    return list(htpasswd.read(settings))


def test_adding_prints_a_password_that_works(settings: Settings) -> None:
    made = accounts.add(settings, {"eve": None})
    assert list(made) == ["eve"] and len(made["eve"]) == 19
    assert lets_in(settings, "eve", made["eve"])
    assert lets_in(settings, "ada", "ada-secret")
    assert made["eve"] not in settings.file_htpasswd.read_text()


def test_given_passwords_are_not_printed(settings: Settings) -> None:
    assert accounts.add(settings, {"eve": "e v-e,é"}) == {}
    assert lets_in(settings, "eve", "e v-e,é")


@pytest.mark.parametrize("name", ["", " ", "a:b", "a b", "a\nroot", "a/b", "a\0", "#eve",
                                  "é" * 129, "<b>", "a,b", "a'b", "ada ", "ada"])
def test_names_that_cannot_be(settings: Settings, name: str) -> None:
    before = settings.file_htpasswd.read_bytes()
    with pytest.raises(Refusal):
        accounts.add(settings, {"eve": None, name: None})
    assert settings.file_htpasswd.read_bytes() == before


@pytest.mark.parametrize("password", ["", "  ", "a\nb", "a\0", "ä" * 37])
def test_passwords_that_cannot_be(settings: Settings, password: str) -> None:
    with pytest.raises(Refusal):
        accounts.add(settings, {"eve": password})
    assert names(settings) == ["ada", "bob"]


def test_removing(settings: Settings) -> None:
    settings.file_htpasswd.write_text(
        "# ours\n" + settings.file_htpasswd.read_text() + "old:$apr1$x$y\nada:other\n")
    accounts.remove(settings, "ada")
    assert names(settings) == ["bob"]
    text = settings.file_htpasswd.read_text()
    assert text.startswith("# ours\n") and "old:$apr1$x$y\n" in text and "ada" not in text
    for name in ("ada", "", "# ours", "*", "bo"):
        with pytest.raises(Refusal) as problem:
            accounts.remove(settings, name)
        assert problem.value.status == 404


def test_one_spelling_of_a_name(settings: Settings) -> None:
    accounts.add(settings, {"Rene\u0301": "x"})
    assert names(settings)[-1] == "Ren\u00e9"
    with pytest.raises(Refusal):
        accounts.add(settings, {"Ren\u00e9": None})
    accounts.remove(settings, "Rene\u0301")


def test_owner_and_mode_are_kept(settings: Settings) -> None:
    settings.file_htpasswd.chmod(0o640)
    if os.geteuid() == 0:
        os.chown(settings.file_htpasswd, 12, 34)
    before = settings.file_htpasswd.stat()
    accounts.add(settings, {"eve": None})
    after = settings.file_htpasswd.stat()
    assert (after.st_mode, after.st_uid, after.st_gid) == (
        before.st_mode, before.st_uid, before.st_gid)
    assert after.st_ino != before.st_ino  # replaced, not written over
    assert [path.name for path in settings.file_htpasswd.parent.iterdir()
            if "htpasswd" in path.name] == ["htpasswd"]


def test_a_link_stays_a_link(settings: Settings, tmp_path: Path) -> None:
    link = tmp_path / "etc"
    link.mkdir()
    (link / "accounts").symlink_to(settings.file_htpasswd)
    accounts.add(replace(settings, file_htpasswd=link / "accounts"), {"eve": None})
    assert (link / "accounts").is_symlink()
    assert names(settings) == ["ada", "bob", "eve"]


def test_a_new_file_is_not_for_everybody(settings: Settings, tmp_path: Path) -> None:
    new = replace(settings, file_htpasswd=tmp_path / "new")
    accounts.add(new, {"eve": None})
    assert not stat.S_IMODE(new.file_htpasswd.stat().st_mode) & 0o007
    assert names(new) == ["eve"]


def test_a_directory_that_is_not_there(settings: Settings, tmp_path: Path) -> None:
    with pytest.raises(Refusal, match="cannot be changed"):
        accounts.add(replace(settings, file_htpasswd=tmp_path / "no" / "file"), {"eve": None})


def test_many_at_once(settings: Settings) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: accounts.add(settings, {f"u{n}": None}), range(24)))
    assert sorted(names(settings)) == sorted(["ada", "bob", *(f"u{n}" for n in range(24))])


def test_a_full_disk_loses_nothing(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(Refusal, match="No space left"):
        accounts.add(settings, {"eve": None})
    assert names(settings) == ["ada", "bob"]
    assert not list(settings.file_htpasswd.parent.glob(".htpasswd*"))


@pytest.fixture
def csv(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "class.csv"


@pytest.mark.parametrize("text", [
    "eve,secret\nfred\n", "name,password\r\neve,secret\r\nfred,\r\n",
    "\ufeffeve, secret \n\n\"fred\"\n", "User\neve,secret\nfred"])
def test_csv(settings: Settings, csv: Path, text: str) -> None:
    csv.write_text(text, encoding="utf-8", newline="")
    wanted = accounts.read_csv(csv)
    assert wanted == {"eve": "secret", "fred": None}
    assert list(accounts.add(settings, wanted)) == ["fred"]
    assert lets_in(settings, "eve", "secret")


@pytest.mark.parametrize("text", [
    "eve,a,b\n", "eve\neve\n", "eve;secret\n", "a b\n", "eve,\"x\n", "eve\0,x\n", "/etc/passwd\n"])
def test_csv_that_is_wrong(csv: Path, text: str) -> None:
    csv.write_text(text)
    with pytest.raises(Refusal):
        accounts.read_csv(csv)


def test_csv_that_cannot_be_read(csv: Path) -> None:
    with pytest.raises(Refusal):
        accounts.read_csv(csv)
    csv.write_bytes(b"\xff\xfe\n")
    with pytest.raises(Refusal):
        accounts.read_csv(csv)
