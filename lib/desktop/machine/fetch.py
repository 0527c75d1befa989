"""Fetches the image that a descriptor tells of: from its url, for its sha256, and no other.

In: the name of a machine whose descriptor is there. Out: its image, whole and harmless, on offer.
"""

from urllib.parse import unquote, urlsplit

from desktop.errors import Refusal
from desktop.machine import catalogue, descriptor, download, intake, part
from desktop.machine.descriptor import ENDINGS, Machine
from desktop.machine.part import Part
from desktop.machine.progress import Progress, amount
from desktop.settings import Settings, nearest


def ordered(settings: Settings, name: str) -> Machine:
    """Return the machine of this name, with or without ending, as its descriptor orders it.

    Raises Refusal: 404 when there is no descriptor, 400 when it does not say what to fetch.
    """
    named = catalogue.ending(name) in ENDINGS
    stem = name.rpartition(".")[0] if named else name
    described = {path.stem: path for path in settings.dir_machines.glob("*.ini")}
    if stem not in described:  # looked for among those there are, never joined to a path
        raise Refusal(f"There is no {stem}.ini in {settings.dir_machines}.", 404,
                      nearest(stem, described) or "Write one that says url and sha256.")
    path = described[stem]
    try:
        facts = descriptor.read(path)
        if absent := [word for word in ("url", "sha256") if not facts.get(word)]:
            raise Refusal(f"{path} has no {' and no '.join(absent)}.", 400,
                          "Nothing is fetched that cannot be checked: add what its publisher "
                          "says.")
        word = catalogue.ending(name if named else unquote(urlsplit(facts["url"]).path))
        if word not in ENDINGS:
            raise Refusal(f"The url of {stem} does not end as images do.", 400,
                          f"Say which format it has: {stem}.qcow2, for example.")
        return catalogue.described(catalogue.named(path.with_suffix(f".{word}")))
    except (OSError, ValueError) as error:
        raise Refusal(f"{error}.") from error


def fetch(settings: Settings, machine: Machine, progress: Progress) -> bool:
    """Fetch the image of a machine and put it on offer; False when it is there already.

    What is there of it stays when the connection or this run is cut, and goes when it proves to
    be wrong or the disk is full. Raises Refusal.
    """
    if machine.file.is_file():
        with machine.file.open("rb") as image:
            if part.has(image, machine.sha256):
                return False
    intake.vacant(settings, machine.file)
    with part.held(machine.file) as there:
        try:
            download.download(machine.url, there,
                              lambda count: intake.room(settings, count), progress)
            progress.end()
            check(there, machine)
        except KeyboardInterrupt as signalled:
            progress.end()
            raise Refusal(f"Interrupted; {amount(there.size())} are there.", 400,
                          download.GO_ON) from signalled
        except OSError as error:
            there.drop()
            raise intake.full(error) from error
        except Refusal as refusal:
            if refusal.status != 502 or not there.size():
                there.drop()
            raise
    return True


def check(there: Part, machine: Machine) -> None:
    """Put a complete part on offer when it is what the descriptor says; raise Refusal (422)."""
    if not part.has(there.file, machine.sha256):
        raise Refusal(f"{machine.url} is not the file that sha256 of the descriptor is of.", 422,
                      "It was removed. Ask its publisher for the right url and sha256.")
    intake.admit(there.path, machine.name, machine.format)
    intake.place(there.path, machine.file)
    there.drop()
