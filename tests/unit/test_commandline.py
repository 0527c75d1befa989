"""`--name=value`, and what a script works on."""

import pytest

from desktop import commandline, settings
from desktop.commandline import Answered, Command
from desktop.errors import Refusal

COMMANDS = [Command("json", "", "Print JSON."), Command("session_stop", "ID", "Stop it.")]


def test_commands_and_settings_are_told_apart() -> None:
    line = commandline.parse(["--json", "--session_stop=x=y", "--machine=a.iso"], COMMANDS, "")
    assert line.on("json") and not line.on("service_monitor")
    assert line.commands["session_stop"] == "x=y"
    assert line.settings == {"machine": "a.iso"}


@pytest.mark.parametrize("argument, word", [
    ("machine=a.iso", "Unknown"), ("--machne=a.iso", "Did you mean machine?"),
    ("--machine", "needs a value"), ("--session_stop", "needs a value"), ("-json", "Unknown"),
    ("--json=maybe", "1 or 0"), ("", "Unknown")])
def test_anything_else_is_refused(argument: str, word: str) -> None:
    with pytest.raises(Refusal) as refusal:
        commandline.parse([argument], COMMANDS, "")
    assert word in str(refusal.value)


def test_nothing_is_given_twice() -> None:
    with pytest.raises(Refusal, match="twice"):
        commandline.parse(["--machine=a", "--machine=b"], COMMANDS, "")


def test_what_a_script_works_on_is_typed_alone() -> None:
    commands = [*COMMANDS, Command("file", "FILE", "The file.", bare=True)]
    line = commandline.parse(["--json", "a=b.iso", "--machine=x"], commands, "")
    assert line.commands == {"json": "1", "file": "a=b.iso"} and line.settings == {"machine": "x"}
    for arguments, reason in ((["a", "b"], "FILE is given twice"), (["-a"], "Unknown"),
                              ([""], "Unknown")):
        with pytest.raises(Refusal, match=reason):
            commandline.parse(arguments, commands, "")
    with pytest.raises(Answered, match="(?m)^  FILE  +The file"):
        commandline.parse(["--help"], commands, "")


def test_help_names_every_setting_with_default_and_meaning() -> None:
    with pytest.raises(Answered) as answered:
        commandline.parse(["--help"], COMMANDS, "About.")
    text = str(answered.value)
    words = " ".join(text.split())
    for name, entry in settings.TABLE.items():
        assert f"--{name}={settings.spell(entry.default)}" in text
        assert entry.metadata["meaning"].split()[0] in words
    assert max(map(len, text.splitlines())) <= 99
