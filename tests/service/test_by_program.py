"""The README's section on programs: its commands are typed, and the answers look like its own."""

import json
import os
import re
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from service.installation import Installation
from service.readme import blocks, section
from service.until import until


def typed() -> Iterator[tuple[str, Any]]:
    """Yield each command of the section with the answer below it, None where there is none."""
    lines = [line for block in blocks(section("By a program")) for line in block.splitlines()]
    while lines:
        command, answer = lines.pop(0), ""
        while lines and (lines[0].startswith(("{", " "))):
            answer += lines.pop(0)
        yield command, json.loads(answer) if answer else None


def shape(told: Any) -> Any:
    """Return what an answer is like: its names, and of lists what the first is like."""
    if isinstance(told, dict):
        return {name: shape(value) for name, value in told.items()
                if name not in ("ticket", "tickets", "processes", "volumes", "warnings")}
    if isinstance(told, list):
        return [shape(one) for one in told[:1]]
    return type(told).__name__ if not isinstance(told, float) else "int"


@pytest.fixture
def place(site: Installation) -> Iterator[Installation]:
    """Return a site that is put right again."""
    yield site
    (site.state / "maintenance").unlink(missing_ok=True)
    site.person("root").post("admin", {
        "action": "offer", "machine": "tiny.iso", "aside": "0", "user": "root",
        "password": site.goods.passwords["root"]})


def test_its_commands_work(place: Installation, tmp_path: Path) -> None:
    """Type all, in one shell that stops at the first that fails; root is called ann there."""
    place.configure(history_days=365)
    site, person = place, place.person("root")
    (tmp_path / "word").write_text(person.password)
    (tmp_path / ".curlrc").write_text(f'cacert = "{site.goods.authority.ca}"\nsilent\n')
    mine, real, answers = "", "", []
    shell = subprocess.Popen(["bash"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                             cwd=tmp_path, env={"PATH": os.environ["PATH"],
                                                "HOME": str(tmp_path)})
    assert shell.stdin and shell.stdout
    for command, expected in typed():
        command = command.replace("https://desktop.example.org", person.origin).replace(
            "user=ann", "user=root")
        command = command.replace(mine, real) if mine else command
        shell.stdin.write(f"{command}\nprintf '\\n%s\\n' {shlex.quote('@ ')}$?\n")
        shell.stdin.flush()
        said = ""
        while not (line := shell.stdout.readline()).startswith("@ "):
            assert line, command
            said += line
        assert line == "@ 0\n", command
        if command.startswith("curl") and "-o" not in command:
            told = json.loads(said)
            if "create" in command and "-d" in command:
                mine, real = expected["session"], told["session"]
                until(lambda: person.get(f"monitor?screen={real}").status == 200, 30, "a picture")
            answers.append((command, told))
            if expected:
                assert shape(told) == shape(expected), (command, told)
                assert set(map(str, (told.get("status"), told.get("message")))) == set(map(
                    str, (expected.get("status"), expected.get("message"))))
    shell.stdin.close()
    assert shell.wait(10) == 0
    shell.stdout.close()
    assert (tmp_path / "screen.png").read_bytes().startswith(b"\x89PNG")
    assert not re.search("incident [0-9a-f]{6}", site.server.errors())
    assert len(answers) > 12
