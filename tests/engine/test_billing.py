"""The billed namespace stays the same: in a rerun, after a restart, and when an answer is lost."""

from __future__ import annotations

import datetime
from collections.abc import Callable

from hubside import HubSide

from kling_nb.engine.sender import records_for
from kling_nb.models.price import estimate
from kling_nb.models.record import Record
from kling_nb.models.request import ReferenceToVideo
from kling_nb.studio import Studio


def billed(hub: HubSide, record: Record) -> str | None:
    headers = {"Authorization": "Bearer other"}
    return hub._http.get(f"/api/ai/queue/{record.generation_id}", headers=headers).json().get("target_namespace")


def test_a_rerun_is_billed_to_the_same_namespace(studio: Studio, hub: HubSide) -> None:
    hub.fault("failed")
    job = studio.generate("a boat of the lab", duration=3, target_namespace="lab")
    studio.gather(job).wait(60)
    again = studio.log()[0].rerun(duration=4)
    studio.gather(again).wait(60)
    assert [billed(hub, each.record) for each in (job, again)] == ["lab", "lab"]
    assert studio.panel(again).request == studio.panel(again.record).request
    assert studio.panel(again.record).request.target_namespace == "lab"


def test_a_resumed_request_is_billed_to_the_namespace_it_was_prepared_for(studio: Studio, hub: HubSide) -> None:
    request = ReferenceToVideo(prompt="a boat never sent", duration=3, target_namespace="lab")
    now = datetime.datetime.now(datetime.UTC)
    price = estimate(request.draft())
    for record in records_for(request, hub=hub.url, local=False, kind="result", estimate=price, now=now):
        studio.store.save(record)
    (job,) = studio.resume()
    job.result(60)
    assert billed(hub, job.record) == "lab"


def test_a_lost_answer_is_searched_for_in_the_namespace_that_was_billed(
    own_hub: Callable[..., HubSide], studio_at: Callable[..., Studio]
) -> None:
    hub = own_hub("--choice", "list_without_namespace=own")
    hub.fault("lost_reply", times=1)
    studio = studio_at(hub)
    job = studio.generate("a boat of the lab, lost", duration=3, target_namespace="lab")
    assert job.result(60).path.exists()
    assert (hub.posts, hub.enqueued) == (1, 1)
