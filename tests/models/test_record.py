"""Records and progress: values that come back from JSON as they went."""

from __future__ import annotations

import copy
import datetime
import pickle
import threading
from decimal import Decimal
from typing import Any, get_args

import pytest

from kling_nb.errors import KlingError, ModelNotFound, RequestError
from kling_nb.models.price import estimate
from kling_nb.models.problem import error, warning
from kling_nb.models.progress import Progress
from kling_nb.models.record import ENDED, Failure, File, Message, Record, Reference, Status, Times

THEN = datetime.datetime(2026, 11, 22, 12, 0, tzinfo=datetime.UTC)


def record(**changes: Any) -> Record:
    fields: dict[str, Any] = {
        "id": "r1",
        "batch": "b1",
        "hub": "https://hub.example.org",
        "local": False,
        "model": "kling-video-o3-pro-reference-to-video",
        "canonical": {"prompt": "a cat – 你好", "duration": 5},
        "request_hash": "sha256:0",
        "estimate": estimate({"model": "kling-video-o3-pro-reference-to-video"}),
        "times": Times(created=THEN),
    }
    return Record(**{**fields, **changes})


def test_a_record_comes_back_from_json_as_it_went() -> None:
    full = record(
        references=(Reference(path="input_image.0", identity="sha256:1", given="face.png", width=320),),
        clip=File(file="media/1.mp4", digest="sha256:2", size=9, duration=5.04),
        failure=Failure(kind="JobFailed", message="no <b>luck</b>"),
        times=Times(created=THEN, completed=THEN + datetime.timedelta(seconds=90)),
        tags=("best",),
        server={"status": "succeeded"},
    )
    again = Record.model_validate_json(full.model_dump_json())
    assert again == full
    assert again.price == Decimal("1.120")
    assert isinstance(again.canonical, dict)


class Studio:
    """A home that no pickle can take along, as a studio with its locks."""

    def __init__(self) -> None:
        self.guard = threading.Lock()


def test_a_record_is_a_value_wherever_it_was_taken_from() -> None:
    alone, here = record(canonical={"multi_prompt": [{"prompt": "a", "duration": 5}]}), Studio()
    bound = alone.attach(here)  # type: ignore[arg-type] -- of a home this needs only that there is one
    assert alone == bound == alone.attach(Studio())  # type: ignore[arg-type] -- the same
    assert len({alone, bound, alone.model_copy(update={"stars": 5, "revision": 1})}) == 2
    assert copy.deepcopy(bound)._attached() is here
    carried = pickle.loads(pickle.dumps(bound))  # noqa: S301 - our own
    assert carried == bound
    with pytest.raises(KlingError, match="stands alone"):
        carried.request()


def test_a_record_needs_its_request() -> None:
    fields = record().model_dump()
    del fields["canonical"]
    with pytest.raises(ValueError, match="canonical"):
        Record.model_validate(fields)


def test_a_record_from_a_later_version_is_still_read() -> None:
    assert Record.model_validate({**record().model_dump(), "brand_new": 1}).id == "r1"


def test_a_record_that_stands_alone_says_where_to_take_it_from() -> None:
    for act in (record().request, record().rerun, lambda: record().save("clip.mp4"), lambda: record().reproducibility):
        with pytest.raises(KlingError, match=r"kn\.log"):
            act()
    assert set(record()._repr_mimebundle_()) == {"text/plain"}


def test_a_record_at_home_acts_through_it() -> None:
    class Home:
        def request_of(self, record: Record) -> Any:
            return ("request", record.id)

        def rerun(self, record: Record, changes: dict[str, Any]) -> Any:
            return ("rerun", changes)

        def bundle_of(self, record: Record) -> dict[str, Any]:
            return {"text/html": record.id}

    bound = record().attach(Home())
    assert bound.request() == ("request", "r1")
    assert bound.rerun(duration=7) == ("rerun", {"duration": 7})
    assert bound._repr_mimebundle_() == {"text/html": "r1"}
    assert bound.model_copy(update={"stars": 5}).rerun() == ("rerun", {})


def test_a_record_tells_prompt_and_time() -> None:
    shots = record(canonical={"multi_prompt": [{"prompt": "one"}, {"prompt": "two"}]})
    assert shots.prompt == "one\ntwo"
    ended = record(times=Times(created=THEN, accepted=THEN, completed=THEN + datetime.timedelta(seconds=90)))
    assert (ended.seconds, shots.seconds) == (90, None)


@pytest.mark.parametrize("ahead", [-3600, -90, 90, 3600])
def test_a_clock_that_is_wrong_does_not_change_how_long_it_took(ahead: int) -> None:
    hubs = THEN + datetime.timedelta(seconds=ahead)
    times = Times(created=THEN, accepted=THEN, enqueued=hubs, completed=hubs + datetime.timedelta(seconds=90))
    assert record(times=times).seconds == 90


@pytest.mark.parametrize("status", get_args(Status))
def test_every_state_has_words_and_an_end_or_none(status: Status) -> None:
    progress = Progress("r1", status, "a cat", "m", THEN, THEN)
    assert progress.label[0].isupper()
    assert progress.ended is (status in ENDED) is record(status=status).ended


def test_an_upload_is_named_while_it_lasts() -> None:
    assert Progress("r1", "prepared", "", "m", THEN, THEN, uploading="face.png").label == "Sending face.png"
    assert Progress("r1", "queued", "", "m", THEN, THEN, uploading="face.png").label == "Queued"


def test_a_problem_says_where_what_and_what_to_do() -> None:
    problem = error(("multi_prompt", 0, "duration"), "16 s is too much", "at most 15 s")
    assert str(problem) == "multi_prompt.0.duration: 16 s is too much – at most 15 s"
    assert problem.to_json()["path"] == "multi_prompt.0.duration"
    assert str(warning((), "odd", "look")) == "odd – look"


def test_a_request_error_lists_all_problems() -> None:
    problems = [error(("prompt",), "there is no prompt", "write one"), error(("seed",), "no", "yes")]
    assert str(RequestError(problems)).count("\n") == 1
    assert RequestError(problems).problems == tuple(problems)


def test_a_missing_model_names_its_alternatives() -> None:
    assert "The catalogue has a, b." in str(ModelNotFound("x", alternatives=["a", "b"]))
    assert ModelNotFound("x").status == 404


@pytest.mark.parametrize(
    ("said", "public"),
    [
        ("/home/me/films/kling_log/index.db cannot be written", "index.db cannot be written"),
        (r"The log ('C:\Users\me\log.db') is full", "The log ('log.db') is full"),
        ("https://hub.example/a/b.mp4 did not answer.", "https://hub.example/a/b.mp4 did not answer."),
        ("1/2 of it, and/or more", "1/2 of it, and/or more"),
    ],
)
def test_what_was_said_on_the_way_leaves_without_the_folders_of_this_machine(said: str, public: str) -> None:
    kept = record(messages=(Message(at=THEN, text=said),))
    assert kept.public().messages == (Message(at=THEN, text=public),)
    assert Record.model_validate_json(kept.model_dump_json()).messages == kept.messages
