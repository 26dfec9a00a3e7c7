"""A log with three records: a clip with a picture and sound, a plain one, and one that failed."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hubside import HubSide, picture

from kling_nb.studio import Studio

KEY = "sk-planted-key-0123456789"
FOLDER = "private-folder-of-pictures"


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory, _quick_hub: HubSide) -> Iterator[Studio]:
    folder = tmp_path_factory.mktemp("filled")
    (folder / FOLDER).mkdir()
    (folder / FOLDER / "face.png").write_bytes(picture())
    studio = Studio(hub=_quick_hub.url, key=KEY, log=folder / "log")
    face = [folder / FOLDER / "face.png"]
    jobs = [
        studio.generate("@Image1 <b>sails</b>", duration=4, generate_audio=True, input_image=face),
        studio.generate("a <script>window.planted = 1</script> boat for $5 or $6", duration=3),
    ]
    studio.gather(jobs).result(60)
    _quick_hub.fault("failed", times=1, message="No <i>such</i> luck.")
    studio.generate("a boat in the ice", duration=3).wait(60)
    _quick_hub.clear()
    studio.log().annotate(jobs[0].id, tags=["walk"], stars=4, note="the best")
    yield studio
    studio.close()
