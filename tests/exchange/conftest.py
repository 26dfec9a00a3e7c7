"""A log with three records: a plan's two clips, one with a picture and sound, and one that failed; with votes."""

from __future__ import annotations

import datetime
from collections.abc import Iterator

import pytest
from hubside import HubSide, png_image

from kling_nb.models.judgements import Score
from kling_nb.scoring.ballot import Ballot
from kling_nb.studio import Studio

KEY = "sk-planted-key-0123456789"
FOLDER = "private-folder-of-pictures"


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory, _quick_hub: HubSide) -> Iterator[Studio]:
    folder = tmp_path_factory.mktemp("filled")
    (folder / FOLDER).mkdir()
    (folder / FOLDER / "face.png").write_bytes(png_image())
    studio = Studio(hub=_quick_hub.url, key=KEY, log=folder / "log")
    face = folder / FOLDER / "face.png"
    plan = studio.sweep(
        rows=[
            {"prompt": "@Image1 <b>sails</b>", "duration": 4, "generate_audio": True, "input_image": face},
            {"prompt": "a <script>window.planted = 1</script> boat for $5 or $6", "duration": 3},
            {"prompt": "a boat that is gone too soon", "duration": 2},
        ]
    )
    one, other = plan.run(skip_invalid=True).result(60)
    _quick_hub.fault("failed", times=1, message="No <i>such</i> luck.")
    studio.generate("a boat in the ice", duration=3).wait(60)
    _quick_hub.clear()
    studio.log().annotate(one.id, tags=["walk"], stars=4, note="the best")
    for who in ("Ada", "Ada", "Bob <b>", "Bob <b>", "Cleo", "Cleo", "Dan"):
        ballot = Ballot([one, other], studio.store.votes, who=who)
        assert ballot.pair
        ballot.vote("left" if ballot.pair.left == one.id else "right")
    at = datetime.datetime(2026, 11, 25, tzinfo=datetime.UTC)
    for record, value, said in ((one, 12.5, "sharp <i>enough</i>"), (other, None, "too dark to tell")):
        assert record.clip
        sharpness = Score(
            clip=record.clip.digest, name="sharpness", version="1", unit="dB", value=value, note=said, at=at
        )
        studio.store.scores.add([sharpness])
    yield studio
    studio.close()
