"""Names of clips for people."""

import datetime

import pytest
from support.records import CLIP, make_record

from kling_nb.models.clipname import clip_name
from kling_nb.models.record import Times


def named(prompt, **changes):
    created = datetime.datetime(2026, 11, 27, 12, tzinfo=datetime.UTC)
    return clip_name(make_record(prompt=prompt, id="20261127-120000-3f9a1c-0", times=Times(created=created), **changes))


def test_a_name_has_the_day_the_words_and_the_end_of_the_id():
    assert named("Close-up of the cat", clip=CLIP) == "2026-11-27 Close-up of the cat · 3f9a1c-0.mp4"


@pytest.mark.parametrize("prompt", ["../../etc/passwd", 'a/b\\c:d*e?"<f>|g', "~/x\0y\nz", "a\u202eb", ".", "名" * 300])
def test_a_name_is_one_that_every_file_system_takes(prompt):
    name = named(prompt, clip=CLIP)

    assert not set(name) & set('/\\:*?"<>|\0\n\u202e')
    assert name.endswith(" · 3f9a1c-0.mp4") and len(name.encode()) < 200
