"""Accounts of the htpasswd file."""

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from statistics import median

import bcrypt
import pytest

from desktop.auth import htpasswd
from desktop.auth.credentials import Credentials
from desktop.errors import Refusal
from desktop.settings import Settings

APACHE = "$2y$05$OK2H.Kk/mVMtxwtfbz0U2u8aP8cYdxvhOENvUXTGCwIrg3x1bXVYG"


def right(settings: Settings, user: str, password: str) -> bool:
    """Tell whether a password is accepted."""
    verdict = htpasswd.check(settings, Credentials(user, password, "192.0.2.7"))
    assert verdict.name == (user if verdict.accepted else "")
    return verdict.accepted


def test_right_and_wrong(settings: Settings) -> None:
    assert right(settings, "ada", "ada-secret")
    for user, password in (("ada", "bob-secret"), ("ada", "ada-secret "), ("ada", ""),
                           ("", "ada-secret"), ("eve", "ada-secret"), ("", "")):
        assert not right(settings, user, password)


@pytest.mark.parametrize("prefix", ["$2y$", "$2a$", "$2b$"])
def test_the_kinds_of_bcrypt(settings: Settings, prefix: str) -> None:
    stored = bcrypt.hashpw("päss wörd".encode(), bcrypt.gensalt(4)).decode()
    settings.file_htpasswd.write_text(f"eve:{prefix}{stored[4:]}\n", encoding="utf-8")
    assert right(settings, "eve", "päss wörd")


@pytest.mark.parametrize("line", [
    "eve:$apr1$aaaaaaaa$bbbbbbbbbbbbbbbbbbbbbb", "eve:{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=",
    "eve:secret", "eve:", "eve", "# eve:" + APACHE, f"eve:{APACHE}x", f"eve:{APACHE[:-1]}",
    "eve:$2y$03$" + "a" * 53, "eve:$2y$32$" + "a" * 53, "eve:rlyVBR3MtLVAo", f"e:ve:{APACHE}"])
def test_other_lines_let_nobody_in(settings: Settings, line: str) -> None:
    settings.file_htpasswd.write_text(f"{line}\n{settings.file_htpasswd.read_text()}")
    for password in ("secret", "", line.partition(":")[2], "password"):
        assert not right(settings, "eve", password)


def test_the_first_of_two_lines_counts(settings: Settings) -> None:
    settings.file_htpasswd.write_text(
        settings.file_htpasswd.read_text() + f"ada:{htpasswd.hash_password('other')}\n")
    assert right(settings, "ada", "ada-secret") and not right(settings, "ada", "other")


def test_more_than_bcrypt_looks_at_is_nobodys(settings: Settings) -> None:
    long = "ä" * 36
    settings.file_htpasswd.write_text(f"eve:{htpasswd.hash_password(long)}\n")
    assert right(settings, "eve", long)
    assert not right(settings, "eve", long + "x")


def test_a_file_of_rubbish(settings: Settings) -> None:
    settings.file_htpasswd.write_bytes(b"\xff\xfe\0:\0\n" + settings.file_htpasswd.read_bytes())
    assert right(settings, "ada", "ada-secret")


def test_no_file(settings: Settings, tmp_path: Path) -> None:
    gone = replace(settings, file_htpasswd=tmp_path / "none")
    for ask in (lambda: right(gone, "ada", "x"), lambda: htpasswd.standing(gone, "ada")):
        with pytest.raises(Refusal) as problem:
            ask()
        assert problem.value.status == 503
        assert str(tmp_path) not in str(problem.value)


def test_an_empty_file(settings: Settings) -> None:
    settings.file_htpasswd.write_text("")
    assert not right(settings, "ada", "ada-secret")


def test_time_does_not_tell_who_has_an_account(settings: Settings) -> None:
    """Costs differ within the file: 4 for ada, 8 for eve."""
    stored = bcrypt.hashpw(b"x", bcrypt.gensalt(8)).decode()
    with settings.file_htpasswd.open("a") as file:
        file.write(f"eve:{stored}\n")

    def seconds(user: str) -> float:
        times = []
        for _ in range(5):
            start = time.process_time()
            right(settings, user, "wrong")
            times.append(time.process_time() - start)
        return median(times)

    unknown, cheap, costly = seconds("nobody"), seconds("ada"), seconds("eve")
    assert max(unknown, cheap, costly) < 2 * min(unknown, cheap, costly)


def test_standing_changes_with_the_password(settings: Settings,
                                            tmp_path: Path) -> None:
    before: Callable[[], str | None] = lambda: htpasswd.standing(settings, "ada")
    old = before()
    assert old and htpasswd.standing(settings, "eve") is None
    settings.file_htpasswd.write_text(f"ada:{htpasswd.hash_password('ada-secret')}\n")
    assert before() not in (old, None)
