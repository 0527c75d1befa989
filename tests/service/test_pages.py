"""Every page in every state, for everybody: on a phone and wide, light and dark, by keyboard."""

import shutil
from collections.abc import Iterator

import pytest
from service import scenes_of_administrators, scenes_of_people
from service.chromium import Browser
from service.frost import Frost
from service.installation import Installation
from service.looks import troubles
from service.stage import SCENES, Scene, Stage

assert scenes_of_people and scenes_of_administrators  # they have filled SCENES


@pytest.fixture
def stage(site: Installation, window: Browser, frost: Frost) -> Iterator[Stage]:
    """A stage, and an empty one afterwards."""
    made = Stage(site, window, frost)
    yield made
    for session in made.made:
        shutil.rmtree(site.run / session, ignore_errors=True)
    for path in site.log.iterdir():
        path.unlink()
    (site.state / "maintenance").unlink(missing_ok=True)


@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.__name__.replace("_", " "))
def test_everybody_can_use(stage: Stage, scene: Scene) -> None:
    scene(stage)
    assert not troubles(stage.page, scene.__name__.replace("_", "-"))
