"""The card of several clips of one request."""

from kling_nb.models.record import Failure
from kling_nb.render.batch import batch_bundle, batch_html
from kling_nb.render.card import RECORD_TYPE
from tests.render.kit import PROMPT, Media, NoMedia, record_of
from tests.render.reader import Reader


def batch(*changes):
    return [record_of(id=f"job-{i}", index=i, generations=len(changes), **each) for i, each in enumerate(changes)]


def test_the_prompt_is_there_once_and_each_clip_has_a_player():
    html = batch_html(batch({}, {}, {}), Media())
    page = Reader(html)

    assert page.text.count(PROMPT) == 2  # and once in the code
    assert html.count("<video") == 3
    assert all(f"{number} of 3" in page.text for number in (1, 2, 3))


def test_a_failed_one_says_why_beside_the_others():
    failure = Failure(kind="x", message="no face was found", remedy="use a clearer portrait")
    records = batch({}, {"status": "failed", "failure": failure, "clip": None})

    html = batch_html(records, Media())

    assert "no face was found use a clearer portrait" in Reader(html).text
    assert html.count("<video") == 1


def test_all_records_are_in_the_bundle():
    bundle = batch_bundle(batch({}, {}), NoMedia())
    assert [each["id"] for each in bundle[RECORD_TYPE]] == ["job-0", "job-1"]
