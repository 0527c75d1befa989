"""Where the files of a session are; apart, because a keeper needs this before all else."""

from pathlib import Path


class File:
    """The path of one file in a session's directory, made when somebody wants it."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __get__(self, paths: "Paths", kind: type["Paths"]) -> Path:
        return paths.directory / self.name


class Paths:
    """Where the files of a session are."""

    record = File("session.json")
    settings = File("settings.ini")  # as they were at the start
    lock = File("lock")  # held: the keeper, or the request before it, is alive
    answer = File("answer")  # held by the request that starts it, until it answers
    token = File("token")  # what a person types; QEMU reads it too
    volumes = File("volumes.json")  # those that the machine was given
    state = File("state")  # of a machine that is parked
    sizes = File("sizes.json")  # of what was saved beside it, and its own
    mailed = File("mailed")  # there once a mail with the token is being sent
    control = File("ctl.sock")
    websocket = File("ws.sock")
    vnc = File("vnc.sock")
    qmp = File("qmp.sock")
    qmp2 = File("qmp2.sock")  # for recovery, when the keeper hangs
    agent = File("ga.sock")  # the guest's own agent, told the time
    screen = File("screen.png")
    keeper_log = File("keeper.log")
    qemu_log = File("qemu.log")
    network_log = File("network.log")

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.session = directory.name
