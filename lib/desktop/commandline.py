"""The command line of the scripts: `--name=value`, and what a script works on, as it is.

A script says which commands it takes besides the settings; the same words print `--help`
and the README's table.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from desktop import __version__, settings
from desktop.errors import Refusal


@dataclass(frozen=True)
class Command:
    """One word a script takes besides the settings.

    Attributes:
        name: as typed after the two dashes.
        value: what stands after `=` in --help; empty for a switch, which `--name` turns on.
        meaning: one sentence.
        bare: whether the value is typed alone, without --name=.
    """

    name: str
    value: str
    meaning: str
    bare: bool = False

    def __str__(self) -> str:
        if self.bare:
            return self.value
        return f"--{self.name}={self.value}" if self.value else f"--{self.name}"


@dataclass(frozen=True)
class Line:
    """What was typed: commands of the script and overridden settings, by name."""

    commands: Mapping[str, str]
    settings: Mapping[str, str]

    def on(self, name: str) -> bool:
        """Tell whether a switch is on: `--name`, `--name=1`."""
        return self.commands.get(name) == "1"


class Answered(Exception):
    """--help or --version was asked; the text is the answer."""


def parse(arguments: Sequence[str], commands: Sequence[Command], about: str) -> Line:
    """Sort the arguments into commands and settings.

    Raises Refusal for anything unknown or given twice, Answered for --help and --version.
    """
    known = {command.name: command for command in commands}
    typed: dict[str, str] = {}
    rest = iter(arguments)
    for argument in rest:
        name, equals, value = argument.removeprefix("--").partition("=")
        if argument in ("--help", "-h"):
            raise Answered(help_text(commands, about))
        if argument == "--version":
            raise Answered(f"remote-desktop {__version__}")
        if argument and not argument.startswith("-") and (bare := next(
                (command.name for command in commands if command.bare), "")):
            name, equals, value = bare, "=", argument
        elif not argument.startswith("--") or (name not in known and name not in settings.TABLE):
            raise Refusal(f"Unknown option {argument!r}.", 400,
                          settings.nearest(name, [*known, *settings.TABLE])
                          or "--help lists them all.")
        if name in typed:
            raise Refusal(f"{known.get(name, f'--{name}')} is given twice.")
        if not equals and name in known and known[name].value:
            value = equals = next(rest, "")  # as --name value
        if not equals and (name not in known or known[name].value):
            raise Refusal(f"--{name} needs a value: --{name}=...")
        if equals and name in known and not known[name].value and value not in ("0", "1"):
            raise Refusal(f"--{name}={value}: 1 or 0 is meant.")
        typed[name] = value if equals else "1"
    return Line({name: text for name, text in typed.items() if name in known},
                {name: text for name, text in typed.items() if name not in known})


def help_text(commands: Sequence[Command], about: str) -> str:
    """Return what --help prints: the commands, then every setting with its default."""
    rows = [(str(command), command.meaning) for command in commands]
    rows += [("", ""), ("Settings, also in the file that REMOTE_DESKTOP_INI names:", "")]
    rows += [(f"--{name}={settings.spell(entry.default)}", meaning_of(name))
             for name, entry in settings.TABLE.items()]
    return "\n".join([about, ""] + [line for row in rows for line in layout(*row)])


def layout(left: str, right: str) -> list[str]:
    """Return one row of --help in lines of at most 99 columns."""
    import textwrap  # only for --help
    if not right:
        return [left]
    lines = textwrap.wrap(right, 58)
    first = f"  {left:<37}{lines[0]}" if len(left) < 37 else f"  {left}\n{'':39}{lines[0]}"
    return [first, *(f"{'':39}{line}" for line in lines[1:])]


def meaning_of(name: str) -> str:
    """Return the sentence of a setting, with its choices."""
    rules = settings.TABLE[name].metadata
    choices = f" One of {', '.join(rules['choices'])}." if rules["choices"] else ""
    return f"{rules['meaning']}{choices}"


def readme_table() -> str:
    """Return the README's table of settings, in Markdown."""
    rows = [[f"`{name}`", f"`{settings.spell(entry.default)}`", meaning_of(name)]
            for name, entry in settings.TABLE.items()]
    lines = [" | ".join(cell.replace("|", "\\|") for cell in row) for row in rows]
    return "\n".join(["| name | default | meaning |", "|---|---|---|",
                      *(f"| {line} |" for line in lines)]).replace("``", "")
