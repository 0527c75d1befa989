"""Which files of a checkout are programs of a server."""

import pytest

from files import SHARE, installed_programs, is_script, shipped
from places import PYTHON


def test_the_tools_for_machines_come_along_and_no_images_do() -> None:
    tools = {path: content for path, content in installed_programs()
             if path.is_relative_to(SHARE / "machines")}
    assert set(tools) == {SHARE / "machines" / name
                          for name in ("fetch", "freeze", "import", "list")}
    for path, content in tools.items():
        assert is_script(path)
        assert content.startswith(f"#!{PYTHON} -I\n".encode())


@pytest.mark.parametrize("folder", ["lib", "cgi-bin"])
def test_scripts_and_nothing_else_can_be_run(folder: str) -> None:
    paths = [path for _, path in shipped(folder)]
    assert paths and all(is_script(path) == (folder == "cgi-bin") for path in paths)
