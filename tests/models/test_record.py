"""Records, progress and problems: values that survive JSON."""

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


def test_a_record_survives_json() -> None:
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
    """Actions that cannot be pickled, like those of a studio with its locks."""

    def __init__(self) -> None:
        self.guard = threading.Lock()


def test_a_record_is_the_same_value_with_and_without_a_studio() -> None:
    alone, here = record(canonical={"multi_prompt": [{"prompt": "a", "duration": 5}]}), Studio()
    bound = alone.attach(here)  # type: ignore[arg-type] -- this only needs some object
    assert alone == bound == alone.attach(Studio())  # type: ignore[arg-type] -- the same
    assert len({alone, bound, alone.model_copy(update={"stars": 5, "revision": 1})}) == 2
    assert copy.deepcopy(bound)._attached() is here
    unpickled = pickle.loads(pickle.dumps(bound))  # noqa: S301 - our own
    assert unpickled == bound
    with pytest.raises(KlingError):
        unpickled.request()


def test_a_record_needs_its_request() -> None:
    fields = record().model_dump()
    del fields["canonical"]
    with pytest.raises(ValueError, match="canonical"):
        Record.model_validate(fields)


def test_a_record_of_a_later_version_can_be_read() -> None:
    assert Record.model_validate({**record().model_dump(), "brand_new": 1}).id == "r1"


def test_a_record_without_a_studio_has_no_actions() -> None:
    for act in (record().request, record().rerun, lambda: record().save("clip.mp4"), lambda: record().reproducibility):
        with pytest.raises(KlingError) as caught:
            act()
        assert str(caught.value) == 'Record r1 is not attached to a studio. Load it with kn.log()["r1"].'
    assert set(record()._repr_mimebundle_()) == {"text/plain"}


def test_an_attached_record_acts_through_its_studio() -> None:
    class Actions:
        def request_of(self, record: Record) -> Any:
            return ("request", record.id)

        def rerun(self, record: Record, changes: dict[str, Any]) -> Any:
            return ("rerun", changes)

        def bundle_of(self, record: Record) -> dict[str, Any]:
            return {"text/html": record.id}

    bound = record().attach(Actions())
    assert bound.request() == ("request", "r1")
    assert bound.rerun(duration=7) == ("rerun", {"duration": 7})
    assert bound._repr_mimebundle_() == {"text/html": "r1"}
    assert bound.model_copy(update={"stars": 5}).rerun() == ("rerun", {})


def test_a_record_has_a_prompt_and_a_duration() -> None:
    shots = record(canonical={"multi_prompt": [{"prompt": "one"}, {"prompt": "two"}]})
    assert shots.prompt == "one\ntwo"
    ended = record(times=Times(created=THEN, accepted=THEN, completed=THEN + datetime.timedelta(seconds=90)))
    assert (ended.seconds, shots.seconds) == (90, None)


@pytest.mark.parametrize(("difference", "seconds"), [(0, 90), (2, 92), (-2, 88), (3, 90), (-3, 90)])
def test_the_hubs_own_times_count_if_ours_differ_by_more_than_two_seconds(difference: int, seconds: int) -> None:
    ended = THEN + datetime.timedelta(seconds=90)
    accepted = THEN - datetime.timedelta(seconds=difference)
    assert record(times=Times(created=THEN, accepted=accepted, enqueued=THEN, completed=ended)).seconds == seconds


@pytest.mark.parametrize("ahead", [-3600, -90, 90, 3600])
def test_a_wrong_clock_does_not_change_the_elapsed_time(ahead: int) -> None:
    hubs = THEN + datetime.timedelta(seconds=ahead)
    times = Times(created=THEN, accepted=THEN, enqueued=hubs, completed=hubs + datetime.timedelta(seconds=90))
    assert record(times=times).seconds == 90


@pytest.mark.parametrize("status", get_args(Status))
def test_every_status_has_a_label(status: Status) -> None:
    progress = Progress("r1", status, "a cat", "m", THEN, THEN)
    assert progress.label[0].isupper()
    assert progress.ended is (status in ENDED) is record(status=status).ended


def test_an_upload_is_named_during_preparation() -> None:
    assert Progress("r1", "prepared", "", "m", THEN, THEN, uploading="face.png").label == "Uploading face.png"
    assert Progress("r1", "queued", "", "m", THEN, THEN, uploading="face.png").label == "Queued"


def test_the_text_of_a_problem_has_its_field_and_its_remedy() -> None:
    problem = error(("multi_prompt", 0, "duration"), "16 s is too long", "1 to 15 s")
    assert str(problem) == "multi_prompt.0.duration: 16 s is too long – 1 to 15 s"
    assert problem.to_json()["path"] == "multi_prompt.0.duration"
    assert str(warning((), "odd", "look")) == "odd – look"


def test_a_request_error_lists_all_problems() -> None:
    problems = [error(("prompt",), "the prompt is missing", "describe the clip"), error(("seed",), "no", "yes")]
    assert str(RequestError(problems)).count("\n") == 1
    assert RequestError(problems).problems == tuple(problems)


def test_a_missing_model_has_alternatives() -> None:
    assert "The catalogue has a, b." in str(ModelNotFound("x", alternatives=["a", "b"]))
    assert ModelNotFound("x").status == 404


@pytest.mark.parametrize(
    ("text", "public"),
    [
        ("/home/me/films/kling_log/index.db cannot be written", "index.db cannot be written"),
        (r"The log ('C:\Users\me\log.db') is full", "The log ('log.db') is full"),
        ("https://hub.example/a/b.mp4 did not answer.", "https://hub.example/a/b.mp4 did not answer."),
        ("1/2 of it, and/or more", "1/2 of it, and/or more"),
    ],
)
def test_messages_for_others_have_no_folders_of_this_machine(text: str, public: str) -> None:
    kept = record(messages=(Message(at=THEN, text=text),))
    assert kept.public().messages == (Message(at=THEN, text=public),)
    assert Record.model_validate_json(kept.model_dump_json()).messages == kept.messages
