"""`kn.gallery` and `kn.compare` with a real log and a real hub."""

from __future__ import annotations

import pytest

from kling_nb.errors import ArgumentError, ArgumentTypeError, KlingError
from kling_nb.studio import Studio


def test_clips_can_be_compared_rated_rerun_and_deleted(studio: Studio) -> None:
    one = studio.generate("a paper boat", duration=3)
    two = studio.generate("a paper plane", duration=3)
    clips = studio.gather(one, two).result(60)

    view = studio.compare(one, clips[1])
    assert repr(view) == f"<Comparison of {one.id}, {two.id}>"

    gallery = studio.gallery(status="succeeded")
    controller = gallery.controller
    price = controller.price([one.id, two.id])
    assert price == "$1.344"
    (again,) = controller.generate(one.id)
    assert again.result(60).record.rerun_of == one.id
    assert again.record.generations == 1

    controller.store.trash(two.id)
    assert two.id not in {record.id for record in studio.log()} and studio.log.verify() == []
    controller.store.restore(two.id)
    assert studio.log.verify() == []


def test_a_job_that_has_not_ended_cannot_be_compared_or_deleted(studio: Studio, hub) -> None:
    hub.fault("stuck")
    done, stuck = None, studio.generate("a paper boat", duration=3)
    controller = studio.gallery().controller
    with pytest.raises(KlingError, match="2 to 9"):
        studio.compare(stuck, done or stuck)
    with pytest.raises(ArgumentError, match="cancel it first"):
        controller.store.trash(stuck.id)
    stuck.cancel()


def test_an_invalid_filter_raises_before_anything_is_shown(studio: Studio) -> None:
    with pytest.raises(ArgumentError, match="status must be"):
        studio.gallery(status="bogus")
    for ask in (studio.gallery, studio.log):
        for unknown in ({"colour": "red"}, {"tags": "a"}, {"limit": 5}):
            with pytest.raises(ArgumentTypeError, match=f"Unknown filter '{next(iter(unknown))}'"):
                ask(**unknown)
        with pytest.raises(ArgumentTypeError):
            ask(5)


def test_a_text_alone_searches_the_prompts(studio: Studio) -> None:
    job = studio.generate("a camera on wheels", duration=3)
    studio.generate("a boat", duration=3).wait(60)
    job.wait(60)
    assert [record.id for record in studio.log("camera")] == [job.id]
    assert "text='camera'" in repr(studio.gallery("camera"))
